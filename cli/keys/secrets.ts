/**
 * Keys from files, and the passphrases that open them. A passphrase is never
 * an argument: arguments are seen by every process of the machine.
 *
 * @module
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { CertpinError } from "@certpin/certpin";
import { escapeText } from "@certpin/certpin/internal";
import { type KeyEntry, readKeys } from "./keys.ts";
import { about, Failure } from "../failure.ts";
import { readInput, readText, STDIN } from "../files.ts";
import type { Io } from "../io.ts";

/** The environment variable that a passphrase is read from. */
export const PASSPHRASE_VARIABLE = "CERTPIN_PASSPHRASE";

/** Kinds of keys that WebCrypto lacks (Ed448 in Deno), `node:crypto` may have. */
function derivePublicKey(
  pkcs8: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const secret = createPrivateKey({
    key: Buffer.from(pkcs8),
    format: "der",
    type: "pkcs8",
  });
  const der = createPublicKey(secret).export({ format: "der", type: "spki" });
  return new Uint8Array(der);
}

/** The passphrase: from the file, the environment, or the terminal, in this order. */
export async function passphraseFor(
  io: Io,
  source: string,
  passphraseFile: string | undefined,
): Promise<string> {
  if (passphraseFile !== undefined) {
    // The line break that editors add is not part of it.
    return (await readText(io, passphraseFile)).replace(/\r?\n$/, "");
  }
  const given = io.env(PASSPHRASE_VARIABLE);
  if (given) return given;
  const answer = source === STDIN ? undefined : await io
    .askHidden(`Passphrase for ${escapeText(source)}: `);
  if (answer === null) throw new Failure("Interrupted", { subject: source });
  if (answer !== undefined) return answer;
  throw new Failure("Cannot decrypt: it needs a passphrase", {
    subject: source,
    hint:
      `--passphrase-file FILE or the variable ${PASSPHRASE_VARIABLE} gives it where no terminal asks`,
  });
}

function hintFor(error: CertpinError): string | undefined {
  return error.code === "ERR_CERTPIN_KEY_FORMAT"
    ? "certificates, public keys, private keys and CSRs are read, PEM or DER, and PKCS#12"
    : undefined;
}

/** Reads the keys in a file or in standard input. */
export async function readKeyFile(
  io: Io,
  source: string,
  passphraseFile?: string,
): Promise<KeyEntry[]> {
  const bytes = await readInput(io, source);
  return await about(
    source,
    () =>
      readKeys(bytes, {
        derivePublicKey,
        passphrase: () => passphraseFor(io, source, passphraseFile),
      }),
    hintFor,
  );
}
