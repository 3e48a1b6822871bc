#!/usr/bin/env bash
# Figures of backups, shipping and restoring with the release build, into docs/BENCHMARKS.md and results beside it. Quiet machine, nothing
# else running: some eleven minutes at a million contacts, once the folder BENCH_SCRATCH is filled (that takes twenty more, the first time).
# BENCH_BIN=FOLDER uses the binaries kontor, kontor-bench and kontor-bench-store that lie there. Smaller: CONTACTS=20000 ACCOUNTS=2000.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target} document=${BENCH_DOCUMENT-docs/BENCHMARKS.md}
scratch=${BENCH_SCRATCH:-$target/bench/backup} binaries=${BENCH_BIN:-}
results=${BENCH_RESULTS:-$target/bench/backup.json}
mkdir -p "$scratch" "$(dirname "$results")"
if [ -z "$binaries" ]; then
  cargo build --locked --release --bin kontor
  cargo build --locked --release -p kontor-bench --bins
  binaries=$target/release
fi
binaries=$(realpath "$binaries") scratch=$(realpath "$scratch")

# Debian's package, unpacked where it is not installed.
restic=$(command -v restic || true)
if [ -z "$restic" ] && command -v apt-get >/dev/null; then
  package=$(realpath "$(dirname "$results")")/restic
  if [ ! -x "$package/usr/bin/restic" ]; then
    mkdir -p "$package"
    (cd "$package" && apt-get download -qq restic && dpkg-deb -x restic_*.deb .) || true
  fi
  [ ! -x "$package/usr/bin/restic" ] || restic=$package/usr/bin/restic
fi

if [ ! -f "$scratch/address" ]; then
  "$binaries/kontor-bench" --kontor "$binaries/kontor" --scratch "$scratch" --date "$(date -u +%F)" --results "$scratch/fill.json" \
    --contacts "${CONTACTS:-1000000}" --accounts "${ACCOUNTS:-100000}" --verbs nothing --seconds 1 --connections 1
fi
arguments=()
[ -z "$document" ] || arguments+=(--document "$document")
[ -z "$restic" ] || arguments+=(--restic "$restic")
python3 benches/backup.py --kontor "$binaries/kontor" --bench "$binaries/kontor-bench" --store "$binaries/kontor-bench-store" --scratch "$scratch" \
  --date "$(date -u +%F)" --results "$results" --table "${results%.json}.md" --seconds "${SECONDS_EACH:-15}" "${arguments[@]}"
echo "bench-backup: results in $results${document:+, tables in $document}"
