#!/bin/sh
# Starts the shim for one test of BoringSSL's runner. What the client never
# speaks is told before anything is loaded: most tests are about that.
for argument in "$@"; do
  case $argument in
    -is-handshaker-supported) echo No && exit 0 ;;
    -server | -dtls | -quic | -handoff) exit 89 ;;
  esac
done
here=$(dirname "$0")
exec "${DENO:-deno}" run --no-check --no-lock --quiet --config "$here/../../deno.json" -A "$here/shim.ts" "$@"
