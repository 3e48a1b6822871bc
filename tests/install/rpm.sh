# The .rpm with rpm's own tools in a root of its own: its scripts run in it, its database is its own. Sourced by run.sh.
# shellcheck shell=bash

# What a root of Debian cannot have is what its database of packages does not know: the dependencies are looked at apart.
in_root() { rpm --root "$rpm_root" --dbpath /var/lib/rpm --nodeps "$@"; }
there() { chroot "$rpm_root" "$@"; }

rpm_installs() {
  in_root --install "$rpm" && there getent passwd kontor | grep -q nologin &&
    [ "$(there stat -c '%a %U %G' /var/lib/kontor)" = "700 kontor kontor" ] && [ "$(there stat -c '%a %U %G' /etc/kontor)" = "750 root kontor" ] &&
    there kontor version && in_root --verify kontor
}
rpm_makes_appliance() {
  there sudo -u kontor kontor init --unseal key-file --admin anna && there sudo -u kontor kontor audit verify --level 4
}
rpm_upgrade_keeps() {
  echo '# edited by the site' >>"$rpm_root/etc/sysconfig/kontor"
  in_root --upgrade "$rpm_next" && grep -q 'edited by the site' "$rpm_root/etc/sysconfig/kontor" && there sudo -u kontor kontor user list | grep -q anna
}
rpm_goes_back() { in_root --upgrade --oldpackage "$rpm" && there sudo -u kontor kontor user list | grep -q anna; }
rpm_erase_keeps() {
  in_root --erase kontor && [ ! -e "$rpm_root/usr/bin/kontor" ] && [ -e "$rpm_root/var/lib/kontor/data/kontor.db" ] &&
    [ -e "$rpm_root/etc/sysconfig/kontor.rpmsave" ]
}
# Nothing but glibc, systemd and the tools for accounts.
rpm_asks_little() {
  rpm --query --package --requires "$rpm" 2>/dev/null | tee "$work/requires" |
    grep -vE '^(libc|libm|libgcc_s|ld-linux-x86-64|libpthread|libdl|librt)\.so|^rpmlib\(|^/bin/sh$|^config\(kontor\)|^systemd$|^shadow-utils$|^rtld' && return 1
  grep -q '^systemd$' "$work/requires"
}

check_rpm() {
  rpm_root=$work/rpm-root
  mkdir -p "$rpm_root"
  tar --extract --directory "$rpm_root" --file "$image"
  rm -f "$rpm_root/etc/resolv.conf"
  KONTOR_QUICK=1 KONTOR_KINDS=rpm packaging/build.sh "$work/kontor" "$work/rpm-next" 99.0.0 >/dev/null 2>&1
  rpm_next=$(echo "$work"/rpm-next/*.rpm)
  check "the .rpm asks for little" rpm_asks_little
  check "the .rpm installs, and verifies" rpm_installs
  check "an appliance is made from the .rpm" rpm_makes_appliance
  check "an upgrade of the .rpm keeps data and edits" rpm_upgrade_keeps
  check "the .rpm goes back to the version before" rpm_goes_back
  check "erased, data and edits stay" rpm_erase_keeps
}
