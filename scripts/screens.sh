#!/usr/bin/env bash
# Makes the pictures of docs/screens anew, from a fresh demonstration of this checkout. A word makes only those with it in their name.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/ui.sh
scripts/ui.sh browser
cargo build --locked --profile quick --bin kontor --quiet
KONTOR_BIN=${CARGO_TARGET_DIR:-target}/quick/kontor node tests/browser/screens.mjs docs/screens "$@"
