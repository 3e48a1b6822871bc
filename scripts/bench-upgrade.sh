#!/usr/bin/env bash
# How long an upgrade of a million records takes, there and back, into docs/BENCHMARKS.md. Quiet machine; some five minutes once the
# folder BENCH_SCRATCH is filled, which is that of bench-sizing. BENCH_BIN=FOLDER uses the binaries kontor and kontor-bench that lie
# there; kontor must have been built as below. Smaller: CONTACTS=20000 ACCOUNTS=2000.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target} document=${BENCH_DOCUMENT-docs/BENCHMARKS.md}
scratch=${BENCH_SCRATCH:-$target/bench/sizing} binaries=${BENCH_BIN:-}
results=${BENCH_RESULTS:-$target/bench/upgrade.json}
contacts=${CONTACTS:-1000000}
mkdir -p "$scratch" "$(dirname "$results")"
if [ -z "$binaries" ]; then
  # The libraries as in a release; only these three know of steps and keys for trials, and they only where debug assertions are on.
  trial=()
  for crate in kontor store upgrade; do trial+=(--config "profile.release.package.$crate.debug-assertions=true"); done
  cargo build --locked --release --bin kontor "${trial[@]}"
  cargo build --locked --release -p kontor-bench --bins
  binaries=$target/release
fi
if [ ! -f "$scratch/address" ]; then
  "$binaries/kontor-bench" --kontor "$binaries/kontor" --scratch "$scratch" --date "$(date -u +%F)" --results "$scratch/fill.json" \
    --contacts "$contacts" --accounts "${ACCOUNTS:-100000}" --verbs nothing --seconds 1 --connections 1
fi
arguments=()
[ -z "$document" ] || arguments+=(--document "$document")
python3 benches/upgrade.py --kontor "$binaries/kontor" --scratch "$scratch" --date "$(date -u +%F)" --results "$results" \
  --records "$contacts" "${arguments[@]}"
echo "bench-upgrade: results in $results${document:+, tables in $document}"
