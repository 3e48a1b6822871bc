#!/usr/bin/env bash
# Prometheus for tests: own folder, own port on this machine, no root, no service of the system.
#   prometheus.sh check DIR RULES            promtool looks at a file of rules
#   prometheus.sh start DIR CONFIG PORT      runs it with this configuration; answers on that port of 127.0.0.1
#   prometheus.sh stop DIR                   stops it
# It is the program of Debian's package, which is unpacked where it is not installed.
# Exit code 3: there is none to be had. It ends itself after ten minutes.
set -euo pipefail

command=${1:-} dir=${2:-}
[ -n "$dir" ] || { echo "usage: prometheus.sh check|start|stop DIR …" >&2; exit 2; }
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
none() { echo "prometheus.sh: $*" >&2; exit 3; }

program() {
  command -v "$1" && return
  local found="$dir/package/usr/bin/$1"
  [ -x "$found" ] && { echo "$found"; return; }
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || none "no $1 is installed (Debian: prometheus)"
  mkdir -p "$dir/packages"
  # The lists of packages may be old or not there at all; then they are fetched once.
  fetch() { (cd "$dir/packages" && apt-get -qq download prometheus) >>"$dir/download.log" 2>&1; }
  fetch || { apt-get -qq update >>"$dir/download.log" 2>&1 && fetch; } ||
    none "no $1 is installed, and its package could not be fetched"
  dpkg-deb -x "$dir"/packages/prometheus_*.deb "$dir/package"
  [ -x "$found" ] || none "the package has no $1"
  echo "$found"
}

case $command in
  check)
    tool=$(program promtool)
    "$tool" check rules "$3"
    ;;
  start)
    server=$(program prometheus)
    "$server" --config.file="$3" --storage.tsdb.path="$dir/data" --web.listen-address="127.0.0.1:$4" \
      </dev/null >"$dir/log" 2>&1 &
    pid=$!
    echo "$pid" >"$dir/pid"
    (setsid timeout 600 tail --pid="$pid" -f /dev/null || kill "$pid") >/dev/null 2>&1 </dev/null &
    ;;
  stop)
    [ ! -f "$dir/pid" ] || kill "$(cat "$dir/pid")" 2>/dev/null || true
    ;;
  *) echo "usage: prometheus.sh check|start|stop DIR …" >&2; exit 2 ;;
esac
