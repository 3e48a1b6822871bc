#!/usr/bin/env bash
# A private mail server for tests: own folder, own port on this machine, no root, no account, no service of the system. It
# speaks SMTP with STARTTLS or TLS and signs people in; what it takes lies in DIR/mail, one file each.
#   smtpd.sh start DIR [none|starttls|tls] [PORT]   prints `PORT`; DIR/ca.pem is the authority of its certificate for 127.0.0.1,
#                                                   DIR/other.pem one that has nothing to do with it
#   smtpd.sh stop DIR                               stops it; certificates and mail stay.
# With encryption it wants to be signed in to (kontor / secret). Recipients at refused.example are refused for good (550),
# those at later.example are told to come again (450).
# It is the program of Debian's package python3-aiosmtpd, which is unpacked where it is not installed.
# Exit code 3: there is none to be had. It ends itself after half an hour.
set -euo pipefail

command=${1:-} dir=${2:-} tls=${3:-none} port=${4:-}
case "$command:$dir" in
  start:?* | stop:?*) ;;
  *) echo "usage: smtpd.sh start|stop DIR [none|starttls|tls] [PORT]" >&2; exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
none() { echo "smtpd.sh: $*" >&2; exit 3; }

running() { [ -f "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; }

stop() {
  running || { rm -f "$dir/pid"; return 0; }
  local pid
  pid=$(cat "$dir/pid")
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do read -rt 0.05 <> <(:) || true; done
  rm -f "$dir/pid"
}

# Debian's own interpreter: another one on the path does not see Debian's packages.
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3 || true)

library() {
  "$python" -c 'import aiosmtpd' 2>/dev/null && return
  export PYTHONPATH="$dir/package/usr/lib/python3/dist-packages"
  "$python" -c 'import aiosmtpd' 2>/dev/null && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || none "no aiosmtpd is installed (Debian: python3-aiosmtpd)"
  mkdir -p "$dir/packages"
  # The lists of packages may be old or not there at all; then they are fetched once.
  fetch() { (cd "$dir/packages" && apt-get -qq download python3-aiosmtpd python3-attr python3-public) >>"$dir/download.log" 2>&1; }
  fetch || { apt-get -qq update >>"$dir/download.log" 2>&1 && fetch; } ||
    none "no aiosmtpd is installed, and its package could not be fetched"
  local found
  for found in "$dir"/packages/*.deb; do dpkg-deb -x "$found" "$dir/package"; done
  "$python" -c 'import aiosmtpd' 2>/dev/null || none "aiosmtpd cannot be loaded"
}

# authority NAME: a certificate authority of that name.
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=test authority $1" \
    -keyout "$dir/$1.key" -out "$dir/$1.pem" 2>/dev/null
}

certificates() {
  [ ! -f "$dir/server.pem" ] || return 0
  command -v openssl >/dev/null || none "openssl is not installed"
  authority ca
  authority other
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=test relay" -keyout "$dir/server.key" \
    -out "$dir/server.csr" 2>/dev/null
  printf 'subjectAltName=IP:127.0.0.1\n' >"$dir/names"
  openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 2 -extfile "$dir/names" \
    -out "$dir/server.pem" 2>/dev/null
}

start() {
  running && { cat "$dir/answer"; return; }
  [ -n "$python" ] || none "no Python is installed"
  library
  certificates
  mkdir -p "$dir/mail"
  rm -f "$dir/answer"
  # Its output goes to a file and not to ours: it would keep our pipes open.
  "$python" "$here/smtpd.py" "$dir" "$tls" "${port:-0}" </dev/null >"$dir/log" 2>&1 &
  local pid=$!
  printf '%s\n' "$pid" >"$dir/pid"
  until [ -s "$dir/answer" ]; do
    kill -0 "$pid" 2>/dev/null || { rm -f "$dir/pid"; tail -n 5 "$dir/log" >&2; none "the server did not start"; }
    read -rt 0.05 <> <(:) || true
  done
  # Once it stands by itself nothing else ends it.
  (setsid timeout 1800 tail --pid="$pid" -f /dev/null || kill "$pid") >/dev/null 2>&1 </dev/null &
  cat "$dir/answer"
}

"$command"
