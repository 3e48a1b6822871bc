# The units of systemd/: what `systemd-analyze` says of them. Sourced by run.sh.
# shellcheck shell=bash

# exposure ROOT: the number that systemd-analyze gives to kontor.service below ROOT.
exposure() {
  systemd-analyze security --offline=true --no-pager --root="$1" kontor.service | sed -n 's/.*exposure level for kontor.service: \([0-9.]*\).*/\1/p'
}
# exposed_at_most ROOT MOST
exposed_at_most() {
  local found; found=$(exposure "$1")
  echo "exposure: ${found:-none}, at most $2"
  awk -v found="${found:-99}" -v most="$2" 'BEGIN { exit !(found <= most) }'
}
# verify ROOT: no unknown key, no unit that does not exist.
verified() { [ -z "$(systemd-analyze verify --man=no --root="$1" kontor.service kontor.socket 2>&1 | grep kontor | tee /dev/stderr)" ]; }
refused() { ! "$@"; }

check_units() {
  local root=$work/units unit=$work/units/usr/lib/systemd/system profile
  mkdir -p "$unit" "$root/usr/bin" "$root/bin" "$root/etc/systemd/system/kontor.service.d"
  cp systemd/kontor.service systemd/kontor.socket "$unit/"
  for program in usr/bin/kontor bin/kill; do printf '#!/bin/sh\n' >"$root/$program"; chmod +x "$root/$program"; done
  for target in sysinit basic multi-user sockets network-online nss-lookup time-sync shutdown; do
    printf '[Unit]\nDescription=%s\n' "$target" >"$unit/$target.target"
  done
  check "units are understood" verified "$root"
  check "the service is exposed at most 1.5" exposed_at_most "$root" 1.5
  for profile in credential credential-encrypted; do
    cp "systemd/$profile.conf" "$root/etc/systemd/system/kontor.service.d/"
    check "the profile $profile is understood" verified "$root"
    rm "$root/etc/systemd/system/kontor.service.d/$profile.conf"
  done
  check "the exposure is really computed" refused exposed_at_most "$root" 0.6
  cp systemd/isolated.conf "$root/etc/systemd/system/kontor.service.d/"
  check "the isolated service is exposed at most 0.6" exposed_at_most "$root" 0.6
  check "the isolated profile is understood" verified "$root"
}
