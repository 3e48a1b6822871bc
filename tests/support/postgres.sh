#!/usr/bin/env bash
# A private PostgreSQL for tests: own folder, own port, TLS by an own authority, no service manager, no durability.
#   postgres.sh start DIR   prints the address; DIR/ca.pem is the authority to trust. Started twice it prints it again.
#   postgres.sh stop DIR    stops it and empties DIR, but for the file `lock`.
#   postgres.sh down DIR    stops it as a power cut would; everything stays. `up` starts it again on the same port.
# Over TCP only TLS with the password is let in. It stops by itself when nobody was connected for an hour,
# so that a killed test run leaves nothing behind. Never use it for data that matter.
set -euo pipefail

command=${1:-} dir=${2:-}
case "$command:$dir" in
  start:?* | stop:?* | down:?* | up:?*) ;;
  *) echo "usage: postgres.sh start|stop|down|up DIR" >&2; exit 2 ;;
esac
die() { echo "postgres.sh: $*" >&2; exit 1; }

# The newest server that is installed; Debian keeps its programs out of the PATH.
bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(pg_config --bindir 2>/dev/null) || true
[ -x "$bin/initdb" ] || die "no PostgreSQL server is installed (Debian: apt-get install postgresql-15)"

# The server refuses to run as root.
as=()
if [ "$(id -u)" -eq 0 ]; then
  owner=postgres
  id -u postgres >/dev/null 2>&1 || owner=nobody
  as=(setpriv --reuid "$owner" --regid "$(id -g "$owner")" --clear-groups env HOME=/nonexistent)
fi
# Descriptor 9 is the lock (see the end): the server must not inherit it, or nobody could ever stop it.
run() { (cd / && "${as[@]}" "$@" 9>&-); }

running() { [ -f "$dir/data/postmaster.pid" ] && run "$bin/pg_ctl" status -D "$dir/data" >/dev/null 2>&1; }

stop() {
  if running; then run "$bin/pg_ctl" stop -D "$dir/data" -m immediate -w >/dev/null; fi
  [ ! -f "$dir/socket" ] || rm -rf "$(cat "$dir/socket")"
  rm -rf "$dir/data" "$dir/url" "$dir/socket" "$dir/"*.pem "$dir/"*.log
}

certificates() {
  local quiet=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30)
  openssl req -x509 "${quiet[@]}" -subj "/CN=Kontor test authority" -keyout "$dir/ca-key.pem" -out "$dir/ca.pem" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" 2>"$dir/openssl.log" &&
    openssl req "${quiet[@]}" -subj "/CN=localhost" -keyout "$dir/server-key.pem" -out "$dir/request.pem" 2>>"$dir/openssl.log" &&
    openssl x509 -req -in "$dir/request.pem" -CA "$dir/ca.pem" -CAkey "$dir/ca-key.pem" -CAcreateserial -days 30 -out "$dir/server.pem" \
      -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n') \
      2>>"$dir/openssl.log" || { cat "$dir/openssl.log" >&2; die "openssl could not make the certificates"; }
  rm -f "$dir/ca-key.pem" "$dir/request.pem" "$dir/"*.srl
  chmod 600 "$dir/server-key.pem"
}

# A socket path has at most 107 bytes, and a test's folder may be long.
socket_folder() {
  local folder=$dir
  if [ ${#folder} -gt 80 ]; then folder=$(run mktemp -d /tmp/kontor-pg.XXXXXX); printf '%s' "$folder" >"$dir/socket"; fi
  printf '%s' "$folder"
}

configure() {
  cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$1'
unix_socket_permissions = 0700
ssl = on
ssl_cert_file = '$dir/server.pem'
ssl_key_file = '$dir/server-key.pem'
max_connections = 300
shared_buffers = 64MB
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum_naptime = 10min
max_wal_size = 256MB
max_wal_senders = 0
wal_level = minimal
timezone = 'UTC'
CONF
  # Counts statements, for the tests that say how many something takes. Debian has it beside the server. Every test has a database
  # and statements of its own, and none may be forgotten while another counts.
  [ ! -f "$("$bin/pg_config" --pkglibdir 2>/dev/null)/pg_stat_statements.so" ] && [ ! -f "$bin/../lib/pg_stat_statements.so" ] ||
    printf '%s\n' "shared_preload_libraries = 'pg_stat_statements'" 'pg_stat_statements.max = 100000' >>"$dir/data/postgresql.conf"
  printf '%s\n' 'local all all trust' 'hostssl all all 127.0.0.1/32 scram-sha-256' >"$dir/data/pg_hba.conf"
}

# Ports below the kernel's ephemeral range, so that no outgoing connection can sit on ours.
start_on_some_port() {
  local port
  for _ in $(seq 20); do
    port=$((15000 + RANDOM % 17000))
    # Its output goes to a file and not to ours: the server would keep our pipes open.
    if run "$bin/pg_ctl" start -D "$dir/data" -w -t 30 -l "$dir/data/server.log" -o "-p $port" >"$dir/start.log" 2>&1 </dev/null; then
      printf '%s' "$port"
      return
    fi
    grep -q 'could not bind' "$dir/data/server.log" || break
  done
  tail -n 20 "$dir/data/server.log" >&2 || true
  die "the server did not start"
}

# Asks twice a minute whether a client is there; the 120th time in a row that none is, stops.
watch_idle() {
  local idle=0 clients
  while [ $idle -lt 120 ] && running; do
    sleep 30
    clients=$(run "$bin/psql" -h "$1" -p "$2" -U kontor -d postgres -XAtc \
      "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()" 2>/dev/null) || return 0
    if [ "$clients" = 0 ]; then idle=$((idle + 1)); else idle=0; fi
  done
  stop
}

start() {
  if running; then cat "$dir/url"; return; fi
  stop
  [ ${#as[@]} -eq 0 ] || chown "$owner" "$dir"
  chmod 700 "$dir"
  run test -w "$dir" || die "$dir cannot be reached by the user $owner, who runs the server; choose a folder below /tmp"
  certificates
  [ ${#as[@]} -eq 0 ] || chown "$owner" "$dir"/*.pem
  local password socket port
  password=$(openssl rand -hex 16)
  socket=$(socket_folder)
  run "$bin/initdb" -D "$dir/data" -U kontor -E UTF8 --locale=C.UTF-8 -A trust -N >"$dir/initdb.log" 2>&1 ||
    { cat "$dir/initdb.log" >&2; die "initdb failed"; }
  configure "$socket"
  port=$(start_on_some_port) || exit 1
  run "$bin/psql" -h "$socket" -p "$port" -U kontor -d postgres -Xqc "ALTER ROLE kontor PASSWORD '$password'" -c "CREATE DATABASE kontor" \
    >"$dir/start.log" 2>&1 || { cat "$dir/start.log" >&2; die "the server does not answer"; }
  printf 'postgres://kontor:%s@127.0.0.1:%s/kontor\n' "$password" "$port" >"$dir/url"
  (watch_idle "$socket" "$port" >/dev/null 2>&1 </dev/null 9>&- &)
  cat "$dir/url"
}

down() {
  if running; then run "$bin/pg_ctl" stop -D "$dir/data" -m immediate -w >/dev/null; fi
}

up() {
  local port socket=$dir
  [ -f "$dir/url" ] || die "$dir was never started"
  port=$(sed -E 's,.*:([0-9]+)/.*,\1,' "$dir/url")
  [ ! -f "$dir/socket" ] || socket=$(cat "$dir/socket")
  running && return
  run "$bin/pg_ctl" start -D "$dir/data" -w -t 30 -l "$dir/data/server.log" -o "-p $port" >"$dir/start.log" 2>&1 </dev/null ||
    { tail -n 20 "$dir/data/server.log" >&2; die "the server did not start again"; }
  (watch_idle "$socket" "$port" >/dev/null 2>&1 </dev/null 9>&- &)
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
# Test processes run side by side: whoever comes second waits and gets the same server.
exec 9>"$dir/lock"
flock -w 120 9 || die "another start or stop of $dir takes too long"
"$command"
