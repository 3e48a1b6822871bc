# Ansible and what the playbooks need here: fetched once and kept below target/. Sourced by run.sh.
# shellcheck shell=bash

# shellcheck disable=SC2154  # run.sh says where things are kept
os_packages=$store/os-packages-4

# Ansible in a folder of its own, as ansible/requirements.txt pins it.
tools_made() {
  local wanted; wanted=$(sha256sum <ansible/requirements.txt)
  [ "$(cat "$store/venv/.stamp" 2>/dev/null)" != "$wanted" ] || return 0
  echo "ansible: fetching ansible-core and ansible-lint"
  rm -rf "$store/venv"
  python3 -m venv "$store/venv" && "$store/venv/bin/pip" install --quiet --disable-pip-version-check -r ansible/requirements.txt || return 1
  echo "$wanted" >"$store/venv/.stamp"
}

# What a site has in its mirror: the files of Debian's own packages with all they need, a folder for each kind of machine.
packages_fetched() {
  local folder=$os_packages kind
  [ ! -e "$folder/.whole" ] || return 0
  echo "ansible: fetching Debian packages for the machines"
  rm -rf "$folder" "$work/fetch"
  mkdir -p "$folder" "$work/fetch"
  # shellcheck disable=SC2154  # debian_made sets it
  tar --extract --directory "$work/fetch" --file "$image" || return 1
  local mirror=${KONTOR_DEBIAN_MIRROR:-http://deb.debian.org/debian}
  echo "deb $mirror bookworm main" >"$work/fetch/etc/apt/sources.list"
  rm -f "$work/fetch/etc/resolv.conf"; cp /etc/resolv.conf "$work/fetch/etc/resolv.conf"
  # shellcheck disable=SC2016  # the shell in there fills them in
  DEBIAN_FRONTEND=noninteractive chroot "$work/fetch" sh -ec '
    apt-get -qq update
    fetch() { kind=$1; shift; mkdir /$kind; apt-get -qq -y --no-install-recommends --download-only -o Dir::Cache::archives=/$kind install "$@"; }
    fetch several postgresql-15 haproxy
    fetch watch prometheus prometheus-alertmanager' >"$work/fetch.log" 2>&1 || { tail -5 "$work/fetch.log"; return 1; }
  for kind in several watch; do
    mkdir "$folder/$kind" && mv "$work/fetch/$kind"/*.deb "$folder/$kind/" || return 1
  done
  touch "$folder/.whole"
  rm -rf --one-file-system "$work/fetch"
}

# The files of one run: keys of SSH, who is where, the vault with its password.
settings_made() {
  export PATH="$store/venv/bin:$PATH" ANSIBLE_COLLECTIONS_PATH=$work/collections ANSIBLE_HOME=$work/home ANSIBLE_NOCOLOR=1
  export ANSIBLE_SSH_ARGS="-F $work/ssh-config" ANSIBLE_PIPELINING=1 ANSIBLE_VAULT_PASSWORD_FILE=$work/vault-password
  export LC_ALL=C.UTF-8
  ssh-keygen -q -t ed25519 -N '' -f "$work/ssh"
  ssh-keygen -q -t ed25519 -N '' -f "$work/host-key"
  printf '127.0.0.1 localhost\n' >"$work/hosts"
  local at=10 name
  # The name of a socket may not be long, and the folder of the build may be.
  sockets=$(mktemp -d)
  printf 'UserKnownHostsFile %s\nIdentityFile %s\nIdentitiesOnly yes\nUser root\nLogLevel ERROR\nConnectTimeout 10\n' \
    "$work/known" "$work/ssh" >"$work/ssh-config"
  printf 'ControlMaster auto\nControlPersist 60\nControlPath %s/%%h\n' "$sockets" >>"$work/ssh-config"
  for name in crm blank db n1 n2 n3 watch; do
    at=$((at + 1))
    echo "10.77.0.$at $name $name.bank.test" >>"$work/hosts"
    printf 'Host %s %s.bank.test\n  HostName 10.77.0.%s\n' "$name" "$name" "$at" >>"$work/ssh-config"
    echo "10.77.0.$at $(cut -d' ' -f1,2 "$work/host-key.pub")" >>"$work/known"
  done
  openssl rand -hex 16 >"$work/vault-password"
  chmod 600 "$work/vault-password" "$work/ssh"
  mkdir -p "$work/packages"
  # The authority of the site, as docs/admin/certificates.md plays one.
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/root.key" -subj "/O=Bank/CN=Bank Root" -days 3650 \
    -out "$work/root.pem" 2>"$work/root.log"
}

# As a site gets it: one file, from which everything is installed.
collection_made() {
  ansible-galaxy collection build ansible --output-path "$work/built" &&
    ansible-galaxy collection install --offline --collections-path "$work/collections" "$work"/built/kontor-appliance-*.tar.gz
}

# The .deb of this tree, unless one was named.
package_made() {
  if [ -n "$package" ]; then
    cp "$package" "$work/packages/"
  else
    strip -o "$work/kontor" "$target/debug/kontor" &&
      KONTOR_QUICK=1 KONTOR_KINDS=deb packaging/build.sh "$work/kontor" "$work/packages"
  fi
}

# The version that comes is the same program with another number and one more step of the schema, which the former version cannot
# pass by, as in tests/blackbox/upgrades.rs; only builds with debug assertions take that.
bundle_made() {
  local folder=$work/release next=$work/next step key
  dpkg-deb --raw-extract "$work"/packages/*.deb "$next" && install -d "$next/usr/lib/kontor" &&
    mv "$next/usr/bin/kontor" "$next/usr/lib/kontor/kontor" || return 1
  step=$next/usr/lib/kontor/steps/$(printf '%04d' $(($(find migrations/sqlite -mindepth 1 -maxdepth 1 | wc -l) + 1)))_trial
  mkdir -p "$step"
  echo 'ALTER TABLE "k_preference" ADD COLUMN "trial" TEXT' | tee "$step/sqlite.sql" >"$step/postgres.sql"
  printf '#!/bin/sh\nKONTOR_TRIAL_VERSION=0.2.0 KONTOR_TRIAL_STEPS=/usr/lib/kontor/steps exec /usr/lib/kontor/kontor "$@"\n' >"$next/usr/bin/kontor"
  chmod 755 "$next/usr/bin/kontor" && sed -i 's/^Version: .*/Version: 0.2.0-1/' "$next/DEBIAN/control" && rm -f "$next/DEBIAN/md5sums"
  dpkg-deb --root-owner-group -Zgzip -z1 --build "$next" "$work/kontor_0.2.0-1_amd64.deb" >/dev/null &&
    python3 packaging/bundle.py prepare "$folder" --version 0.2.0 --binary "x86_64-linux=$next/usr/bin/kontor" \
      --deb "x86_64-linux=$work/kontor_0.2.0-1_amd64.deb" && python3 tests/support/trial_keys.py "$work" 1 3 || return 1
  for key in 1 3; do
    signify-openbsd -S -s "$work/$key.sec" -m "$folder/manifest.json" -x "$folder/manifest.json.$key.sig" || return 1
  done
  python3 packaging/bundle.py assemble "$folder" "$work/kontor-0.2.0.bundle" && head -c 200000 "$work/kontor-0.2.0.bundle" >"$work/cut.bundle"
}

# play PLAYBOOK [ARGUMENTS]: its output is kept, and all outputs of a line in one file.
play() {
  local playbook=$1 status; shift
  ansible-playbook -i "${inventory_used:-$work/inventory}" "kontor.appliance.$playbook" "$@" | tee "$work/play-$line"
  status=${PIPESTATUS[0]}
  cat "$work/play-$line" >>"$work/played-$line"
  return "$status"
}
# It changes nothing, on no machine.
nothing_changed() { play "$@" && ! grep -E 'changed=[1-9]' "$work/play-$line" && grep -q 'changed=0' "$work/play-$line"; }

# ask NAME PATH [CURL ARGUMENTS]: over HTTPS, trusting one authority only, the appliance's unless it has the site's.
ask() {
  local name=$1 path=$2; shift 2
  [ -s "$work/ca-$name.pem" ] || on "$name" cat /var/lib/kontor/tls/ca.pem >"$work/ca-$name.pem"
  curl --silent --show-error --max-time 20 --cacert "$work/ca-$name.pem" \
    --resolve "crm.bank.test:443:$(awk -v name="$name" '$2 == name { print $1 }' "$work/hosts")" "https://crm.bank.test$path" "$@"
}
# certificate_imported NAME HOST...: the site's authority signs for the machine; from then on that is what one trusts of it.
certificate_imported() {
  local name=$1 host names=; shift
  for host in "$@"; do names+=,DNS:$host; done
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "${names#,}" >"$work/$name.ext"
  kontor_on "$name" tls csr --dir /var/lib/kontor >"$work/$name.csr" &&
    openssl x509 -req -in "$work/$name.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -set_serial "0x01$(openssl rand -hex 8)" -days 365 \
      -extfile "$work/$name.ext" -out "$work/$name.pem" &&
    cat "$work/$name.pem" "$work/root.pem" | on "$name" 'cat >/var/cache/kontor/site.pem && chmod 644 /var/cache/kontor/site.pem' &&
    kontor_on "$name" tls import --dir /var/lib/kontor /var/cache/kontor/site.pem && on "$name" systemctl reload kontor &&
    cp "$work/root.pem" "$work/ca-$name.pem"
}
signed_in() {
  ask "$1" /api/v1/session --header 'Content-Type: application/json' --data '{"login":"anna","password":"first-Wintergarten-2041"}' |
    tee "$work/session-$line" | jq -e '.user.login == "anna" or .login == "anna"'
}
# kontor_on NAME VERB...: as the service's account.
kontor_on() {
  local name=$1; shift
  on "$name" runuser -u kontor -- kontor "$@"
}
runs() { [ "$(on "$1" kontor version --json | jq -r .version)" = "$2" ]; }
# data_brought NAME PREFIX: forty customers whose names begin so.
data_brought() {
  (echo name; seq -f "$2 %g" 40) | on "$1" 'cat >/var/cache/kontor/customers.csv && chmod 644 /var/cache/kontor/customers.csv'
  kontor_on "$1" import --dir /var/lib/kontor --object account --rejects /tmp/rejects.csv /var/cache/kontor/customers.csv
}
# set_run NAME: makes a backup set. The schedule may just make one of its own; then this one waits for it.
set_run() { until_true 120 kontor_on "$1" backup run --dir /var/lib/kontor; }
# What the tables of records hold, as hashes.
content() { kontor_on "$1" backup content --dir /var/lib/kontor --json | jq -e -c '[.[] | select(.table | startswith("k_") | not)] | sort'; }
