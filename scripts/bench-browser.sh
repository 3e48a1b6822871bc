#!/usr/bin/env bash
# Figures of the web interface: Lighthouse, a list of a million records, scrolling. Writes them into docs/BENCHMARKS.md.
# Quiet machine, nothing else running; half an hour, of which most fills the appliance. Smaller: CONTACTS=20000 ACCOUNTS=2000
# BENCH_SCRATCH names a folder that is kept, so that a second run finds it filled.
set -euo pipefail
cd "$(dirname "$0")/.."

contacts=${CONTACTS:-1000000} accounts=${ACCOUNTS:-100000} profile=${BENCH_PROFILE:-release}
target=${CARGO_TARGET_DIR:-target}
kontor=${KONTOR_BIN:-$target/$profile/kontor} bench=${KONTOR_BENCH_BIN:-$target/$profile/kontor-bench}

scripts/ui.sh
(cd benches/browser && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
[ -n "${KONTOR_BIN:-}" ] || cargo build --locked --profile "$profile" --bin kontor
[ -n "${KONTOR_BENCH_BIN:-}" ] || cargo build --locked --profile "$profile" -p kontor-bench

scratch=${BENCH_SCRATCH:-}
if [ -z "$scratch" ]; then
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/kontor-browser-bench.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
fi
today=$(date -u +%F)
if [ ! -e "$scratch/fill.json" ]; then
  "$bench" --kontor "$kontor" --scratch "$scratch" --date "$today" --contacts "$contacts" --accounts "$accounts" \
    --seconds 1 --verbs open --connections 1 --results "$scratch/fill.json"
fi
node benches/browser/measure.mjs --kontor "$kontor" --filled "$scratch" --date "$today" --document docs/BENCHMARKS.md "$@"
