# A Debian that boots in a container, without any network. Sourced by run.sh.
# shellcheck shell=bash

leader=

# The first process of the container.
leader_found() { local child; child=$(pgrep -P "$nspawn" -x systemd) && leader=$child; }
# inside COMMAND...: as root in the container.
inside() { nsenter -t "$leader" -a --wd=/ -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
settled() { inside systemctl is-system-running | grep -qE '^(running|degraded)$'; }

machine_on() {
  machine=$work/machine
  mkdir -p "$machine"
  tar --extract --directory "$machine" --file "$image"
  machine_boot
}
machine_boot() {
  systemd-nspawn --quiet --register=no --keep-unit --private-network --link-journal=no --machine=kontor-install --hostname=crm \
    --directory="$machine" --boot </dev/null >>"$work/console" 2>&1 &
  nspawn=$!
  until_true 60 leader_found && until_true 60 settled
}
machine_off() {
  [ -n "${nspawn:-}" ] || return 0
  kill -TERM "$nspawn" 2>/dev/null
  for _ in $(seq 50); do kill -0 "$nspawn" 2>/dev/null || break; sleep 0.2; done
  kill -KILL "$nspawn" 2>/dev/null
  wait "$nspawn" 2>/dev/null
  nspawn=
}
# A container without a unit of its own ends where it would boot again, with a code that says so.
machine_reboot() {
  inside systemctl reboot
  wait "$nspawn"
  [ $? -eq 133 ] && machine_boot
}
