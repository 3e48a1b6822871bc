#!/usr/bin/env bash
# Whether the web interface is in a binary: the build takes it along when it is there, and says nothing when it is not.
#   packaging/interface.sh BINARY
set -euo pipefail
cd "$(dirname "$0")/.."

script=$(cd src/ui/dist/site && find assets -name 'index-*.js' | sort | head -1)
if [ -z "$script" ] || ! grep -aqF "$script" "$1"; then
  echo "interface: $1 has no web interface, or another than src/ui/dist/site" >&2
  exit 1
fi
