/**
 * What to do about a refusal, where a command knows more than its message.
 *
 * @module
 */

const REMEDIES: Readonly<Record<string, string>> = {
  ERR_CERTPIN_PATH_NO_ISSUER:
    "for a private CA name its root with --root FILE; for a public one the server may not send its intermediate",
  ERR_CERTPIN_UNLISTED: 'add the host to the policy, or set "unlisted"',
};

/** A remedy for a code; undefined where the message says it all. */
export function remedyFor(code: string): string | undefined {
  return REMEDIES[code];
}
