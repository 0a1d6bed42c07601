#!/bin/sh
# Reload command of acme.sh, which installs into a staging folder first:
#
#   acme.sh --install-cert -d api.example.com \
#     --fullchain-file /etc/certpin/staging/fullchain.pem \
#     --key-file /etc/certpin/staging/privkey.pem \
#     --reloadcmd "/etc/certpin/acme-sh.sh api.example.com"
set -eu
here=$(dirname "$0")
staging=${STAGING:-/etc/certpin/staging}
"$here/gate.sh" "${POLICY:-/etc/certpin/pins.json}" \
  "$staging/fullchain.pem" "$staging/privkey.pem" \
  "${INSTALL:-/etc/ssl/site}" "$@"
${RELOAD:-systemctl reload nginx}
