#!/usr/bin/env bash
# The Ansible collection: its rules, and its playbooks over SSH against machines that boot in containers and reach no network
# but their own. The last line counts, in cargo's words.
#   tests/ansible/run.sh [PACKAGE] [PART...]     PACKAGE: a .deb, made from target/debug/kontor unless it is named
# Needs root (systemd-nspawn, a network namespace). Without it says `SKIPPED:`, and fails when CI is set.
set -uo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
store=$target/ansible
mkdir -p "$store"
passed=0 failed=0
# shellcheck source=tests/ansible/machines.sh
. tests/ansible/machines.sh
# shellcheck source=tests/ansible/tools.sh
. tests/ansible/tools.sh

# check NAME COMMAND...: one result; what it printed is told when it failed.
check() {
  local name=$1; shift
  if "$@" >"$work/said" 2>&1; then
    passed=$((passed + 1)); echo "test $name ... ok"
  else
    failed=$((failed + 1)); echo "test $name ... FAILED"; sed 's/^/    /' "$work/said" | tail -60
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

# First everything that is fetched; then the same script in a network namespace of its own, where nothing can be.
if [ -z "${KONTOR_PLAY_WORK:-}" ]; then
  work=$(mktemp -d "$store/run.XXXXXX")
  trap 'rm -rf --one-file-system "$work"' EXIT
  if ! tools_made; then
    skip "the collection was not looked at: ansible could not be fetched"; finish
  fi
  if [ "$(id -u)" -ne 0 ] || ! image_made || ! packages_fetched; then
    export KONTOR_PLAY_ALONE="no container: it needs root, and a Debian that can be fetched"
    KONTOR_PLAY_WORK=$work "$0" "$@"; exit
  fi
  KONTOR_PLAY_WORK=$work unshare --net "$0" "$@"; exit
fi

work=$KONTOR_PLAY_WORK
package=${1:-}
parts=("${@:2}")
[ ${#parts[@]} -gt 0 ] || parts=(rules one_node recovery)
trap 'machines_off; rm -rf "$sockets"' EXIT
sockets=
settings_made
[ -n "${KONTOR_PLAY_ALONE:-}" ] || { check "the machines have a network of their own" network_on; check "the package is made" package_made; }
for part in "${parts[@]}"; do
  # shellcheck source=/dev/null
  . "tests/ansible/$part.sh"
  if [ "$part" != rules ] && [ -n "${KONTOR_PLAY_ALONE:-}" ]; then skip "$part: $KONTOR_PLAY_ALONE"; continue; fi
  "check_$part"
done
finish
