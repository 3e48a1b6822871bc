#!/usr/bin/env bash
# Journeys in Chromium against the real binary with its sample data.
set -euo pipefail
cd "$(dirname "$0")/../.."
# Without a locale of UTF-8 the browser saves a file with a Chinese name as "download".
export LC_ALL=C.UTF-8
scripts/ui.sh
scripts/ui.sh browser
cargo build --locked --profile quick --bin kontor --quiet
KONTOR_BIN=${CARGO_TARGET_DIR:-target}/quick/kontor node tests/browser/run.mjs "$@"
