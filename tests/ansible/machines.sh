# Debians that boot in containers, on a bridge of this test's own network namespace: they reach each other and nothing else.
# Sourced by run.sh.
# shellcheck shell=bash

declare -A nspawn_of=()
# shellcheck disable=SC2154  # run.sh says where things are kept
image=$store/bookworm-2.tar

# The base system, fetched once and kept below target/.
image_made() {
  [ ! -s "$image" ] || return 0
  echo "ansible: fetching a Debian for the containers"
  debootstrap --variant=minbase \
    --include=systemd,systemd-sysv,dbus,ca-certificates,sudo,procps,openssh-server,python3,python3-apt,iproute2 bookworm "$work/base" \
    "${KONTOR_DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 ||
    { tail -5 "$work/debootstrap.log"; return 1; }
  rm -rf "$work"/base/var/cache/apt/archives/*.deb "$work"/base/var/lib/apt/lists/* "$work"/base/etc/ssh/ssh_host_*
  : >"$work/base/etc/apt/sources.list"
  # Its console is not used, and what a container cannot do is not tried.
  ln -sf /dev/null "$work/base/etc/systemd/system/console-getty.service"
  ln -sf /usr/lib/systemd/system/systemd-networkd.service "$work/base/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
  tar --create --directory "$work/base" --file "$image.part" . && mv "$image.part" "$image"
  rm -rf --one-file-system "$work/base"
}

# The bridge. The whole script runs in a network namespace of its own, so nothing is left behind.
network_on() {
  ip link set lo up && ip link add br0 type bridge && ip address add 10.77.0.1/24 dev br0 && ip link set br0 up
}

# until_true SECONDS COMMAND...
until_true() {
  local left=$(($1 * 5)); shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "waited in vain for: $*"; return 1; }
    sleep 0.2
  done
}

# machine_on NAME [NSPAWN ARGUMENTS]: boots one and waits until it answers over SSH.
machine_on() {
  local name=$1 root=$work/machines/$1 address; shift
  address=$(awk -v name="$name" '$2 == name { print $1 }' "$work/hosts")
  mkdir -p "$root"
  tar --extract --directory "$root" --file "$image"
  install -d -m 700 "$root/root/.ssh"
  install -m 600 "$work/ssh.pub" "$root/root/.ssh/authorized_keys"
  cp "$work/host-key" "$root/etc/ssh/ssh_host_ed25519_key" && chmod 600 "$root/etc/ssh/ssh_host_ed25519_key"
  cp "$work/host-key.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
  printf '[Match]\nName=host0\n[Network]\nAddress=%s/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' "$address" \
    >"$root/etc/systemd/network/10-host0.network"
  cp "$work/hosts" "$root/etc/hosts"
  echo "$name" >"$root/etc/hostname"
  rm -f "$root/etc/resolv.conf"; : >"$root/etc/resolv.conf"
  systemd-nspawn --quiet --register=no --keep-unit --network-bridge=br0 --link-journal=no --resolv-conf=off --machine="k-$name" \
    --hostname="$name" --directory="$root" "$@" --boot </dev/null >"$work/console-$name" 2>&1 &
  nspawn_of[$name]=$!
  until_true 90 on "$name" true && until_true 60 settled "$name"
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
