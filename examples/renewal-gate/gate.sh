#!/bin/sh
# Installs a renewed certificate only if the deployed policy accepts it.
#
#   gate.sh POLICY CHAIN KEY DIRECTORY HOST...
#
# Copies CHAIN and KEY to DIRECTORY/fullchain.pem and DIRECTORY/privkey.pem once
# certpin has allowed the chain for every HOST; else it ends with 1 and what is
# installed stays. CERTPIN says how certpin is run, CERTPIN_ROOT names a PEM file
# to trust instead of the platform's roots.
set -eu
policy=$1 chain=$2 key=$3 directory=$4
shift 4
for host in "$@"; do
  # shellcheck disable=SC2086 -- a command with its arguments
  ${CERTPIN:-npx -y @certpin/cli} check "$policy" --chain "$chain" --host "$host" \
    ${CERTPIN_ROOT:+--root "$CERTPIN_ROOT"} || {
    echo "gate: $host would lock clients out; the old certificate stays" >&2
    exit 1
  }
done
umask 077
cp "$key" "$directory/.privkey.pem.new"
cp "$chain" "$directory/.fullchain.pem.new"
mv "$directory/.privkey.pem.new" "$directory/privkey.pem"
mv "$directory/.fullchain.pem.new" "$directory/fullchain.pem"
