#!/usr/bin/env bash
# `make package`: the release of this commit, as .deb, .rpm and archive with their hashes.
#   packaging/package.sh          makes it, below target/package
#   packaging/package.sh twice    builds the commit in two fresh folders and compares what came out
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")

once() {
  local out=$target/package binary
  [ -z "$(git status --porcelain)" ] || echo "package: this tree differs from its commit; what is made is of no release" >&2
  [ -n "${KONTOR_RELEASE_KEYS:-}" ] || echo "package: KONTOR_RELEASE_KEYS names no key set: this program will trust no bundle" >&2
  rm -rf "$out" && mkdir -p "$out"
  scripts/ui.sh
  packaging/papers.py "$out/papers"
  binary=$(packaging/portable.sh)
  packaging/interface.sh "$binary"
  packaging/symbols.sh "$binary" 2.28
  KONTOR_PAPERS="$out/papers" packaging/build.sh "$binary" "$out" >/dev/null
  (cd "$out" && sha256sum -- *.deb *.rpm *.tar.zst | tee SHA256SUMS && ls -l -- *.deb *.rpm *.tar.zst)
}

# Folders of different lengths: a path that is in the binary would show.
twice() {
  local place sums=()
  for place in "$target/twice/a" "$target/twice/another-folder"; do
    rm -rf "$place" && git clone --quiet . "$place"
    (cd "$place" && scripts/ui.sh check && CARGO_TARGET_DIR=$place/target packaging/package.sh)
    sums+=("$(cut -d' ' -f1 "$place/target/package/SHA256SUMS")")
  done
  if [ "${sums[0]}" != "${sums[1]}" ]; then
    echo "package: two builds of one commit differ; compare the folders below $target/twice" >&2
    return 1
  fi
  echo "package: both builds have the same bytes"
}

case ${1:-once} in
  once) once ;;
  twice) twice ;;
  *) echo "usage: packaging/package.sh [twice]" >&2; exit 2 ;;
esac
