# One node: looked at, installed, signed in, nothing changed by a second run, settings changed, a bad setting refused. Sourced by run.sh.
# shellcheck shell=bash

# An inventory as the examples have it, with secrets in the vault.
one_node_described() {
  mkdir -p "$work/inventory/group_vars/kontor" "$work/keys"
  printf 'kontor:\n  hosts:\n    crm.bank.test:\n' >"$work/inventory/hosts.yml"
  cat >"$work/inventory/group_vars/kontor/main.yml" <<VARS
kontor_package_dir: $work/packages
kontor_key_copy_dir: $work/keys
kontor_writable_paths: [/srv/sets]
kontor_site_ca: "{{ lookup('ansible.builtin.file', '$work/root.pem') }}"
kontor_settings:
  backup:
    targets:
      disk2: /srv/sets
VARS
  cat >"$work/inventory/group_vars/kontor/vault.yml" <<VARS
kontor_administrators:
  - login: anna
    name: Anna 安娜
    password: first-Wintergarten-2041
VARS
  ansible-vault encrypt "$work/inventory/group_vars/kontor/vault.yml"
}

looked_at_only() { play one_node --check --diff && ! on crm test -e /usr/bin/kontor && ! on crm id kontor; }
check_finds_nothing() { nothing_changed one_node --check; }
# No secret on the machine but where it belongs, none in what the playbook printed.
nothing_left() {
  on crm 'test ! -e /run/kontor-setup && test ! -e /etc/kontor/first-people && ! grep -rl Wintergarten /etc /root /tmp /run /var/log /var/cache /var/lib/kontor/kontor.toml 2>/dev/null' &&
    ! grep 'Wintergarten' "$work/played-$line"
}
key_copied() { [ "$(stat -c %a "$work/keys/crm.bank.test.unseal.key")" = 600 ] && on crm cat /var/lib/kontor/keys/unseal.key | cmp - "$work/keys/crm.bank.test.unseal.key"; }
# Whoever trusts the site's authority alone reaches it, and so does the playbook.
site_certificate() { certificate_imported crm crm.bank.test && until_true 30 signed_in crm && signed_in crm; }
main_pid() { on "$1" systemctl show -P MainPID kontor.service; }
setting_changes() {
  local before; before=$(main_pid crm)
  play one_node --tags config,service --extra-vars '{"kontor_node": "lübeck"}' && [ "$(main_pid crm)" != "$before" ] &&
    on crm grep -q '^node = .lübeck.$' /var/lib/kontor/kontor.toml
}
bad_setting_refused() {
  local before; before=$(on crm sha256sum /var/lib/kontor/kontor.toml)
  ! play one_node --tags config --extra-vars '{"kontor_settings": {"server": {"listn": "x"}}}' && grep -q listn "$work/play-$line" &&
    [ "$(on crm sha256sum /var/lib/kontor/kontor.toml)" = "$before" ]
}
reboots() { machine_reboot crm && [ "$(on crm systemctl is-active kontor)" = active ] && until_true 60 signed_in crm; }
# What a later part compares with is kept.
set_made() {
  data_brought crm Before && content crm >"$work/content" && set_run crm &&
    on crm 'ls /srv/sets/*/set-*/manifest.json'
}

check_one_node() {
  check "an inventory with a vault is made" one_node_described
  check "a machine boots" machine_on crm
  on crm true || return 0
  check "a check of a blank machine changes nothing" looked_at_only
  check "the playbook makes an appliance" play one_node
  check "one signs in over HTTPS" signed_in crm
  check "a second run changes nothing" nothing_changed one_node
  check "a check of a made machine finds nothing to change" check_finds_nothing
  check "no secret is left behind" nothing_left
  check "a copy of the key file is kept" key_copied
  check "a certificate of the site's authority takes the place of its own" site_certificate
  check "the playbook sees it ready with that, and changes nothing" nothing_changed one_node
  check "a changed setting restarts, by its tags alone" setting_changes
  check "a bad setting is refused before it is there" bad_setting_refused
  check "it serves again after a reboot" reboots
  check "data come in, and a backup set is made on a folder outside" set_made
}
