#!/bin/sh
# Makes the certificates of a region's NATS in ./tls: an authority, one for each server, one for nodes, one for gateways.
# What is there already stays, so it can be run again for a new server, or after a file was removed to renew it.
#
#   make-certificates.sh HOST[,ADDRESS…]…    e.g. make-certificates.sh nats-1.eu.example,10.0.0.1 nats-2.eu.example
#
# The first HOST's certificate is tls/server.pem, that of a further one tls/server-2.pem, and so on. Days: 825, or $DAYS.
set -eu
[ $# -gt 0 ] || { sed -n '2,8p' "$0"; exit 2; }
umask 077
mkdir -p tls
cd tls
days=${DAYS:-825}
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }

if [ ! -f ca.pem ]; then
  key ca.key
  openssl req -x509 -new -key ca.key -sha256 -days 3650 -subj '/CN=Tangaza NATS' -out ca.pem \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign'
fi

# certificate FILE NAME USE [ALTERNATIVE NAMES]
certificate() {
  [ ! -f "$1.pem" ] || { echo "tls/$1.pem is there already"; return; }
  key "$1.key"
  {
    echo 'basicConstraints=CA:FALSE'
    echo "extendedKeyUsage=$3"
    [ -z "${4:-}" ] || echo "subjectAltName=$4"
  } >"$1.ext"
  openssl req -new -key "$1.key" -subj "/CN=$2" |
    openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days "$days" -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  rm "$1.ext"
  echo "made tls/$1.pem"
}

number=1
for hosts in "$@"; do
  names=$(echo "$hosts" | tr ',' '\n' | sed -E 's/^([0-9.]+|.*:.*)$/IP:\1/; t; s/^/DNS:/' | paste -sd, -)
  name=server
  [ "$number" -eq 1 ] || name=server-$number
  # Servers are clients of each other.
  certificate "$name" "${hosts%%,*}" serverAuth,clientAuth "$names"
  number=$((number + 1))
done
certificate node node clientAuth
certificate gateway gateway clientAuth
