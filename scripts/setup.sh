#!/usr/bin/env bash
# Makes a fresh Debian 12 machine ready for make's run, check, test or package; says and does nothing when it is.
# It installs Debian packages. It never installs a Rust toolchain by itself: that is one command, and it prints it.
set -euo pipefail
cd "$(dirname "$0")/.."

want=${1:-}
case $want in
  run | check) packages=(gcc libc6-dev mold pkg-config ca-certificates) ;;
  test) packages=(gcc libc6-dev mold pkg-config ca-certificates postgresql-15 openssl curl jq python3 sqlite3 age zstd openssh-client signify-openbsd chromium
    binutils rpm rpmlint lintian systemd systemd-container debootstrap haproxy iproute2 python3-venv) ;;
  package) packages=(gcc libc6-dev mold pkg-config ca-certificates binutils git python3 python3-venv rpm zstd) ;;
  *) echo "usage: scripts/setup.sh run|check|test|package" >&2; exit 2 ;;
esac

fail() { printf '\nset-up: %s\n' "$1" >&2; shift; printf '  %s\n' "$@" >&2; exit 1; }

# The web interface is built with Node 18.19 or newer, as Debian 12 has it; one from elsewhere is as good.
node_fits() {
  command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 18 || (a === 18 && b >= 19) ? 0 : 1)' 2>/dev/null
}
node_fits || packages+=(nodejs npm)

debian_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing and there is no sudo. As root:" "apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  echo "set-up: installing ${missing[*]}"
  local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  "${as_root[@]}" "${quiet[@]}" update &&
    "${as_root[@]}" "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "the packages could not be installed. Mend the package sources, then run this again, or:" "apt-get install ${missing[*]}"
}

# Tests unpack these without installing them, because that would open a port or bring fonts. The lists of packages have to know
# them; where they cannot be had, those tests say so.
unpacked_by_tests() {
  [ "$want" = test ] || return 0
  apt-get -qq download --print-uris openssh-server python3-aiosmtpd prometheus >/dev/null 2>&1 && return 0
  echo "set-up: fetching the lists of packages"
  if [ "$(id -u)" -eq 0 ]; then apt-get -qq update; else sudo -n apt-get -qq update; fi || true
}

other_system() {
  local missing=() tool tools=(gcc mold node npm)
  [ "$want" != test ] || tools+=(openssl curl jq python3 sqlite3 age zstd chromium)
  for tool in "${tools[@]}"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  [ ${#missing[@]} -eq 0 ] || fail "not a Debian system, so install these yourself: ${missing[*]}" "(and PostgreSQL 15 or newer for make test)"
}

rust_toolchain() {
  local channel found
  channel=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
  if ! command -v cargo >/dev/null && ! command -v rustup >/dev/null; then
    fail "Rust $channel is needed and no Rust is here. (Debian 12 carries 1.63, which is too old.) Install rustup once," \
      "from the Rust project's own site (the minimal profile without a toolchain is enough)," \
      "and run the same make command again; the toolchain itself is then fetched without asking."
  fi
  # Without the variable rustup would fetch it behind this question and say nothing for minutes.
  found=$(RUSTUP_AUTO_INSTALL=0 cargo --version 2>/dev/null | cut -d' ' -f2) || true
  if [ "$found" != "$channel" ] && command -v rustup >/dev/null; then
    echo "set-up: fetching Rust $channel"
    rustup toolchain install "$channel" --profile minimal --component rustfmt --component clippy >/dev/null ||
      fail "rustup could not fetch Rust $channel. Check the network, then:" "rustup toolchain install $channel"
    found=$(cargo --version 2>/dev/null | cut -d' ' -f2) || true
  fi
  [ "$found" = "$channel" ] || fail "Rust $channel is needed (rust-toolchain.toml), $(command -v cargo) is ${found:-broken}. Install rustup" \
    "from the Rust project's own site."
  [ "$want" = run ] || { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1 ||
    fail "rustfmt or clippy is missing:" "rustup component add rustfmt clippy"
}

if command -v dpkg-query >/dev/null; then debian_packages; unpacked_by_tests; else other_system; fi
node_fits || fail "Node 18.19 or newer with npm is needed for the web interface; here is $(node --version 2>/dev/null || echo none)."
rust_toolchain
