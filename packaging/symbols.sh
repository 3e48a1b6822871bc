#!/usr/bin/env bash
# Whether a binary runs with this version of glibc and brings the list of what is in it. Tells every finding.
#   packaging/symbols.sh BINARY 2.28
set -euo pipefail
binary=$1 most=$2 bad=0

newer=$(objdump -T "$binary" | grep -oE 'GLIBC_[0-9]+(\.[0-9]+)+' | sed 's/GLIBC_//' | sort -Vu |
  while read -r wanted; do [ "$(printf '%s\n%s\n' "$wanted" "$most" | sort -V | tail -1)" = "$most" ] || echo "$wanted"; done | xargs)
[ -z "$newer" ] || { echo "wants symbols of glibc $newer, newer than $most"; bad=1; }
for library in $(readelf -d "$binary" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'); do
  case $library in
    libc.so.6 | libm.so.6 | libpthread.so.0 | libdl.so.2 | librt.so.1 | libutil.so.1 | ld-linux-x86-64.so.2) ;;
    *) echo "wants the library $library, which a system need not have"; bad=1 ;;
  esac
done
readelf -S --wide "$binary" | grep -q '\.dep-v0' || { echo "does not name what it is made of (no section .dep-v0)"; bad=1; }
! readelf -S --wide "$binary" | grep -q '\.debug_info' || { echo "is not stripped"; bad=1; }
exit $bad
