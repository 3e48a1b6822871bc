#!/usr/bin/env bash
# What a package puts on a machine, as a folder: the one description from which .deb, .rpm and the archive are made.
#   packaging/tree.sh BINARY FOLDER deb|rpm|tar [PAPERS]
# PAPERS is a folder with what packaging/papers.py wrote; without it the tree has none of that.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=$(realpath "$1") tree=$2 kind=$3 papers=${4:-}
mkdir -p "$tree"
tree=$(realpath "$tree")

put() { install -D -m "$1" "$2" "$tree/$3"; }

put 755 "$binary" usr/bin/kontor
for unit in kontor.service kontor.socket; do put 644 "systemd/$unit" "usr/lib/systemd/system/$unit"; done
put 644 systemd/kontor.preset usr/lib/systemd/system-preset/80-kontor.preset
put 644 systemd/sysusers.conf usr/lib/sysusers.d/kontor.conf
put 644 systemd/tmpfiles.conf usr/lib/tmpfiles.d/kontor.conf
for profile in isolated credential credential-encrypted; do
  put 644 "systemd/$profile.conf" "usr/share/kontor/systemd/$profile.conf"
done

for page in packaging/monitoring/*; do put 644 "$page" "usr/share/kontor/monitoring/$(basename "$page")"; done
for page in packaging/examples/*; do put 644 "$page" "usr/share/kontor/examples/$(basename "$page")"; done

# The settings of the service's environment: where each family of systems looks for them.
case $kind in
  rpm) defaults=etc/sysconfig/kontor zsh=usr/share/zsh/site-functions/_kontor ;;
  *) defaults=etc/default/kontor zsh=usr/share/zsh/vendor-completions/_kontor ;;
esac
put 644 packaging/environment "$defaults"

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
mkdir "$made/man"
"$binary" man "$made/man" 2>/dev/null
for page in "$made"/man/*.1; do
  gzip -9n "$page"
  put 644 "$page.gz" "usr/share/man/man1/$(basename "$page").gz"
done
for shell in bash zsh fish; do "$binary" completions "$shell" >"$made/$shell"; done
put 644 "$made/bash" usr/share/bash-completion/completions/kontor
put 644 "$made/zsh" "$zsh"
put 644 "$made/fish" usr/share/fish/vendor_completions.d/kontor.fish

for page in docs/admin/*.md; do put 644 "$page" "usr/share/doc/kontor/admin/$(basename "$page")"; done
for page in docs/auditor/*; do [ ! -f "$page" ] || put 644 "$page" "usr/share/doc/kontor/auditor/$(basename "$page")"; done
for page in docs/user/*.md; do put 644 "$page" "usr/share/doc/kontor/user/$(basename "$page")"; done
put 644 README.md usr/share/doc/kontor/README.md
put 644 README.zh-CN.md usr/share/doc/kontor/README.zh-CN.md
if [ -n "$papers" ]; then
  for paper in sbom.cdx.json THIRD-PARTY.txt; do put 644 "$papers/$paper" "usr/share/doc/kontor/$paper"; done
  # Not every build machine has the database; `kontor advisories` looks for the file here.
  [ ! -f "$papers/advisories.json" ] || put 644 "$papers/advisories.json" usr/share/kontor/advisories.json
fi
