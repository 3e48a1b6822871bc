#!/usr/bin/env bash
# The Ansible collection: built, installed off-line and looked at, and its playbooks over SSH against machines that boot in
# containers and reach no network but their own. The last line counts, in cargo's words.
#   tests/ansible/run.sh [PACKAGE] [PART...]     PACKAGE: a .deb, made from target/debug/kontor unless it is named
# Needs root (systemd-nspawn, a network namespace). Without it says `SKIPPED:`, and fails when CI is set.
set -uo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
store=$target/ansible
mkdir -p "$store"
passed=0 failed=0 line=all
for part in support/debian ansible/machines ansible/tools; do
  # shellcheck source=/dev/null
  . "tests/$part.sh"
done

# check NAME COMMAND...: one result; what it printed is told when it failed.
check() {
  local name=$1; shift
  if "$@" >"$work/said-$line" 2>&1; then
    passed=$((passed + 1)); echo "test $name ... ok"
  else
    failed=$((failed + 1)); printf '%s\n' "test $name ... FAILED" "$(tail -60 "$work/said-$line" | sed 's/^/    /')"
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
  if [ "$(id -u)" -ne 0 ] || ! debian_made "$work" || ! packages_fetched; then
    export KONTOR_PLAY_ALONE="no container: it needs root, and a Debian that can be fetched"
    KONTOR_PLAY_WORK=$work "$0" "$@"; exit
  fi
  KONTOR_PLAY_WORK=$work unshare --net "$0" "$@"; exit
fi

work=$KONTOR_PLAY_WORK
package=${1:-}
# Lines run beside each other, the parts of a line one after the other: they are on the same machines.
lines=("rules" "one_node monitoring recovery upgrade" "several_nodes")
[ $# -le 1 ] || lines=("${*:2}")
running=()
trap 'for pid in "${running[@]}"; do kill "$pid" 2>/dev/null; done; wait; rm -rf "$sockets"' EXIT
sockets=
settings_made
check "the collection is built, and installed without a network" collection_made
if [ -z "${KONTOR_PLAY_ALONE:-}" ] && [ "${lines[*]}" != rules ]; then
  debian_made "$work"
  check "the machines have a network of their own" network_on
  check "the package is made" package_made
  check "a bundle of the next version is made and signed" bundle_made
fi

# run_line PARTS: counts in a file of its own.
run_line() {
  local part
  line=${1// /-} passed=0 failed=0
  trap 'machines_off; echo "$passed $failed" >"$work/counted-$line"' EXIT
  for part in $1; do
    # shellcheck source=/dev/null
    . "tests/ansible/$part.sh"
    if [ "$part" != rules ] && [ -n "${KONTOR_PLAY_ALONE:-}" ]; then skip "$part: $KONTOR_PLAY_ALONE"; continue; fi
    "check_$part"
  done
}
for parts in "${lines[@]}"; do
  (run_line "$parts") &
  running+=($!)
done
wait
for parts in "${lines[@]}"; do
  read -r good bad <"$work/counted-${parts// /-}" || bad=1
  passed=$((passed + ${good:-0})) failed=$((failed + bad))
done
running=()
finish
