#!/bin/sh
# Installs packages out of a folder of .deb files, with what they need and nothing else; asks no mirror.
#   install-deb.sh FOLDER PACKAGE...
set -eu
folder=$1
shift
index=$(mktemp -d)
trap 'rm -rf "$index"' EXIT
chmod 755 "$index"
mkdir -p "$index/lists/partial"
for file in "$folder"/*.deb; do
  dpkg-deb --field "$file" Package Version Architecture Multi-Arch Depends Pre-Depends Provides Conflicts Breaks Replaces Essential Priority Installed-Size
  printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "./${file##*/}" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
done >"$folder/Packages"
echo "deb [trusted=yes] file:$folder ./" >"$index/kontor.list"
options="-o Dir::Etc::sourcelist=$index/kontor.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$index/lists -o APT::Sandbox::User=root"
# shellcheck disable=SC2086
apt-get -qq $options update
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get -q -y $options -o Dpkg::Use-Pty=0 --no-install-recommends install "$@"
