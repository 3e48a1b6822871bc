#!/usr/bin/env bash
# Builds the web interface into src/ui/dist/site, from where the binary takes it. Does nothing when no input has changed.
#   scripts/ui.sh           build
#   scripts/ui.sh check     types, lints and unit tests as well
#   scripts/ui.sh browser   what the tests in the browser need
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-build}
sum() { sha256sum | cut -d' ' -f1; }

# install FOLDER: the packages of its lock file, exactly, without running scripts of theirs.
install() {
  local wanted; wanted=$(sum <"$1/package-lock.json")
  [ "$(cat "$1/node_modules/.kontor" 2>/dev/null)" != "$wanted" ] || return 0
  echo "ui: installing the packages of $1"
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
  echo "$wanted" >"$1/node_modules/.kontor"
}

inputs() {
  find src/ui/app src/ui/scripts src/ui/public -type f 2>/dev/null | LC_ALL=C sort
  printf '%s\n' src/ui/index.html src/ui/vite.config.ts src/ui/tsconfig.json src/ui/package-lock.json
}

build() {
  local wanted
  wanted=$(inputs | while IFS= read -r file; do printf '%s ' "$file"; sum <"$file"; done | sum)
  [ "$(cat src/ui/dist/.stamp 2>/dev/null)" != "$wanted" ] || return 0
  install src/ui
  echo "ui: building the web interface"
  (cd src/ui && npm run --silent build -- --logLevel warn && npm run --silent size | tail -1)
  echo "$wanted" >src/ui/dist/.stamp
}

case $what in
  build) build ;;
  check) install src/ui; (cd src/ui && npm run --silent check && npm run --silent test) ;;
  browser) install tests/browser ;;
  *) echo "usage: scripts/ui.sh [build|check|browser]" >&2; exit 2 ;;
esac
