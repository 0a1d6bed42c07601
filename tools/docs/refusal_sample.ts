/**
 * Makes the sample of a refusal in `docs/refusals.md` from a real one.
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding/base64";
import { createPinner, parseCertificates } from "../../mod.ts";
import { mintChain } from "../../src/testing/mod.ts";

/** Keys are random: each digest becomes one that is the same every time. */
async function settled(message: string): Promise<string> {
  const digests = [...new Set(message.match(/[A-Za-z0-9+/]{43}=/g))];
  let text = message;
  for (const [index, digest] of digests.entries()) {
    const stable = await crypto.subtle.digest(
      "SHA-256",
      new TextEncoder().encode(`sample ${index}`),
    );
    text = text.replaceAll(digest, encodeBase64(stable));
  }
  return text;
}

/** The message of a mismatch. */
export async function mismatchSample(): Promise<string> {
  const hostname = "api.example.com";
  const [ours, other] = [
    await mintChain({ hostnames: [hostname], name: "Example" }),
    await mintChain({ hostnames: [hostname], name: "Inspecting proxy" }),
  ];
  const pinner = createPinner(ours.policy, {
    anchors: parseCertificates(other.ca),
  });
  const { error } = await pinner.check({ hostname, chain: other.chain });
  if (error === undefined) throw new Error("The impostor was not refused");
  return `\`\`\`text\n${error.code}\n${await settled(error.message)}\n\`\`\``;
}
