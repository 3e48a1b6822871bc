# Debians that boot in containers, on a bridge of this test's own network namespace: they reach each other and nothing else.
# Sourced by run.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154  # run.sh says where things are kept

declare -A nspawn_of=()

# The bridge. The whole script runs in a network namespace of its own, so nothing is left behind.
network_on() {
  ip link set lo up && ip link add br0 type bridge && ip address add 10.77.0.1/24 dev br0 && ip link set br0 up
}

# machine_on NAME [NSPAWN ARGUMENTS]: makes one, boots it and waits until it answers over SSH.
machine_on() {
  local name=$1 root=$work/machines/$1 address
  address=$(awk -v name="$name" '$2 == name { print $1 }' "$work/hosts")
  mkdir -p "$root"
  tar --extract --directory "$root" --file "$image"
  install -d -m 700 "$root/root/.ssh"
  install -m 600 "$work/ssh.pub" "$root/root/.ssh/authorized_keys"
  install -m 600 "$work/host-key" "$root/etc/ssh/ssh_host_ed25519_key"
  install -m 644 "$work/host-key.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
  printf '[Match]\nName=host0\n[Network]\nAddress=%s/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' "$address" \
    >"$root/etc/systemd/network/10-host0.network"
  ln -sf -t "$root/etc/systemd/system/multi-user.target.wants" /usr/lib/systemd/system/systemd-networkd.service /lib/systemd/system/ssh.service
  cp "$work/hosts" "$root/etc/hosts"
  echo "$name" >"$root/etc/hostname"
  rm -f "$root/etc/resolv.conf"; : >"$root/etc/resolv.conf"
  machine_boot "$@"
}
# What is written need not reach the disk: nothing here is about a loss of power.
machine_boot() {
  local name=$1; shift
  systemd-nspawn --quiet --register=no --keep-unit --suppress-sync=yes --network-bridge=br0 --link-journal=no --resolv-conf=off --machine="k-$name" \
    --hostname="$name" --directory="$work/machines/$name" "$@" --boot </dev/null >>"$work/console-$name" 2>&1 &
  nspawn_of[$name]=$!
  until_true 90 on "$name" true && until_true 60 settled "$name"
}
# A container without a unit of its own ends where it would boot again, with a code that says so.
machine_reboot() {
  local name=$1
  on "$name" systemctl reboot
  ssh -F "$work/ssh-config" -O exit "$name" 2>/dev/null
  wait "${nspawn_of[$name]}"
  [ $? -eq 133 ] && machine_boot "$name"
}
settled() { on "$1" systemctl is-system-running | grep -qE '^(running|degraded)$'; }
machine_off() {
  local pid=${nspawn_of[$1]:-}
  [ -n "$pid" ] || return 0
  ssh -F "$work/ssh-config" -O exit "$1" 2>/dev/null
  kill -TERM "$pid" 2>/dev/null
  for _ in $(seq 75); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
  kill -KILL "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  unset "nspawn_of[$1]"
}
machines_off() { local name; for name in "${!nspawn_of[@]}"; do machine_off "$name"; done; }

# on NAME COMMAND...: as root, over SSH.
on() {
  local name=$1; shift
  # shellcheck disable=SC2029  # the words are this script's own
  ssh -F "$work/ssh-config" "$name" "$@"
}
