# The packages as files: the same bytes each time, and what the distributions' own critics say. Sourced by run.sh.
# shellcheck shell=bash

same_bytes() {
  KONTOR_QUICK=1 packaging/build.sh "$work/kontor" "$work/again" >/dev/null &&
    (cd "$work/first" && sha256sum -- *) >"$work/sums" && (cd "$work/again" && sha256sum --check "$work/sums")
}
lintian_silent() { local said; said=$(lintian --fail-on error "$1") && [ -z "$said" ] || { echo "$said"; return 1; }; }
rpmlint_silent() { rpmlint -c packaging/rpm/rpmlint.toml "$1" | tee "$work/rpmlint" && grep -q '0 errors, 0 warnings' "$work/rpmlint"; }
# A package of a pre-release is older than that of the release, by the distributions' own comparison.
pre_release_older() {
  KONTOR_QUICK=1 KONTOR_KINDS="deb rpm" packaging/build.sh "$work/kontor" "$work/pre-release" 99.0.0-rc1 >/dev/null &&
    dpkg --compare-versions "$(dpkg-deb -f "$work"/pre-release/*.deb Version)" lt 99.0.0-1 &&
    [ "$(rpm --eval "%{lua: print(rpm.vercmp('$(rpm -qp --qf '%{VERSION}' "$work"/pre-release/*.rpm)', '99.0.0'))}")" = -1 ]
}
# The debug binary wants more than a release may: the check must see that.
symbols_seen() { ! packaging/symbols.sh "$work/kontor" 2.28 | tee "$work/symbols" && grep -q 'newer than 2.28' "$work/symbols"; }
# One page per verb, with a name that the reader of manuals finds.
pages_complete() {
  local verb
  dpkg-deb -c "$deb" >"$work/content"
  for verb in kontor kontor-init kontor-serve kontor-backup-run kontor-audit-verify; do
    grep -q "man1/$verb.1.gz$" "$work/content" || { echo "no page $verb"; return 1; }
  done
}
papers_written() {
  packaging/papers.py "$work/papers" && jq -e '.bomFormat == "CycloneDX" and (.components | length > 300)' "$work/papers/sbom.cdx.json" &&
    jq -e '[.components[].purl] | any(startswith("pkg:npm/react@")) and any(startswith("pkg:cargo/rustls@"))' "$work/papers/sbom.cdx.json" &&
    grep -q 'Permission is hereby granted' "$work/papers/THIRD-PARTY.txt"
}

check_packages() {
  local release=$target/portable/x86_64-unknown-linux-gnu/release/kontor
  check "what is in it is told: parts, licences, advisories" papers_written
  check "the web interface is in the binary" packaging/interface.sh "$work/kontor"
  check "the packages are made" env KONTOR_QUICK=1 KONTOR_PAPERS="$work/papers" packaging/build.sh "$work/kontor" "$work/first"
  deb=$(echo "$work"/first/*.deb) rpm=$(echo "$work"/first/*.rpm)
  KONTOR_PAPERS="$work/papers" check "packages made twice have the same bytes" same_bytes
  check "a pre-release is older than its release" pre_release_older
  check "lintian finds nothing in the .deb" lintian_silent "$deb"
  check "rpmlint finds nothing in the .rpm" rpmlint_silent "$rpm"
  check "every verb has its manual page" pages_complete
  check "a binary that wants a newer glibc is told" symbols_seen
  # Where `make package` has been run, what it made is looked at too.
  [ ! -x "$release" ] || check "the release wants no glibc newer than 2.28" packaging/symbols.sh "$release" 2.28
}
