#!/usr/bin/env bash
# Format, lints, dependency rules. Fails at the first that is not met.
# cargo-deny also knows published advisories; what of deny.toml needs no advisory list is a test of its own (tests/tidy).
set -euo pipefail
cd "$(dirname "$0")/.."

echo "check: format"
cargo fmt --all --check
echo "check: web interface"
scripts/ui.sh check
echo "check: lints"
cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
if cargo deny --version >/dev/null 2>&1; then
  echo "check: dependencies"
  cargo deny --log-level error check
else
  echo "SKIPPED: cargo deny is not installed: nobody looked for published advisories."
  echo "         Licences, sources, exact versions and duplicates are checked by the test tests/tidy in make test."
fi
