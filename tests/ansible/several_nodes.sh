# PostgreSQL, three nodes and HAProxy on four machines; sets go to an account with SFTP on the first. Sourced by run.sh.
# shellcheck shell=bash

several_described() {
  inventory_used=$work/several
  mkdir -p "$inventory_used/group_vars/kontor" "$inventory_used/group_vars/database" "$work/files"
  ssh-keygen -q -t ed25519 -N '' -C kontor -f "$work/nas.key"
  cat >"$inventory_used/hosts.yml" <<VARS
kontor: {hosts: {n1.bank.test: {}, n2.bank.test: {}, n3.bank.test: {}}}
database: {hosts: {db.bank.test: {}}}
balancer: {hosts: {db.bank.test: {}}}
backup_target: {hosts: {db.bank.test: {}}}
all: {vars: {site_packages_dir: $os_packages/several}}
VARS
  cat >"$inventory_used/group_vars/kontor/main.yml" <<VARS
kontor_package_dir: $work/packages
kontor_names: [crm.bank.test, "{{ inventory_hostname }}"]
kontor_database_url: "postgres://kontor:{{ database_password }}@db.bank.test:5432/kontor"
kontor_database_ca: "{{ lookup('ansible.builtin.file', '$work/db-ca.pem', errors='ignore') }}"
cluster_files_folder: /mnt/kontor-files
VARS
  cat >"$inventory_used/group_vars/all.yml" <<VARS
database_password: it's-a-Wintergarten-2042
VARS
  cat >"$inventory_used/group_vars/kontor/vault.yml" <<VARS
kontor_administrators: [{login: anna, password: first-Wintergarten-2041}]
kontor_secret_files:
  - name: nas.key
    content: |
$(sed 's/^/      /' "$work/nas.key")
VARS
  cat >"$inventory_used/group_vars/database/main.yml" <<VARS
postgresql_password: "{{ database_password }}"
postgresql_networks: [10.77.0.0/24]
postgresql_ca_copy: $work/db-ca.pem
backup_target_authorized_keys: ["$(cat "$work/nas.key.pub")"]
VARS
  ansible-vault encrypt "$inventory_used/group_vars/kontor/vault.yml" "$inventory_used/group_vars/all.yml"
}
machines_booted() {
  local name
  machine_on db || return 1
  for name in n1 n2 n3; do machine_on "$name" --bind="$work/files:/mnt/kontor-files" || return 1; done
}
nodes_listed() {
  kontor_on n2 node list --dir /var/lib/kontor --json | tee "$work/nodes" |
    jq -e 'length == 3 and all(.[]; .alive) and ([.[].name] | sort == ["n1", "n2", "n3"])'
}
# The authority of the nodes is the same, so what is asked of HAProxy is asked with it.
balanced() {
  on n1 cat /var/lib/kontor/tls/ca.pem >"$work/ca-db.pem" && until_true 30 signed_in db && signed_in db
}
other_node_serves() { on n1 systemctl stop kontor && until_true 30 signed_in db && signed_in db; }
node_comes_back() { play several_nodes --tags nodes && on n1 systemctl is-active kontor && nodes_listed; }
# Nobody who signs in from afar comes in without TLS.
plain_refused() {
  ! on n1 "$(printf 'python3 -c "%s"' "import socket,struct;s=socket.create_connection(('db',5432));b=b'user\\\\0kontor\\\\0database\\\\0kontor\\\\0\\\\0';s.sendall(struct.pack('!II',8+len(b),196608)+b);import sys;sys.exit(0 if s.recv(1)==b'R' else 1)")"
}
sets_arrive() {
  local fingerprint; fingerprint=$(on db ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)
  play several_nodes --tags nodes --extra-vars "{\"kontor_settings\": {\"backup\": {\"targets\": {\"nas\": {\"sftp\": \"sftp://kontor-sets@db.bank.test/sets\", \"host_key\": \"$fingerprint\", \"key_file\": \"/etc/kontor/nas.key\"}}}}}" &&
    set_run n1 && on db 'ls /srv/kontor-sets/sets/*/set-*/manifest.json'
}
# Two for each of the connections that its configuration allows.
descriptors_enough() {
  local pid; pid=$(on db 'pgrep -n haproxy') && on db "cat /proc/$pid/limits" | tee "$work/limits" | awk '/^Max open files/ { exit !($4 >= 9000) }' &&
    on db 'grep "maxconn 4000" /etc/haproxy/haproxy.cfg'
}
all_run() { runs n1 "$1" && runs n2 "$1" && runs n3 "$1" && nodes_listed && until_true 30 signed_in db; }
# One does not start: those after it follow all the same, and what went wrong is told at the end.
one_stays() {
  data_brought n1 Before && content n1 >"$work/content-several" &&
    on n2 'install -d /etc/systemd/system/kontor.service.d && printf "[Service]\nExecStartPre=/bin/false\n" >/etc/systemd/system/kontor.service.d/90-trial.conf && systemctl daemon-reload' &&
    ! play upgrade -e "upgrade_bundle=$work/kontor-0.2.0.bundle" && grep 'This node may be stopped' "$work/play-$line" &&
    ! on n2 systemctl is-active kontor && on n1 systemctl is-active kontor && on n3 systemctl is-active kontor && runs n3 0.2.0 &&
    until_true 30 signed_in db
}
all_come() {
  on n2 'rm /etc/systemd/system/kontor.service.d/90-trial.conf && systemctl daemon-reload && systemctl reset-failed kontor' &&
    play upgrade -e "upgrade_bundle=$work/kontor-0.2.0.bundle" && play several_nodes --tags nodes && all_run 0.2.0
}
all_go() {
  play upgrade -e upgrade_action=rollback -e upgrade_lose_newer=true && all_run 0.1.0 && [ "$(content n2)" = "$(cat "$work/content-several")" ]
}
# HAProxy knows the site's authority before the nodes have a certificate of it, and loses none of them.
site_certificates() {
  local name
  cat >"$inventory_used/group_vars/kontor/site.yml" <<VARS
kontor_site_ca: "{{ lookup('ansible.builtin.file', '$work/root.pem') }}"
VARS
  play several_nodes --tags balancer || return 1
  for name in n1 n2 n3; do certificate_imported "$name" crm.bank.test "$name.bank.test" || return 1; done
  cp "$work/root.pem" "$work/ca-db.pem"
  until_true 30 signed_in db && play several_nodes && nothing_changed several_nodes && nodes_listed && signed_in db
}
only_sftp() { ! ssh -F "$work/ssh-config" -i "$work/nas.key" -o ControlPath=none kontor-sets@db id; }

check_several_nodes() {
  check "an inventory of several nodes is made" several_described
  check "four machines boot" machines_booted
  on n3 true || return 0
  check "a check of blank machines changes nothing" play several_nodes --check
  check "the playbook makes database, nodes and balancer" play several_nodes
  check "all nodes are alive" nodes_listed
  check "one signs in through HAProxy" balanced
  check "a second run of several nodes changes nothing" nothing_changed several_nodes
  check "PostgreSQL is reached over TLS only" plain_refused
  check "without one node the others serve" other_node_serves
  check "the node comes back" node_comes_back
  check "the backup target is made" play backup_target
  check "a second run of the backup target changes nothing" nothing_changed backup_target
  check "sets arrive over SFTP" sets_arrive
  check "its account may do SFTP and nothing else" only_sftp
  check "HAProxy has descriptors for its connections" descriptors_enough
  check "a node that cannot follow keeps no other from it, and is told of" one_stays
  check "the playbook brings the next version to all nodes" all_come
  check "the playbook takes all nodes back, with the data" all_go
  check "the nodes get certificates of the site, and HAProxy goes on" site_certificates
}
