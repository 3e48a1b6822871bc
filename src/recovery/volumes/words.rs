//! What lies on each volume for people: instructions in both languages, a script of public tools, a label to print. No value of
//! a customer, and no secret.

use super::cut::{Cut, Part};
use crate::SetName;
use kernel::Timestamp;

pub(crate) const README: &str = "readme.txt";
pub(crate) const SCRIPT: &str = "open.sh";
pub(crate) const LABEL: &str = "label.html";
/// The sums of the files of the set, for after they were joined.
pub(crate) const SET_SUMS: &str = "set.sha256";

/// The name of the file with a volume's own bytes.
pub(crate) fn payload(number: u32, part: Part) -> String {
    let kind = match part {
        Part::Data { .. } => "data",
        Part::Parity { .. } => "parity",
    };
    format!("kontor-{number:03}.{kind}")
}

/// What stands on a label.
pub struct Label<'a> {
    pub(crate) job: (&'a SetName, &'a str, Timestamp),
    pub(crate) number: u32,
    pub(crate) cut: &'a Cut,
    pub(crate) sha256: &'a str,
}

impl Label<'_> {
    /// What the code on it says: enough to tell this volume from every other.
    pub fn code(&self) -> String {
        let (set, appliance, _) = self.job;
        format!("kontor-volume {appliance} {set} {}/{} sha256:{}", self.number, self.cut.volumes(), self.sha256)
    }

    /// The page to print.
    pub(crate) fn page(&self, qr: &dyn Fn(&str) -> String) -> String {
        let (set, appliance, at) = self.job;
        let (number, of, data) = (self.number, self.cut.volumes(), self.cut.data());
        let kind = match self.cut.part(number) {
            Some(Part::Parity { .. }) => "parity · 校验卷",
            _ => "data · 数据卷",
        };
        let when = at.to_datetime().format("%Y-%m-%d %H:%M UTC");
        let (short, parity, group) =
            (self.sha256.get(..16).unwrap_or_default(), self.cut.parity(), data.min(self.cut.group()));
        format!(
            "<!doctype html>\n<meta charset=\"utf-8\">\n<title>{set} {number}/{of}</title>\n\
             <style>body{{font:11pt sans-serif;margin:8mm}}main{{display:flex;gap:6mm;align-items:center;border:0.4mm solid #000;padding:4mm;width:118mm}}\
             b{{font-size:22pt}}code{{font-size:9pt}}p{{margin:1mm 0}}</style>\n<main>{}<div>\n\
             <p><b>Kontor {number}/{of}</b> {kind}</p>\n<p>{set}</p>\n<p>{when}</p>\n<p><code>{appliance}</code></p>\n\
             <p><code>sha256 {short}…</code></p>\n<p>{data} data, {parity} parity for each {group} · {data} 个数据卷，每 {group} 个有 {parity} 个校验卷</p>\n</div></main>\n",
            qr(&self.code())
        )
    }
}

/// The instructions.
pub(crate) fn readme(cut: &Cut, set: &str) -> String {
    let (data, parity, of, group) = (cut.data(), cut.parity(), cut.volumes(), cut.group());
    format!(
        "One of {of} volumes with a backup set of a Kontor appliance ({set}).

Volumes 1 to {data} hold the set; the others are parity. Of each {group} data volumes and their parity any {parity} may be lost.

With Kontor, on a blank machine (it asks for the passphrase or key file that unseals the appliance):

  kontor dr verify VOLUME...
  kontor dr import --from VOLUME... --dir /srv/kontor

VOLUME is the folder of a volume, or a folder that holds several. Lost volumes are made again from the rest on the way.

Without Kontor, with sha256sum, find, cat, tar, age and zstd alone, from the volumes 1 to {data}:

  sh open.sh verify VOLUME...              each volume by itself, without the others
  sh open.sh join JOINED VOLUME...         the set is then in JOINED/{set}
  sh open.sh open JOINED KEY OPENED        KEY: from `kontor backup key`, or one of the other recipients'

By hand: the files kontor-NNN.data in the order of their numbers are one tar archive: cat kontor-*.data | tar -x
volume.sig is a signed note (C2SP signed-note, Ed25519) over the SHA-256 of volume.json; the key is log-key.pub.
The parity is Reed-Solomon over GF(2^16) with the additive FFT of Lin, Chung and Han (Leopard), computed over the 64 KiB
stripes that lie at the same place of the data volumes of a group; behind its end a shorter volume counts as zero.

这是 Kontor 设备一份备份集（{set}）的 {of} 个卷之一。

第 1 至 {data} 卷是备份集本身，其余为校验卷。每 {group} 个数据卷连同其校验卷，任意丢失 {parity} 个都能重建。

使用 Kontor，在一台全新的机器上（会要求输入解封设备的口令或密钥文件）：

  kontor dr verify 卷...
  kontor dr import --from 卷... --dir /srv/kontor

“卷”是某个卷的目录，或存放多个卷的目录。丢失的卷会在途中由其余的卷重建。

不使用 Kontor，只用 sha256sum、find、cat、tar、age 和 zstd，需要第 1 至 {data} 卷：

  sh open.sh verify 卷...                  逐卷核对，不需要其他卷
  sh open.sh join 合并目录 卷...           备份集位于 合并目录/{set}
  sh open.sh open 合并目录 密钥 打开目录   密钥来自 `kontor backup key`，或其他接收者的密钥

手工操作：按编号顺序的 kontor-NNN.data 合起来就是一个 tar 归档：cat kontor-*.data | tar -x
volume.sig 是对 volume.json 的 SHA-256 的签名（C2SP signed-note，Ed25519），公钥为 log-key.pub。
校验采用 GF(2^16) 上的里德-所罗门码（Lin、Chung、Han 的加性 FFT，即 Leopard），对一组数据卷相同位置的 64 KiB 条带计算；
较短的卷在其末尾之后视为零。
"
    )
}

/// The script. It needs no program of ours.
pub(crate) fn script(cut: &Cut, set: &str) -> String {
    SCRIPT_TEXT.replace("@SET@", set).replace("@DATA@", &cut.data().to_string())
}

const SCRIPT_TEXT: &str = r#"#!/bin/sh
# Verifies, joins and opens the volumes of a Kontor backup set with public tools: sha256sum, find, cat, tar, age, zstd.
#   sh open.sh verify VOLUME...            each volume by itself
#   sh open.sh join JOINED VOLUME...       the set from its data volumes
#   sh open.sh open JOINED KEY OPENED      its files, with an age key
set -eu
set_name=@SET@ data=@DATA@
here=$(cd "$(dirname "$0")" && pwd)
die() { printf '%s\n' "$*" >&2; exit 1; }

# The folders of volumes among and below what was named.
volumes() { find "$@" -name volume.json -exec dirname {} \; | sort; }

verify() {
  bad=0
  list=$(volumes "$@")
  [ -n "$list" ] || die "no volume lies there"
  while IFS= read -r volume; do
    if (cd "$volume" && sha256sum -c --quiet SHA256SUMS); then
      printf '%s: whole\n' "$volume"
    else
      printf '%s: NOT whole\n' "$volume"
      bad=1
    fi
  done <<LIST
$list
LIST
  return $bad
}

# The file of a data volume.
piece() {
  name=$(printf 'kontor-%03d.data' "$1")
  shift
  find "$@" -name "$name" | head -n 1
}

join() {
  into=$1
  shift
  verify "$@" || die "use whole volumes only; with Kontor, 'kontor dr import' makes lost ones again"
  number=1
  while [ "$number" -le "$data" ]; do
    [ -n "$(piece "$number" "$@")" ] ||
      die "volume $number is missing; with Kontor, 'kontor dr import' makes it again"
    number=$((number + 1))
  done
  mkdir "$into"
  number=1
  while [ "$number" -le "$data" ]; do
    cat "$(piece "$number" "$@")"
    number=$((number + 1))
  done | tar -x -C "$into"
  (cd "$into/$set_name" && sha256sum -c --quiet "$here/set.sha256") || die "the set is NOT whole"
  printf 'The set is whole: %s\n' "$into/$set_name"
}

open() {
  mkdir "$3"
  for file in "$1/$set_name"/*.tar.zst.age; do
    age -d -i "$2" "$file" | zstd -dq | tar -x -C "$3" || die "$file does not open"
  done
  printf 'Opened in %s; the database is data/kontor.db, for sqlite3\n' "$3"
}

case "${1:-}:$#" in
  verify:[2-9] | verify:[1-9][0-9]*) shift; verify "$@" ;;
  join:[3-9] | join:[1-9][0-9]*) shift; join "$@" ;;
  open:4) shift; open "$@" ;;
  *) sed -n '2,5s/^# *//p' "$0" >&2; exit 2 ;;
esac
"#;
