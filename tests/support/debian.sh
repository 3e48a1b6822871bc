# The Debian that boots in containers: fetched once and kept below target/, for tests/install and tests/ansible. Sourced by them.
# shellcheck shell=bash

# debian_made FOLDER: sets `image` to a tar of the base system; FOLDER is for work, on a disk with room.
debian_made() {
  local folder=$1 store=${CARGO_TARGET_DIR:-target}/debian
  mkdir -p "$store"
  image=$(realpath "$store")/bookworm-3.tar
  [ ! -s "$image" ] || return 0
  echo "fetching a Debian for the containers"
  debootstrap --variant=minbase \
    --include=systemd,systemd-sysv,dbus,ca-certificates,sudo,procps,openssh-server,python3,python3-apt,iproute2 bookworm "$folder/base" \
    "${KONTOR_DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$folder/debootstrap.log" 2>&1 ||
    { tail -5 "$folder/debootstrap.log"; return 1; }
  rm -rf "$folder"/base/var/cache/apt/archives/*.deb "$folder"/base/var/lib/apt/lists/* "$folder"/base/etc/ssh/ssh_host_*
  : >"$folder/base/etc/apt/sources.list"
  # The console is not used; who wants SSH switches it on.
  ln -sf /dev/null "$folder/base/etc/systemd/system/console-getty.service"
  rm -f "$folder/base/etc/systemd/system/multi-user.target.wants/ssh.service" "$folder/base/etc/systemd/system/sshd.service"
  tar --create --directory "$folder/base" --file "$image.part" . && mv "$image.part" "$image"
  rm -rf --one-file-system "$folder/base"
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
