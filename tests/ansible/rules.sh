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

check_rules() {
  check "the collection is clean for production" lint_clean
  check "every playbook is understood" playbooks_read
  check "every example of an inventory is understood" examples_read
  check "variables, defaults and manual agree" python3 tests/ansible/manual.py check
}
