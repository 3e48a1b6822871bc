//! `kontor dr dump`: all that one user may take, in formats that any program reads. Whoever runs the machine cannot take it alone:
//! a user signs in here whose roles allow exports, and the dump is that user's, with scope, levels and masks. It is sealed with
//! age unless somebody says otherwise.

use crate::appliance::{Appliance, Desk};
use crate::cli::Dir;
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFrom};
use crate::cli::signing_in::AsUser;
use audit::{ActOutcome, Phase, Verb};
use identity::{Actor, Channel};
use kernel::{Code, Fault, Outcome, Timestamp};
use recovery::{Parcel, Progress};
use serde_json::json;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use transfer::{Dump, DumpSink, DumpedObject};
use vault::ArchiveRecipient;

/// What the archive is called.
const STEM: &str = "dump";

#[derive(clap::Args)]
pub(crate) struct DumpArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    #[command(flatten)]
    user: AsUser,
    /// Who can open it, as `age-keygen` prints them, instead of those who open the backups. Can be given several times.
    #[arg(long, value_name = "AGE1", value_parser = recipient)]
    recipient: Vec<ArchiveRecipient>,
    /// Writes it open. Whoever gets the folder reads everything in it.
    #[arg(long, conflicts_with = "recipient")]
    plain: bool,
    /// The folder to make.
    #[arg(value_name = "FOLDER")]
    into: PathBuf,
}

fn recipient(text: &str) -> Result<ArchiveRecipient, String> {
    text.parse().map_err(|_| "write the public half of a key, age1…, as `age-keygen` prints it".to_owned())
}

pub(crate) fn run(args: &DumpArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    secret::unseal(&appliance, &args.from)?;
    let recipients = recipients(args, &appliance)?;
    let desk = Desk::open(&appliance, Channel::Cli)?;
    let done = args.user.act(&desk, "kontor dr dump", |actor| write(args, &desk, actor, &recipients));
    desk.close()?;
    tell(args, &done?, out);
    Ok(0)
}

/// Who can open it; nobody but a reader of the folder where it is plain.
fn recipients(args: &DumpArgs, appliance: &Appliance) -> Result<Vec<ArchiveRecipient>, Failure> {
    if args.plain || !args.recipient.is_empty() {
        return Ok(args.recipient.clone());
    }
    let mut recipients = appliance.config.backup.recipients.clone();
    if appliance.config.backup.own_key {
        recipients.push(appliance.vault.archive_identity()?.recipient());
    }
    if recipients.is_empty() {
        return Err(Failure::new(Code::ParameterInvalid, "nobody could open the dump")
            .kept("nothing was written")
            .todo("name a key with --recipient, or say --plain"));
    }
    Ok(recipients)
}

/// Hands the files of a dump to a parcel.
struct Sending<'p>(Parcel<'p>);

impl DumpSink for Sending<'_> {
    fn file(&mut self, path: &str, bytes: u64, from: &mut dyn Read) -> Outcome<()> {
        Ok(self.0.file(path, bytes, from)?)
    }
}

/// In the log before anything leaves: who runs the machine, for whom, sealed for whom; and how it went after it.
fn write(
    args: &DumpArgs,
    desk: &Desk,
    actor: &Arc<Actor>,
    recipients: &[ArchiveRecipient],
) -> Result<(Vec<DumpedObject>, u64), Failure> {
    let sealed: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    let sealed = if sealed.is_empty() { "plain".to_owned() } else { format!("sealed for {}", sealed.join(", ")) };
    let entry = |phase, outcome, told: &str| {
        let mut entry = desk.store.entry(&desk.operator, Verb::DrDump);
        entry.note = format!("{}; as user {}, {sealed}{told}", entry.note, actor.user());
        (entry.phase, entry.outcome) = (phase, outcome);
        desk.store.append(vec![entry])
    };
    entry(Phase::Intent, ActOutcome::Ok, "").wait()?;
    let written = dump(args, desk, actor, recipients);
    match &written {
        Ok((objects, _)) => {
            let records: u64 = objects.iter().map(|object| object.records).sum();
            entry(Phase::Outcome, ActOutcome::Ok, &format!("; {records} records")).wait()?;
        }
        Err(failure) => entry(Phase::Outcome, ActOutcome::Failed, &format!("; {}", failure.code.as_str())).wait()?,
    }
    written
}

fn dump(
    args: &DumpArgs,
    desk: &Desk,
    actor: &Arc<Actor>,
    recipients: &[ArchiveRecipient],
) -> Result<(Vec<DumpedObject>, u64), Failure> {
    let (clock, progress, began) = (desk.store.clock().as_ref(), Progress::default(), desk.store.clock().now());
    let failed = |error| Failure::from(Fault::from(error)).kept("nothing of the dump is left");
    let parcel = Parcel::begin(&args.into, STEM, recipients, began, (&progress, clock)).map_err(failed)?;
    let mut into = Sending(parcel);
    let dumps = Dump::new(desk.records.clone(), Arc::clone(&desk.store));
    let objects = dumps.run(actor, "neutral dump", &mut into)?;
    let appliance = desk.store.appliance()?;
    let summary = json!({"format": "kontor-dump-1", "appliance": appliance, "made_by": env!("CARGO_PKG_VERSION"),
        "as": args.user.login, "began_at": began, "ended_at": clock.now(), "objects": objects});
    let mut text =
        serde_json::to_vec_pretty(&summary).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    text.push(b'\n');
    let readme = readme(began, recipients.is_empty());
    let Sending(mut parcel) = into;
    parcel.file("dump.json", text.len() as u64, &mut text.as_slice()).map_err(failed)?;
    let files = if recipients.is_empty() {
        parcel.file("readme.txt", readme.len() as u64, &mut readme.as_bytes()).map_err(failed)?;
        parcel.end(&[])
    } else {
        parcel.end(&[("readme.txt", readme.as_bytes())])
    };
    Ok((objects, files.map_err(failed)?))
}

fn tell(args: &DumpArgs, (objects, files): &(Vec<DumpedObject>, u64), out: &mut Out) {
    let row = |one: &DumpedObject| {
        let numbers = [one.records, one.deleted, one.links, one.files].map(|number| number.to_string());
        [vec![one.object.clone()], numbers.to_vec(), vec![one.reduced.join(", ")]].concat()
    };
    let head = ["OBJECT", "RECORDS", "IN THE BIN", "LINKS", "FILES", "REDUCED FIELDS"];
    out.table(&head, &objects.iter().map(row).collect::<Vec<_>>());
    out.line(format!("{}: {files} files, as {} may see them.", args.into.display(), args.user.login));
    if args.plain {
        out.note("It lies open. Keep it as you keep the appliance itself, and remove it when it has served.");
    }
}

fn readme(at: Timestamp, plain: bool) -> String {
    let (en, zh) = if plain {
        ("", "")
    } else {
        (
            "\nOpen it with age, zstd and tar, and a key it was sealed for (`kontor backup key` prints the appliance's own):\n\n  \
             sha256sum -c SHA256SUMS\n  mkdir opened && age -d -i KEY dump.tar.zst.age | zstd -d | tar -x -C opened\n",
            "\n用 age、zstd、tar 和对应的密钥打开（`kontor backup key` 打印设备自己的密钥）：\n\n  \
             sha256sum -c SHA256SUMS\n  mkdir opened && age -d -i 密钥 dump.tar.zst.age | zstd -d | tar -x -C opened\n",
        )
    };
    format!(
        "The data of a Kontor appliance in neutral formats, begun at {at}, while work went on.
{en}
  records/OBJECT-NNNN.jsonl   one record a line: id, version, fields by name; \"reduced\" where only a mask or the existence was shown
  records/OBJECT-NNNN.csv     the same for spreadsheets; what they would take for a formula begins with an apostrophe
  links/OBJECT-NNNN.jsonl     relations between records
  files/OBJECT-NNNN.jsonl     the files of records, with names and the places where they lie below files/
  schema/, definitions/       JSON Schema (2020-12) of the lines; the definitions of the objects with labels in both languages
  dump.json                   who, when, how many, and which fields were reduced
  SHA256SUMS                  for sha256sum -c

Users, units and teams are objects like others; passwords, keys, sessions and the audit log are not in here. It holds what the user may
see who took it. Sealed backup sets hold everything: docs/admin/backup.md.

Kontor 设备数据的中立格式导出，开始于 {at}，期间业务照常进行。
{zh}
  records/对象-NNNN.jsonl     每行一条记录：id、版本、按名称的字段；仅显示掩码或是否存在的字段在 \"reduced\" 中
  records/对象-NNNN.csv       同样内容，供电子表格使用；会被当作公式的内容前加了撇号
  links/对象-NNNN.jsonl       记录之间的关联
  files/对象-NNNN.jsonl       记录的文件：名称，以及在 files/ 下的位置
  schema/、definitions/       各行的 JSON Schema（2020-12）；对象定义，带中英文标签
  dump.json                   谁、何时、多少，以及哪些字段未完整显示
  SHA256SUMS                  供 sha256sum -c 使用

用户、机构和团队与其他对象一样；密码、密钥、会话和审计日志不在其中。内容以取出者可见为限。完整内容见加密的备份集：docs/admin/backup.zh-CN.md。
"
    )
}
