#!/usr/bin/env bash
# What 10, 50 and 200 people at work take of the machine, what the server takes at rest, and how long a restart is, with the release
# build, into docs/BENCHMARKS.md. Quiet machine; three minutes once the folder BENCH_SCRATCH is filled.
# BENCH_BIN=FOLDER uses the binaries kontor and kontor-bench that lie there. Smaller: CONTACTS=20000 ACCOUNTS=2000 SECONDS_EACH=5.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target} document=${BENCH_DOCUMENT-docs/BENCHMARKS.md}
scratch=${BENCH_SCRATCH:-$target/bench/sizing} binaries=${BENCH_BIN:-}
results=${BENCH_RESULTS:-$target/bench/sizing.json}
mkdir -p "$scratch" "$(dirname "$results")"
if [ -z "$binaries" ]; then
  cargo build --locked --release --bin kontor
  cargo build --locked --release -p kontor-bench --bins
  binaries=$target/release
fi
bench() {
  "$binaries/kontor-bench" --kontor "$binaries/kontor" --scratch "$scratch" --date "$(date -u +%F)" "$@"
}
if [ ! -f "$scratch/address" ]; then
  bench --results "$scratch/fill.json" --contacts "${CONTACTS:-1000000}" --accounts "${ACCOUNTS:-100000}" --verbs nothing --seconds 1 --connections 1
fi
arguments=()
[ -z "$document" ] || arguments+=(--document "$document")
bench --results "$results" --sizing "${PEOPLE:-10,50,200}" --seconds "${SECONDS_EACH:-30}" "${arguments[@]}"
echo "bench-sizing: results in $results${document:+, tables in $document}"
