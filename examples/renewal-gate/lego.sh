#!/bin/sh
# Hook of lego: lego renew --reuse-key --renew-hook /etc/certpin/lego.sh
set -eu
here=$(dirname "$0")
"$here/gate.sh" "${POLICY:-/etc/certpin/pins.json}" \
  "$LEGO_CERT_PATH" "$LEGO_CERT_KEY_PATH" \
  "${INSTALL:-/etc/ssl/site}" "$LEGO_CERT_DOMAIN"
${RELOAD:-systemctl reload nginx}
