#!/bin/sh
# Deploy hook of certbot: certbot renew --deploy-hook /etc/certpin/certbot.sh
#
# The web server reads from INSTALL, not from /etc/letsencrypt/live, so that a
# refused certificate is never served. Keep the key with --reuse-key.
set -eu
here=$(dirname "$0")
# shellcheck disable=SC2086 -- certbot separates the names by spaces
"$here/gate.sh" "${POLICY:-/etc/certpin/pins.json}" \
  "$RENEWED_LINEAGE/fullchain.pem" "$RENEWED_LINEAGE/privkey.pem" \
  "${INSTALL:-/etc/ssl/site}" $RENEWED_DOMAINS
${RELOAD:-systemctl reload nginx}
