# An upgrade of the recovered machine from a signed bundle: refused, there, back, removed and back, there and final. Sourced by run.sh.
# shellcheck shell=bash

bundle=$work/kontor-0.2.0.bundle
cut_refused() { ! play upgrade -e "upgrade_bundle=$work/cut.bundle" && runs blank 0.1.0 && signed_in blank; }
# A package that the account of the appliance could exchange is not installed by root.
exchangeable_refused() {
  on blank 'cp /var/cache/kontor/kontor_0.1.0-*.deb /var/lib/kontor/former.deb' || return 1
  ! play upgrade -e "upgrade_bundle=$bundle" -e upgrade_previous=/var/lib/kontor/former.deb &&
    grep -q 'others than root can write' "$work/play-$line" && on blank 'rm /var/lib/kontor/former.deb' && runs blank 0.1.0 && signed_in blank
}
came() { play upgrade -e "upgrade_bundle=$bundle" && runs blank 0.2.0 && signed_in blank && has_data; }
has_data() { [ "$(content blank)" = "$(cat "$work/content")" ]; }
# What was written since goes only when somebody says so.
newer_kept() {
  data_brought blank Since && content blank >"$work/content-since" && ! cmp -s "$work/content" "$work/content-since" &&
    ! play upgrade -e upgrade_action=rollback && grep -q lose-newer "$work/play-$line" && runs blank 0.2.0 && signed_in blank
}
went() { play upgrade -e upgrade_action=rollback -e upgrade_lose_newer=true && runs blank 0.1.0 && signed_in blank && has_data; }
# As docs/admin/upgrade.md says.
given_up_verified() {
  on blank runuser -u kontor -- sh -c "'kontor audit verify --dir /var/lib/kontor --log /var/lib/kontor/log-given-up-0.2.0-*'" | grep 'The log is sound'
}
removed_and_back() {
  on blank 'apt-get -qq -y remove kontor && test ! -e /usr/bin/kontor && test -e /var/lib/kontor/data/kontor.db' && play one_node &&
    runs blank 0.1.0 && signed_in blank && has_data
}
final() {
  came && play upgrade -e upgrade_action=finalize && signed_in blank &&
    kontor_on blank upgrade status --dir /var/lib/kontor --json | jq -e '.upgrade == null'
}
log_sound() { kontor_on blank audit verify --dir /var/lib/kontor --level 4 | grep 'The log is sound'; }

check_upgrade() {
  on blank true || return 0
  check "a bundle that was cut off is refused" cut_refused
  check "a package that others than root can exchange is refused" exchangeable_refused
  check "a check of the upgrade changes nothing" play upgrade --check -e "upgrade_bundle=$bundle"
  check "the playbook brings the next version" came
  check "a second run of the upgrade changes nothing" nothing_changed upgrade -e "upgrade_bundle=$bundle"
  check "the way back keeps what is newer unless told" newer_kept
  check "a check of the way back changes nothing" play upgrade --check -e upgrade_action=rollback
  check "the playbook takes it back, with the data" went
  check "the log that went with the data is kept, and can be verified" given_up_verified
  check "removed, the data stay, and the playbook serves them again" removed_and_back
  check "it comes again, and is final" final
  check "a way back from what is final changes nothing" nothing_changed upgrade -e upgrade_action=rollback
  check "the log is sound after all that" log_sound
}
