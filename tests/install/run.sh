#!/usr/bin/env bash
# Installs for real: packages made from a built binary, on a Debian that boots in a container without any network, and in
# a root of rpm's own. The last line counts, in cargo's words.
#   tests/install/run.sh [BINARY]      BINARY: target/debug/kontor unless it is named
# Needs root (systemd-nspawn, chroot). Without it says `SKIPPED:`, and fails when CI is set.
set -uo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
source=${1:-$target/debug/kontor}
store=$target/install
mkdir -p "$store"
work=$(mktemp -d "$store/run.XXXXXX")
passed=0 failed=0
# shellcheck source=tests/support/debian.sh
. tests/support/debian.sh
# shellcheck source=tests/install/machine.sh
. tests/install/machine.sh
trap 'machine_off; rm -rf --one-file-system "$work"' EXIT

# check NAME COMMAND...: one result; what it printed is told when it failed.
check() {
  local name=$1; shift
  if "$@" >"$work/said" 2>&1; then
    passed=$((passed + 1)); echo "test $name ... ok"
  else
    failed=$((failed + 1)); echo "test $name ... FAILED"; sed 's/^/    /' "$work/said" | tail -25
  fi
}
finish() {
  echo "test result: $([ "$failed" -eq 0 ] && echo ok || echo FAILED). $passed passed; $failed failed"
  [ "$failed" -eq 0 ]; exit
}
skip() {
  echo "SKIPPED: $1"
  [ -z "${CI:-}" ] || { failed=$((failed + 1)); echo "test $1 ... FAILED (CI is set: nothing may be left out)"; }
}

for part in units packages debian rpm; do
  # shellcheck source=/dev/null
  . "tests/install/$part.sh"
done

check "the binary was built" test -x "$source"
strip -o "$work/kontor" "$source"
check_units
check_packages
if [ "$(id -u)" -ne 0 ]; then
  skip "the packages were not installed: a container needs root"
elif ! debian_made "$work"; then
  skip "the packages were not installed: no Debian could be fetched for the container"
else
  check_debian
  check_rpm
fi
finish
