# Prometheus asks the node of one_node for its figures, and sends what is not well by mail. Sourced by run.sh.
# shellcheck shell=bash

# The relay is a program that prints what it gets.
monitoring_described() {
  inventory_used=$work/watched
  mkdir -p "$inventory_used/group_vars"
  cp -r "$work/inventory/group_vars/kontor" "$inventory_used/group_vars/"
  cat >"$inventory_used/hosts.yml" <<VARS
kontor: {hosts: {crm.bank.test: {}}}
monitoring: {hosts: {watch.bank.test: {}}}
VARS
  cat >"$inventory_used/group_vars/monitoring.yml" <<VARS
site_packages_dir: $os_packages/watch
monitoring_token: "{{ kontor_metrics_token }}"
monitoring_mail_to: [it@bank.test]
monitoring_mail_from: watch@bank.test
monitoring_mail_relay: localhost:2525
monitoring_mail_tls: false
VARS
  printf 'kontor_metrics_token: a-token-of-the-Wintergarten-which-is-long\n' >"$inventory_used/group_vars/all.yml"
  ansible-vault encrypt "$inventory_used/group_vars/all.yml"
}
# A folder as Grafana's package makes it, which Debian does not have.
watch_booted() {
  machine_on watch &&
    on watch 'install -d /etc/grafana/provisioning && systemd-run --quiet --unit=relay python3 -W ignore -u -m smtpd -n -c DebuggingServer 127.0.0.1:2525'
}
# told QUERY: what Prometheus answers.
told() { on watch "python3 -c 'import urllib.request;print(urllib.request.urlopen(\"http://127.0.0.1:9090/api/v1/$1\").read().decode())'"; }
figures_arrive() { told 'query?query=kontor_open' | jq -e '.data.result[0].value[1] == "1"'; }
rules_known() { told rules | jq -e '[.data.groups[].rules[].name] | index("KontorDown") and index("KontorSealed")'; }
alerts_reach() { told alertmanagers | jq -e '.data.activeAlertmanagers | length == 1' && on watch amtool --alertmanager.url=http://127.0.0.1:9093 alert add KontorTrial; }
mail_arrives() { on watch 'journalctl -u relay --no-pager | grep -A40 "To: it@bank.test" | grep KontorTrial'; }
# They ask nobody for a password, so only this machine reaches them; the token is for root and Prometheus alone.
closed() {
  ! on watch "ss -Hltn '( sport = :9090 or sport = :9093 or sport = :9094 )' | grep -v 127.0.0.1" &&
    [ "$(on watch "stat -c '%a %U %G' /etc/prometheus/kontor-token")" = "640 root prometheus" ] && ! grep Wintergarten "$work/played-$line"
}
dashboard_placed() {
  on watch 'cat /etc/grafana/kontor/kontor-dashboard.json' | cmp - packaging/monitoring/kontor-dashboard.json &&
    on watch 'cat /etc/grafana/provisioning/datasources/kontor.yml' | grep 'http://127.0.0.1:9090' &&
    on watch 'cat /etc/grafana/provisioning/dashboards/kontor.yml' | grep /etc/grafana/kontor
}

check_monitoring() {
  check "an inventory with a monitoring system is made" monitoring_described
  check "the monitoring system boots" watch_booted
  on watch true || return 0
  check "the node takes the token" play one_node
  check "a check of the monitoring changes nothing" play monitoring --check
  check "the playbook makes Prometheus ask" play monitoring
  check "Prometheus knows its Alertmanager, which takes an alert" until_true 60 alerts_reach
  check "a second run of the monitoring changes nothing" nothing_changed monitoring
  check "figures arrive" until_true 90 figures_arrive
  check "the rules for alerts are in force" rules_known
  check "an alert arrives by mail" until_true 120 mail_arrives
  check "nobody else reaches them" closed
  check "data source and dashboard lie where Grafana looks for them" dashboard_placed
  machine_off watch
}
