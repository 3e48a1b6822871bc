#!/usr/bin/env bash
# All that must be green, one stage after the other, none left out when an earlier one fails.
# The last line is `N passed, N failed` over all tests; a stage that fails without a failed test counts as one.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0 skipped=()
log=$(mktemp) cluster=$(mktemp -d)
trap 'tests/support/postgres.sh stop "$cluster" >/dev/null 2>&1; rm -rf "$log" "$cluster"' EXIT

# stage NAME COMMAND...: runs it, adds up the results it prints, and makes sure that a bad end is counted.
stage() {
  local name=$1 ok bad status; shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  # `cargo test` prints one result line per binary, nextest one summary; timed out and aborted tests are not passed.
  read -r ok bad < <(sed -E 's/\x1b\[[0-9;]*m//g' "$log" | awk '
    /^test result:/ { ok += $4; bad += $6 }
    /^ *Summary \[/ {
      for (i = 1; i < NF; i++) {
        if ($(i + 1) ~ /^tests?$/ && $(i + 2) ~ /^run/) { split($i, n, "/"); run = n[length(n) > 1 ? 2 : 1] }
        if ($(i + 1) ~ /^passed/) good = $i
      }
      ok += good; bad += run - good
    }
    END { print ok + 0, bad + 0 }')
  passed=$((passed + ok)) failed=$((failed + bad))
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
    echo "FAILED: $name"
    failed=$((failed + 1))
  fi
  while IFS= read -r line; do skipped+=("$line"); done < <(grep -hoE 'SKIPPED: .*' "$log" | sort -u)
}

no_test_ran() { echo "no test ran"; return 1; }

stage "web interface" scripts/ui.sh
stage "format, lints, dependencies" scripts/check.sh

# Built before PostgreSQL starts: it ends itself when nobody comes for long, and a cold build is long.
stage "build of the tests" cargo test --locked --workspace --bins --lib --tests --no-run --quiet

# One PostgreSQL for the whole run: the tests make a database each. Without it they would start their own.
if KONTOR_TEST_POSTGRES_URL=$(tests/support/postgres.sh start "$cluster"); then
  export KONTOR_TEST_POSTGRES_URL KONTOR_TEST_POSTGRES_CA="$cluster/ca.pem"
else
  echo "FAILED: PostgreSQL did not start"; failed=$((failed + 1))
fi

before=$passed
if cargo nextest --version >/dev/null 2>&1; then
  # Its report (.config/nextest.toml) also keeps what passing tests printed: one that could not look at its data says so.
  junit=target/nextest/default/junit.xml
  rm -f "$junit"
  stage "tests" cargo nextest run --locked --workspace --no-fail-fast
  while IFS= read -r line; do skipped+=("$line"); done < <(grep -hoE 'SKIPPED: [^<]*' "$junit" 2>/dev/null | sort -u)
else
  stage "tests" cargo test --locked --workspace --bins --lib --tests --no-fail-fast -- --show-output
fi
[ "$passed" -gt "$before" ] || stage "tests, counted" no_test_ran
stage "journeys in the browser" tests/browser/run.sh
stage "packages, installed" tests/install/run.sh
stage "Ansible collection, played" tests/ansible/run.sh
stage "examples in the documentation" cargo test --locked --doc --workspace --no-fail-fast

echo
[ ${#skipped[@]} -eq 0 ] || printf '%s\n' "${skipped[@]}" | sort -u
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
