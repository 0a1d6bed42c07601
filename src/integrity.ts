/**
 * Subresource integrity (W3C SRI, "Do bytes match metadataList?").
 *
 * @module
 */

const STRENGTHS = ["sha256", "sha384", "sha512"] as const;

const METADATA =
  /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})(?:\?[\x21-\x7e]*)?$/i;

const ALGORITHMS = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
} as const;

function toStandardBase64(text: string): string {
  return text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
}

/** Whether bytes have one of the strongest digests that the metadata names. */
export async function matchesIntegrity(
  bytes: Uint8Array<ArrayBuffer>,
  metadata: string,
): Promise<boolean> {
  const byAlgorithm = new Map<string, Set<string>>();
  for (const item of metadata.split(/[\t\n\f\r ]+/)) {
    const match = METADATA.exec(item);
    if (match === null) continue;
    const algorithm = match[1].toLowerCase();
    const digests = byAlgorithm.get(algorithm) ?? new Set();
    byAlgorithm.set(algorithm, digests.add(toStandardBase64(match[2])));
  }
  // What names no digest that is known demands nothing.
  const strongest = STRENGTHS.findLast((name) => byAlgorithm.has(name));
  if (strongest === undefined) return true;
  const digest = await crypto.subtle.digest(ALGORITHMS[strongest], bytes);
  const text = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return byAlgorithm.get(strongest)!.has(toStandardBase64(text));
}
