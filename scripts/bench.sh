#!/usr/bin/env bash
# Measures the release build and writes docs/BENCHMARKS.md and the results beside it. Takes an hour at a million contacts.
# Quiet machine, nothing else running. Smaller: CONTACTS=20000 ACCOUNTS=2000 SECONDS_EACH=2 make bench
# BENCH_POSTGRES=1 measures PostgreSQL instead, on a server of its own with its durability switched on.
set -euo pipefail
cd "$(dirname "$0")/.."

contacts=${CONTACTS:-1000000} accounts=${ACCOUNTS:-100000} seconds=${SECONDS_EACH:-8} connections=${CONNECTIONS:-1,16,64}
profile=${BENCH_PROFILE:-release} document=${BENCH_DOCUMENT-docs/BENCHMARKS.md}
target=${CARGO_TARGET_DIR:-target} kept=${CARGO_TARGET_DIR:-target}/bench
engine=sqlite
[ -z "${BENCH_POSTGRES:-}" ] || engine=postgres
results=${BENCH_RESULTS:-$kept/$engine.json}
mkdir -p "$kept"

# The same sources twice. Only this script builds the variant without the log, and it never leaves this folder.
cargo build --locked --profile "$profile" --bin kontor --features bench-without-audit
cp "$target/$profile/kontor" "$kept/kontor-without-audit"
cargo build --locked --profile "$profile" --bin kontor
cp "$target/$profile/kontor" "$kept/kontor"
cargo build --locked --profile "$profile" -p kontor-bench

scratch=$(mktemp -d "${BENCH_SCRATCH:-${TMPDIR:-/tmp}}/kontor-bench.XXXXXX")
cleanup() {
  [ "$engine" = sqlite ] || tests/support/postgres.sh stop "$scratch-postgres" >/dev/null 2>&1 || true
  rm -rf "$scratch" "$scratch-postgres"
}
trap cleanup EXIT

arguments=()
if [ "$engine" = postgres ]; then
  # The tests' server saves itself every sync; here a commit must be on disk, and the server gets the memory of a real one.
  url=$(tests/support/postgres.sh start "$scratch-postgres")
  export PGSSLROOTCERT=$scratch-postgres/ca.pem
  for setting in "fsync = on" "full_page_writes = on" "synchronous_commit = on" "max_wal_size = '4GB'" "autovacuum_naptime = '1min'"; do
    psql "$url" -Xqc "ALTER SYSTEM SET $setting"
  done
  # A quarter and half of the machine's memory, as every guide to PostgreSQL begins; the former needs a restart.
  memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  psql "$url" -Xqc "ALTER SYSTEM SET shared_buffers = '$((memory / 4))MB'" -c "ALTER SYSTEM SET effective_cache_size = '$((memory / 2))MB'"
  tests/support/postgres.sh down "$scratch-postgres"
  tests/support/postgres.sh up "$scratch-postgres"
  for name in fsync full_page_writes synchronous_commit; do
    [ "$(psql "$url" -XAtc "SHOW $name")" = on ] || { echo "bench: $name is not on" >&2; exit 1; }
  done
  echo "bench: PostgreSQL has $(psql "$url" -XAtc "SHOW shared_buffers") of shared buffers"
  (umask 077 && printf '%s\n' "$url" >"$scratch/database-url")
  arguments+=(--database-url-file "$scratch/database-url" --database-ca-file "$scratch-postgres/ca.pem")
fi
[ -z "$document" ] || arguments+=(--document "$document")

"$target/$profile/kontor-bench" --kontor "$kept/kontor" --kontor-without-audit "$kept/kontor-without-audit" \
  --scratch "$scratch" --date "$(date -u +%F)" --results "$results" --contacts "$contacts" --accounts "$accounts" \
  --seconds "$seconds" --connections "$connections" "${arguments[@]}"
echo "bench: results in $results${document:+, tables in $document}"
