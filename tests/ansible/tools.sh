# Ansible and what the playbooks need here: fetched once and kept below target/. Sourced by run.sh.
# shellcheck shell=bash

# shellcheck disable=SC2154  # run.sh says where things are kept
os_packages=$store/os-packages-3

# Ansible in a folder of its own, as ansible/requirements.txt pins it, and the collection where Ansible looks for one.
tools_made() {
  local wanted; wanted=$(sha256sum <ansible/requirements.txt)
  if [ "$(cat "$store/venv/.stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "ansible: fetching ansible-core and ansible-lint"
    rm -rf "$store/venv"
    python3 -m venv "$store/venv" && "$store/venv/bin/pip" install --quiet --disable-pip-version-check -r ansible/requirements.txt ||
      return 1
    echo "$wanted" >"$store/venv/.stamp"
  fi
  mkdir -p "$store/collections/ansible_collections/kontor"
  ln -sfn "$PWD/ansible" "$store/collections/ansible_collections/kontor/appliance"
}

# What a site has in its mirror: the files of Debian's own packages, with all they need.
packages_fetched() {
  local folder=$os_packages
  [ ! -e "$folder/.whole" ] || return 0
  echo "ansible: fetching Debian packages for the machines"
  rm -rf "$folder" "$work/fetch"
  mkdir -p "$folder" "$work/fetch"
  tar --extract --directory "$work/fetch" --file "$image" || return 1
  local mirror=${KONTOR_DEBIAN_MIRROR:-http://deb.debian.org/debian}
  echo "deb $mirror bookworm main" >"$work/fetch/etc/apt/sources.list"
  rm -f "$work/fetch/etc/resolv.conf"; cp /etc/resolv.conf "$work/fetch/etc/resolv.conf"
  DEBIAN_FRONTEND=noninteractive chroot "$work/fetch" sh -c \
    'apt-get -qq update && apt-get -qq -y --no-install-recommends --download-only install postgresql haproxy keepalived prometheus' \
    >"$work/fetch.log" 2>&1 || { tail -5 "$work/fetch.log"; return 1; }
  cp "$work"/fetch/var/cache/apt/archives/*.deb "$folder/" && touch "$folder/.whole"
  rm -rf --one-file-system "$work/fetch"
}

# The files of one run: keys of SSH, who is where, the vault with its password.
settings_made() {
  export PATH="$store/venv/bin:$PATH" ANSIBLE_COLLECTIONS_PATH=$store/collections ANSIBLE_HOME=$work/home ANSIBLE_NOCOLOR=1
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
  for name in crm blank db n1 n2 watch; do
    at=$((at + 1))
    echo "10.77.0.$at $name $name.bank.test" >>"$work/hosts"
    printf 'Host %s %s.bank.test\n  HostName 10.77.0.%s\n' "$name" "$name" "$at" >>"$work/ssh-config"
    echo "10.77.0.$at $(cut -d' ' -f1,2 "$work/host-key.pub")" >>"$work/known"
  done
  openssl rand -hex 16 >"$work/vault-password"
  chmod 600 "$work/vault-password" "$work/ssh"
  mkdir -p "$work/packages"
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

# play PLAYBOOK [ARGUMENTS]: its output is kept in $work/play.
play() {
  local playbook=$1; shift
  ansible-playbook -i "${inventory_used:-$work/inventory}" "ansible/playbooks/$playbook.yml" "$@" | tee "$work/play"
  return "${PIPESTATUS[0]}"
}
# The second run changes nothing, on no machine.
nothing_changed() { play "$@" && ! grep -E 'changed=[1-9]' "$work/play" && grep -q 'changed=0' "$work/play"; }
