# What needs no machine: the collection's rules, its syntax, its documents. Sourced by run.sh.
# shellcheck shell=bash

lint_clean() { (cd ansible && ansible-lint --offline --profile production); }
playbooks_read() {
  local playbook
  for playbook in ansible/playbooks/*.yml; do
    ansible-playbook --syntax-check -i ansible/inventories/examples/one-node.yml "$playbook" || return 1
  done
}
examples_read() {
  local example
  for example in ansible/inventories/examples/*.yml; do
    ansible-inventory -i "$example" --list >/dev/null || return 1
  done
}

# Rules and dashboard have one copy in the tree, outside the collection; what is built has them as files.
built_whole() {
  local built=$work/collections/ansible_collections/kontor/appliance file
  [ -z "$(find "$built" -type l)" ] || return 1
  for file in kontor-alerts.yml kontor-dashboard.json; do
    cmp "$built/roles/monitoring/files/$file" "packaging/monitoring/$file" || return 1
  done
}

check_rules() {
  check "what is built is whole" built_whole
  check "the collection is clean for production" lint_clean
  check "every playbook is understood" playbooks_read
  check "every example of an inventory is understood" examples_read
  check "variables, defaults and manual agree" python3 tests/ansible/manual.py check
}
