#!/usr/bin/env bash
# A private OpenSSH server for tests, with SFTP only: own folder, own port on this machine, own host key, one key that is let in.
#   sshd.sh start DIR   prints `PORT USER`; DIR/host.pub is its public host key, DIR/client the private key that it lets in,
#                       DIR/files a folder it may write to. Whoever is root needs a DIR that `nobody` can reach.
#   sshd.sh stop DIR    stops it; the keys stay.
# Uses the server that is installed, else the program out of Debian's package without installing that, because installing
# would open a port of the machine. Exit code 3: there is none to be had. It ends itself after half an hour.
set -euo pipefail

command=${1:-} dir=${2:-}
case "$command:$dir" in
  start:?* | stop:?*) ;;
  *) echo "usage: sshd.sh start|stop DIR" >&2; exit 2 ;;
esac
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
none() { echo "sshd.sh: $*" >&2; exit 3; }

# As root the server would want an account of its own on this machine; as anybody else it lets that one in.
as=() user=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
  user=nobody
  as=(setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups)
fi

running() { [ -f "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; }

stop() {
  ! running || kill "$(cat "$dir/pid")"
  rm -f "$dir/pid"
}

# Prints the path of sshd, after unpacking it where it is not installed.
server() {
  local found
  for found in /usr/sbin/sshd "$(command -v sshd || true)" "$dir/package/usr/sbin/sshd"; do
    [ ! -x "$found" ] || { printf '%s' "$found"; return; }
  done
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || none "no OpenSSH server is installed"
  mkdir -p "$dir/packages"
  # The lists of packages may be old or not there at all; then they are fetched once.
  fetch() { (cd "$dir/packages" && apt-get -qq download openssh-server libwrap0) >>"$dir/download.log" 2>&1; }
  fetch || { apt-get -qq update >>"$dir/download.log" 2>&1 && fetch; } ||
    none "no OpenSSH server is installed, and its package could not be fetched"
  for found in "$dir"/packages/*.deb; do dpkg-deb -x "$found" "$dir/package"; done
  printf '%s' "$dir/package/usr/sbin/sshd"
}

start() {
  running && { cat "$dir/answer"; return; }
  command -v ssh-keygen >/dev/null || none "ssh-keygen is not installed (Debian: openssh-client)"
  local sshd port libraries
  sshd=$(server)
  libraries=$(find "$dir/package" -type d -path '*/usr/lib/*-linux-gnu' 2>/dev/null | head -n 1)
  for key in host client; do
    [ -f "$dir/$key" ] || ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$dir/$key"
  done
  cp "$dir/client.pub" "$dir/allowed"
  chmod 600 "$dir/allowed"
  mkdir -p "$dir/files"
  [ ${#as[@]} -eq 0 ] || chown "$user" "$dir" "$dir/files" "$dir"/host "$dir"/allowed
  for _ in $(seq 20); do
    port=$((15000 + RANDOM % 17000))
    cat >"$dir/config" <<CONF
ListenAddress 127.0.0.1
Port $port
HostKey $dir/host
AuthorizedKeysFile $dir/allowed
PidFile $dir/pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM yes
StrictModes no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
CONF
    # Its output goes to a file and not to ours: it would keep our pipes open.
    if "${as[@]}" env LD_LIBRARY_PATH="$libraries" "$sshd" -f "$dir/config" -E "$dir/log" </dev/null >/dev/null 2>&1; then
      until [ -s "$dir/pid" ]; do read -rt 0.05 <> <(:) || true; done
      printf '%s %s\n' "$port" "$user" >"$dir/answer"
      cat "$dir/answer"
      # Once it stands by itself nothing else ends it.
      (setsid timeout 1800 tail --pid="$(cat "$dir/pid")" -f /dev/null || kill "$(cat "$dir/pid")") >/dev/null 2>&1 </dev/null &
      return
    fi
    grep -q 'Address already in use' "$dir/log" || break
  done
  tail -n 5 "$dir/log" >&2 || true
  none "the server did not start"
}

"$command"
