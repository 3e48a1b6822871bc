#!/usr/bin/env bash
# The tools of the portable build, pinned, in a folder of the target; prints that folder. Installs nothing on the machine.
#   packaging/tools.sh      prints FOLDER: FOLDER/bin has cargo-zigbuild and cargo-auditable
set -euo pipefail
cd "$(dirname "$0")/.."

auditable=0.7.7
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
folder=$target/package-tools
wanted="$(sha256sum <packaging/requirements.txt) $auditable"

if [ "$(cat "$folder/.stamp" 2>/dev/null)" != "$wanted" ]; then
  {
    rm -rf "$folder"
    echo "tools: fetching the cross linker"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps -r packaging/requirements.txt
    echo "tools: building cargo-auditable $auditable"
    cargo install --quiet --locked --version "=$auditable" --root "$folder" --target-dir "$folder/build" cargo-auditable
    rm -rf "$folder/build"
    echo "$wanted" >"$folder/.stamp"
  } >&2
fi
echo "$folder"
