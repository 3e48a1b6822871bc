#!/bin/sh
# An authority for this server alone and a certificate of it for ten years; the authority's key is not kept.
#   make-certificate.sh FOLDER NAME...
set -eu
umask 077
folder=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
names=
for name in "$@"; do
  case $name in
    *[!0-9.]*) names="$names,DNS:$name" ;;
    *) names="$names,IP:$name" ;;
  esac
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=PostgreSQL of Kontor on $1" \
  -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$work/ca.key" -out "$work/ca.pem"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$work/server.key" -out "$work/request"
printf 'subjectAltName=%s\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\n' "${names#,}" >"$work/extensions"
openssl x509 -req -in "$work/request" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 3650 -extfile "$work/extensions" -out "$work/server.pem"
for file in ca.pem server.key server.pem; do install -o root -g postgres -m 0640 "$work/$file" "$folder/$file"; done
