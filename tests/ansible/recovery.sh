# A blank machine becomes the one that was lost, from a set on the controller and the copy of the key file. Sourced by run.sh.
# shellcheck shell=bash

# What a site has after its machine is gone: the newest set, the copy of the key file, the public key of the log.
lost() {
  mkdir -p "$work/media" "$work/rescue/group_vars"
  (on crm 'cd /srv/sets && tar -c .' | tar -x -C "$work/media") && on crm cat /var/lib/kontor/log-key.pub >"$work/log-key.pub" || return 1
  machine_off crm
  # The certificate of the site comes back with the set.
  cp "$work/root.pem" "$work/ca-blank.pem"
  printf 'kontor:\n  hosts:\n    blank.bank.test:\n' >"$work/rescue/hosts.yml"
  cp -r "$work/inventory/group_vars/kontor" "$work/rescue/group_vars/"
  cat >"$work/rescue/group_vars/kontor/recovery.yml" <<VARS
kontor_node: crm
kontor_names: [crm.bank.test]
kontor_key_copy_dir: ""
recovery_from_controller: $(dirname "$(ls -d "$work"/media/*/set-* | tail -1)")
recovery_key_file: $work/keys/crm.bank.test.unseal.key
recovery_log_key: "{{ lookup('ansible.builtin.file', '$work/log-key.pub') }}"
VARS
  inventory_used=$work/rescue
}
wrong_key_refused() {
  ! play recovery --extra-vars '{"recovery_log_key": "kontor.local/x/log+00000000+AAAA"}' && ! on blank test -e /var/lib/kontor/kontor.toml &&
    ! on blank test -e /run/kontor-recovery
}
restored_sound() {
  [ "$(content blank)" = "$(cat "$work/content")" ] && kontor_on blank audit verify --dir /var/lib/kontor --level 4 | grep 'The log is sound' &&
    on blank 'test ! -e /var/cache/kontor/recovery && test ! -e /run/kontor-recovery'
}

check_recovery() {
  check "a machine is lost, set and key are kept" lost
  check "a blank machine boots" machine_on blank
  on blank true || return 0
  check "a check of the recovery changes nothing" play recovery --check
  check "a set that another log signed is refused" wrong_key_refused
  check "the playbook restores the appliance" play recovery
  check "one signs in on the restored machine" signed_in blank
  check "it has the data, its log is sound, and no medium is left on it" restored_sound
  check "a second run of the recovery changes nothing" nothing_changed recovery
}
