# The .deb on a machine that boots: installed, made, signed in, rebooted, upgraded, put back, removed, purged.
# Sourced by run.sh.
# shellcheck shell=bash

apt_install() { inside apt-get -qq -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold --allow-downgrades install "$@"; }
active() { [ "$(inside systemctl is-active kontor.service)" = active ]; }
inactive() { [ "$(inside systemctl is-active kontor.service)" = inactive ]; }
main_pid() { inside systemctl show -P MainPID kontor.service; }

# ask PATH [CURL ARGUMENTS]: over HTTPS, from outside the container's file system, trusting the appliance's authority only.
ask() {
  local path=$1; shift
  nsenter -t "$leader" -n curl --silent --show-error --max-time 20 --cacert "$work/ca.pem" --resolve crm.bank.test:443:127.0.0.1 \
    "https://crm.bank.test$path" "$@"
}
ready() { [ "$(ask /readyz --output /dev/null --write-out '%{http_code}')" = 200 ]; }
signed_in() {
  until_true 60 ready || { inside journalctl -u kontor --no-pager | tail -15; return 1; }
  ask /api/v1/session --header 'Content-Type: application/json' --data "{\"login\":\"anna\",\"password\":\"$password\"}" |
    tee "$work/session" | jq -e '.user.login == "anna" or .login == "anna"'
}

nothing_runs() {
  inactive && [ "$(inside systemctl is-enabled kontor.service)" = disabled ] &&
    inside systemctl start kontor.service && inactive &&
    [ "$(inside systemctl is-failed kontor.service)" != failed ]
}
folder_private() {
  [ "$(inside stat -c '%a %U %G' /var/lib/kontor)" = "700 kontor kontor" ] && [ "$(inside stat -c '%a %U %G' /etc/kontor)" = "750 root kontor" ] &&
    inside getent passwd kontor | grep -q nologin
}

# The commands of docs/admin/install.md, as they stand there, and how long an administrator waits for them.
from_nothing_to_sign_in() {
  local began=$SECONDS
  apt_install /srv/kontor.deb &&
    inside sudo -u kontor kontor init --unseal key-file --listen 0.0.0.0:443 --name crm.bank.test --admin anna >"$work/init" &&
    inside systemctl enable --now kontor &&
    inside cat /var/lib/kontor/tls/ca.pem >"$work/ca.pem" &&
    password=$(sed -n 's/.*first password  \([^ ]*\).*/\1/p' "$work/init") && signed_in || return 1
  echo "took $((SECONDS - began)) s" | tee "$work/took"
  [ $((SECONDS - began)) -le 120 ]
}
sandboxed() {
  local pid; pid=$(main_pid)
  [ "$(inside sed -n 's/^NoNewPrivs:\t//p' "/proc/$pid/status")" = 1 ] && [ "$(inside sed -n 's/^Seccomp:\t//p' "/proc/$pid/status")" = 2 ] &&
    [ "$(inside stat -c %U "/proc/$pid")" = kontor ] && ! nsenter -t "$leader" -a nsenter -t "$pid" -m touch /etc/kontor-was-here
}
root_is_refused() { ! inside kontor user list 2>"$work/refused"; grep -q 'sudo -u kontor' "$work/refused"; }
journal_tells() { inside journalctl -u kontor --no-pager | grep -q serving; }
reboots() { machine_reboot && active && signed_in; }
killed_comes_back() {
  local before; before=$(main_pid)
  inside kill -KILL "$before" && until_true 30 active && until_true 30 ready && [ "$(main_pid)" != "$before" ] && signed_in
}

reloads() {
  local before; before=$(main_pid)
  inside systemctl reload kontor && [ "$(main_pid)" = "$before" ] && signed_in || return 1
  inside sed -i '1i nonsense = 1' /var/lib/kontor/kontor.toml
  ! inside systemctl reload kontor && [ "$(main_pid)" = "$before" ] && signed_in && inside sed -i 1d /var/lib/kontor/kontor.toml
}
# A short span, and long enough for several of them.
watchdog_is_fed() {
  local before
  drop_in watchdog '[Service]' 'WatchdogSec=3' && inside systemctl restart kontor && before=$(main_pid) && sleep 10 &&
    [ "$(main_pid)" = "$before" ] && active && drop_out watchdog
}
restarts() {
  local began; began=$(date +%s%N)
  inside systemctl restart kontor && ready && echo "restart took $((($(date +%s%N) - began) / 1000000)) ms" | tee "$work/restart"
}
drop_in() { local name=$1; shift; inside mkdir -p /etc/systemd/system/kontor.service.d && printf '%s\n' "$@" | inside tee "/etc/systemd/system/kontor.service.d/$name.conf" && inside systemctl daemon-reload; }
drop_out() { inside rm "/etc/systemd/system/kontor.service.d/$1.conf" && inside systemctl daemon-reload && inside systemctl restart kontor; }
profile() { inside mkdir -p /etc/systemd/system/kontor.service.d && inside cp "/usr/share/kontor/systemd/$1.conf" /etc/systemd/system/kontor.service.d/ && inside systemctl daemon-reload; }

# As the head of credential.conf says.
opens_with_credential() {
  inside cp /var/lib/kontor/kontor.toml /srv/kontor.toml && profile credential &&
    inside mv /var/lib/kontor/keys/unseal.key /etc/kontor/unseal.key && inside chown root:root /etc/kontor/unseal.key &&
    inside sed -i 's,^key_file = .*,key_file = "credential:unseal-key",' /var/lib/kontor/kontor.toml &&
    inside systemctl restart kontor && signed_in && ! inside sudo -u kontor cat /etc/kontor/unseal.key &&
    inside sudo -u kontor kontor user list | grep anna &&
    inside install -m 0600 -o kontor -g kontor /etc/kontor/unseal.key /var/lib/kontor/keys/unseal.key &&
    inside sh -c 'cat /srv/kontor.toml >/var/lib/kontor/kontor.toml' && drop_out credential && signed_in
}
# As the head of isolated.conf says: answers from outside, and has no network of its own.
answers_isolated() {
  local pid
  profile isolated && inside systemctl enable kontor.socket && inside systemctl stop kontor && inside systemctl restart kontor.socket kontor.service &&
    signed_in && pid=$(main_pid) || return 1
  [ "$(inside readlink "/proc/$pid/ns/net")" != "$(inside readlink /proc/1/ns/net)" ] || { echo "it has the machine's network"; return 1; }
  # Who comes while it is down, as between the two halves of a restart, waits instead of being refused.
  inside systemctl stop kontor && ask /healthz --retry 0 || return 1
  inside systemctl disable --now kontor.socket && inside systemctl stop kontor && drop_out isolated && signed_in
}

upgrade_keeps() {
  local before; before=$(main_pid)
  inside sh -c 'echo "# edited by the site" >>/etc/default/kontor; echo "# edited by the site" >>/var/lib/kontor/kontor.toml'
  apt_install /srv/next.deb && until_true 30 active && [ "$(main_pid)" != "$before" ] && signed_in &&
    inside grep -q 'edited by the site' /etc/default/kontor && inside grep -q 'edited by the site' /var/lib/kontor/kontor.toml &&
    [ "$(inside dpkg-query -W -f '${Version}' kontor)" = 99.0.0-1 ] && inside test -e /etc/default/kontor.dpkg-dist
}
goes_back() { apt_install /srv/kontor.deb && until_true 30 active && signed_in && inside grep -q 'edited by the site' /etc/default/kontor; }
stopped_stays_stopped() { inside systemctl stop kontor && apt_install /srv/next.deb && inactive && inside systemctl start kontor && signed_in; }
remove_keeps() {
  inside apt-get -qq -y remove kontor && ! inside test -e /usr/bin/kontor && ! inside pgrep -x kontor &&
    inside test -e /var/lib/kontor/data/kontor.db && inside grep -q 'edited by the site' /etc/default/kontor &&
    apt_install /srv/kontor.deb && inside systemctl start kontor && signed_in
}
purge_keeps_unless_told() {
  inside apt-get -qq -y purge kontor && inside test -e /var/lib/kontor/data/kontor.db && ! inside test -e /etc/default/kontor &&
    ! inside test -e /etc/systemd/system/multi-user.target.wants/kontor.service && apt_install /srv/kontor.deb && inactive &&
    inside systemctl start kontor && signed_in
}
purge_removes_when_told() {
  inside sh -c 'echo "kontor kontor/purge-data boolean true" | debconf-set-selections' && inside apt-get -qq -y purge kontor &&
    ! inside test -e /var/lib/kontor && ! inside test -e /etc/kontor && ! inside test -e /usr/share/kontor
}
log_sound() { inside sudo -u kontor kontor audit verify --level 4 | grep 'The log is sound'; }

# The same package under a higher version, with another conffile, so that dpkg has something to decide.
next_package() {
  dpkg-deb --raw-extract "$deb" "$work/next" && sed -i 's/^Version: .*/Version: 99.0.0-1/' "$work/next/DEBIAN/control" &&
    echo '# new in this version' >>"$work/next/etc/default/kontor" && dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/next" "$machine/srv/next.deb"
}

check_debian() {
  check "a machine boots without any network" machine_on
  # Everything below would only say the same again.
  [ -n "$leader" ] || return 0
  cp "$deb" "$machine/srv/kontor.deb"
  check "a next version is made" next_package
  check "the package installs off-line" apt_install /srv/kontor.deb
  check "nothing runs before an appliance was made" nothing_runs
  check "folders and account are the service's own" folder_private
  check "it goes when nothing was made" inside apt-get -qq -y purge kontor
  check "from nothing to the first sign-in in two minutes and five commands" from_nothing_to_sign_in
  cat "$work/took" 2>/dev/null
  check "the service is in its sandbox" sandboxed
  check "root is told to use the service's account" root_is_refused
  check "the journal has its lines" journal_tells
  check "it comes back after a reboot" reboots
  check "it comes back after it was killed" killed_comes_back
  check "it restarts" restarts
  cat "$work/restart" 2>/dev/null
  check "it reloads, and refuses a bad configuration" reloads
  check "it feeds the watchdog" watchdog_is_fed
  check "it opens with a credential of the system" opens_with_credential
  check "isolated, it answers and has no network" answers_isolated
  check "an upgrade restarts it and keeps data and edits" upgrade_keeps
  check "it goes back to the version before" goes_back
  check "an upgrade does not start what was stopped" stopped_stays_stopped
  check "removed, data and edits stay" remove_keeps
  check "the log is sound after all that" log_sound
  check "a purge that was not told keeps the data" purge_keeps_unless_told
  check "a purge that was told takes everything" purge_removes_when_told
  machine_off
}
