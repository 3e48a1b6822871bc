#!/usr/bin/env bash
# The release binary: stripped, auditable, for any Linux with glibc 2.28 or newer, the same bytes wherever it is built.
#   packaging/portable.sh      builds it and prints its path
set -euo pipefail
cd "$(dirname "$0")/.."

here=$PWD
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$(packaging/tools.sh)
export PATH="$tools/bin:$PATH" CARGO_TARGET_DIR="$target/portable" CARGO_INCREMENTAL=0
# zig asks the interpreter beside it; its cache must not be that of another build.
export CARGO_ZIGBUILD_ZIG_PATH="$tools/bin/python-zig" ZIG_GLOBAL_CACHE_DIR="$tools/cache" ZIG_LOCAL_CACHE_DIR="$tools/cache"

# Where things lie must not show: neither in the binary's own paths nor in those of the C libraries within.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
rustup_home=$(rustc --print sysroot)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
flags=("--remap-path-prefix=$CARGO_TARGET_DIR=/build" "--remap-path-prefix=$here=/kontor" \
  "--remap-path-prefix=$cargo_home=/cargo" "--remap-path-prefix=$rustup_home=/rust")
export CARGO_ENCODED_RUSTFLAGS; CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; echo "${flags[*]}")
export CFLAGS="-ffile-prefix-map=$CARGO_TARGET_DIR=/build -ffile-prefix-map=$here=/kontor -ffile-prefix-map=$cargo_home=/cargo"

cargo auditable zigbuild --locked --release --bin kontor --target x86_64-unknown-linux-gnu.2.28 >&2
echo "$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release/kontor"
