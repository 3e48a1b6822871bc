#!/usr/bin/env bash
# The release binary: stripped, auditable, for any Linux with glibc 2.28 or newer, the same bytes wherever it is built.
#   packaging/portable.sh      builds it and prints its path
# cargo and several macros put where things lie into their hashes, so all of it lies at one place while it is built: below /mnt, in mounts
# that only this build sees. As root or as anybody else whom the kernel lets have namespaces of their own.
set -euo pipefail
cd "$(dirname "$0")/.."

place=/mnt/kontor
triple=x86_64-unknown-linux-gnu

# In the namespace: $1 the source, $2 the target, $3 cargo's home, $4 the toolchain, $5 the folder of tools.
build() {
  mount -t tmpfs -o mode=755 tmpfs /mnt
  mkdir -p "$place"/{source,target,cargo,rust,tools,zig}
  mount --rbind "$1" "$place/source"
  mount --rbind "$2" "$place/target"
  mount --rbind "$3" "$place/cargo"
  mount --rbind "$4" "$place/rust"
  mount --rbind "$5" "$place/tools"
  # The linker itself; the folder that the interpreter of this machine has it in is named after the interpreter.
  mount --rbind "$5"/lib/python3*/site-packages/ziglang "$place/zig"
  cd "$place/source"

  local flags map fetched tools=$place/tools
  export CARGO_HOME=$place/cargo CARGO_TARGET_DIR=$place/target CARGO_INCREMENTAL=0 PATH="$tools/bin:$place/rust/bin:$PATH"
  # The cache must not be that of another build.
  export CARGO_ZIGBUILD_ZIG_PATH="$place/zig/zig" ZIG_GLOBAL_CACHE_DIR="$tools/cache" ZIG_LOCAL_CACHE_DIR="$tools/cache" CARGO_ZIGBUILD_CACHE_DIR="$tools/cache"
  # Names that say what something is; a crate's says nothing of the registry it was fetched from.
  map=("$place/target=/build" "$place/source=/kontor" "$place/rust=/rust" "$place/zig=/zig")
  for fetched in "$place"/cargo/registry/src/*/; do map+=("${fetched%/}=/crates"); done
  flags=("${map[@]/#/--remap-path-prefix=}")
  CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; echo "${flags[*]}")
  export CARGO_ENCODED_RUSTFLAGS CFLAGS="${map[*]/#/-ffile-prefix-map=}"
  cargo auditable zigbuild --locked --offline --release --bin kontor --target "$triple.2.28"
}

# What is mounted here must not stay: only in a namespace of its own.
if [ "${1:-}" = --placed ]; then
  [ "$(readlink /proc/self/ns/mnt)" != "$2" ] || { echo "portable: --placed is for this script itself" >&2; exit 2; }
  shift 2
  build "$@" >&2
  exit
fi

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
toolchain=$(realpath "$(rustc --print sysroot)")
cargo_home=$(realpath "${CARGO_HOME:-$HOME/.cargo}")
source=$(realpath .)
for folder in "$source" "$target" "$cargo_home" "$toolchain"; do
  case $folder in /mnt/*) echo "portable: $folder would be hidden by the mounts of this build; move it from /mnt" >&2; exit 1 ;; esac
done
tools=$(packaging/tools.sh)
mkdir -p "$target/portable"
cargo fetch --quiet --locked --target "$triple" >&2
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
spaces=(--mount --propagation private)
[ "$(id -u)" = 0 ] || spaces+=(--user --map-root-user)
if ! unshare "${spaces[@]}" mount -t tmpfs tmpfs /mnt 2>/dev/null; then
  echo "portable: this account may not mount: build as root with CAP_SYS_ADMIN, or let users have namespaces (kernel.unprivileged_userns_clone," \
    "kernel.apparmor_restrict_unprivileged_userns)" >&2
  exit 1
fi
unshare "${spaces[@]}" packaging/portable.sh --placed "$(readlink /proc/self/ns/mnt)" "$source" "$target/portable" "$cargo_home" "$toolchain" "$tools"
echo "$target/portable/$triple/release/kontor"
