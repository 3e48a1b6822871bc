# An upgrade from a signed bundle and its way back, on one node, after one_node or recovery. The version that comes is the same
# program with another number, as in tests/blackbox/upgrades.rs; only builds with debug assertions take that. Sourced by run.sh.
# shellcheck shell=bash

bundle_made() {
  local folder=$work/release key
  dpkg-deb --raw-extract "$work"/packages/*.deb "$work/next" && install -d "$work/next/usr/lib/kontor" &&
    mv "$work/next/usr/bin/kontor" "$work/next/usr/lib/kontor/kontor" &&
    printf '#!/bin/sh\nKONTOR_TRIAL_VERSION=0.2.0 exec /usr/lib/kontor/kontor "$@"\n' >"$work/next/usr/bin/kontor" &&
    chmod 755 "$work/next/usr/bin/kontor" && sed -i 's/^Version: .*/Version: 0.2.0-1/' "$work/next/DEBIAN/control" && rm -f "$work/next/DEBIAN/md5sums" &&
    dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/next" "$work/kontor_0.2.0-1_amd64.deb" >/dev/null &&
    python3 packaging/bundle.py prepare "$folder" --version 0.2.0 --binary "x86_64-linux=$work/next/usr/bin/kontor" \
      --deb "x86_64-linux=$work/kontor_0.2.0-1_amd64.deb" && python3 tests/support/trial_keys.py "$work" 1 3 || return 1
  for key in 1 3; do
    signify-openbsd -S -s "$work/$key.sec" -m "$folder/manifest.json" -x "$folder/manifest.json.$key.sig" || return 1
  done
  python3 packaging/bundle.py assemble "$folder" "$work/kontor-0.2.0.bundle"
  head -c 200000 "$work/kontor-0.2.0.bundle" >"$work/cut.bundle"
}
runs() { [ "$(on crm kontor version --json | jq -r .version)" = "$1" ]; }
cut_refused() { ! play upgrade -e "upgrade_bundle=$work/cut.bundle" && runs 0.1.0 && signed_in crm; }
came() { play upgrade -e "upgrade_bundle=$work/kontor-0.2.0.bundle" && runs 0.2.0 && signed_in crm; }
went() { play upgrade -e upgrade_action=rollback -e upgrade_lose_newer=true && runs 0.1.0 && until_true 30 signed_in crm; }

check_upgrade() {
  check "a bundle is made and signed" bundle_made
  # shellcheck source=tests/ansible/one_node.sh
  . tests/ansible/one_node.sh
  [ -e "$work/inventory" ] || check "an inventory is made" one_node_described
  inventory_used=$work/inventory
  on crm true 2>/dev/null || { check "the node boots" machine_on crm; check "the node is made" play one_node; }
  check "a bundle that was cut off is refused" cut_refused
  check "a check of the upgrade changes nothing" play upgrade --check -e "upgrade_bundle=$work/kontor-0.2.0.bundle"
  check "the playbook brings the next version" came
  check "a second run of the upgrade changes nothing" nothing_changed upgrade -e "upgrade_bundle=$work/kontor-0.2.0.bundle"
  check "the playbook takes it back" went
}
