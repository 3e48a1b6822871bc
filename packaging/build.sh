#!/usr/bin/env bash
# Makes the packages of a binary: .deb, .rpm and an archive, the same bytes each time.
#   packaging/build.sh BINARY FOLDER [VERSION]
# KONTOR_PAPERS=FOLDER adds SBOM, licences and advisories; KONTOR_QUICK=1 packs fast and large (tests); KONTOR_KINDS="deb rpm tar".
set -euo pipefail
cd "$(dirname "$0")/.."

binary=$(realpath "$1") out=$2
version=${3:-$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)}
# A pre-release sorts before its release; a hyphen would begin the packager's revision.
packaged=${version//-/\~}
kinds=${KONTOR_KINDS:-deb rpm tar}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export LC_ALL=C TZ=UTC
umask 022

mkdir -p "$out"
out=$(realpath "$out")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
date_rfc=$(date -u -R -d "@$SOURCE_DATE_EPOCH")

tree() { packaging/tree.sh "$binary" "$work/$1" "$1" "${KONTOR_PAPERS:-}"; }
# Nothing is younger than the commit.
settle() { find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +; }

# The lowest glibc that has every symbol the binary wants.
glibc() { objdump -T "$binary" | grep -oE 'GLIBC_[0-9]+(\.[0-9]+)+' | sed 's/GLIBC_//' | sort -Vu | tail -1; }

package_deb() {
  local root=$work/deb depends
  tree deb
  depends="libc6 (>= $(glibc))"
  ! readelf -d "$binary" | grep -q 'libgcc_s' || depends+=", libgcc-s1 | libgcc1"
  install -d -m 755 "$root/DEBIAN"
  sed "s/@VERSION@/$packaged/; s/@DATE@/$date_rfc/" packaging/deb/changelog | gzip -9n >"$root/usr/share/doc/kontor/changelog.Debian.gz"
  install -m 644 packaging/deb/copyright "$root/usr/share/doc/kontor/copyright"
  install -D -m 644 packaging/deb/lintian-overrides "$root/usr/share/lintian/overrides/kontor"
  for script in config postinst prerm postrm; do install -m 755 "packaging/deb/$script" "$root/DEBIAN/$script"; done
  for file in templates conffiles; do install -m 644 "packaging/deb/$file" "$root/DEBIAN/$file"; done
  (cd "$root" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  chmod 644 "$root/DEBIAN/md5sums"
  sed "s/@VERSION@/$packaged/; s/@DEPENDS@/$depends/; s/@SIZE@/$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)/" \
    packaging/deb/control >"$root/DEBIAN/control"
  chmod 644 "$root/DEBIAN/control"
  settle "$root"
  local pack=(-Zxz -z9)
  [ -z "${KONTOR_QUICK:-}" ] || pack=(-Zgzip -z1)
  dpkg-deb --root-owner-group "${pack[@]}" --build "$root" "$out/kontor_${packaged}-1_amd64.deb" >/dev/null
  echo "$out/kontor_${packaged}-1_amd64.deb"
}

package_rpm() {
  local root=$work/rpm pack=w19.zstdio
  tree rpm
  settle "$root"
  [ -z "${KONTOR_QUICK:-}" ] || pack=w1.gzdio
  install -d "$work/rpmbuild"
  (cd "$root" && find usr -type f | sort | sed -e 's,^,/,' -e 's,^/usr/share/doc/,%doc &,') >"$work/files"
  rpmbuild -bb --quiet --target x86_64-linux --define "_topdir $work/rpmbuild" --define "_rpmdir $out" --define "_dbpath $work/rpmdb" \
    --define "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm" --define "kontor_version $packaged" \
    --define "kontor_tree $root" --define "kontor_files $work/files" --define "_binary_payload $pack" \
    --define "kontor_date $(date -u -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')" packaging/rpm/kontor.spec >&2
  echo "$out/kontor-$packaged-1.x86_64.rpm"
}

# For systems with neither: unpacked at the root, see docs/admin/install.md.
package_tar() {
  local root=$work/tar level=-19
  tree tar
  install -D -m 644 LICENSE "$root/usr/share/doc/kontor/LICENSE"
  settle "$root"
  [ -z "${KONTOR_QUICK:-}" ] || level=-1
  tar --create --directory "$root" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu etc usr |
    zstd -q "$level" -T1 >"$out/kontor-$version-x86_64.tar.zst"
  echo "$out/kontor-$version-x86_64.tar.zst"
}

for kind in $kinds; do "package_$kind"; done
