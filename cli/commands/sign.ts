/**
 * `certpin sign`: a policy, signed for the clients that fetch it.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { message } from "@optique/core/message";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { readPem } from "@certpin/certpin/internal";
import { signPolicy } from "@certpin/certpin/updates";
import { encodeBase64 } from "@std/encoding/base64";
import type { CommandParser } from "../command.ts";
import { about, EXIT_OK, Failure } from "../failure.ts";
import { readText, writeWhole } from "../files.ts";
import type { Io } from "../io.ts";
import { decryptPrivateKey } from "../keys/pbes2.ts";
import { passphraseFor } from "../keys/secrets.ts";
import { readPolicyFile } from "../policy_file.ts";
import { jsonText } from "../render/json.ts";
import { dayOf } from "../render/view.ts";
import { errStyle, shown } from "../render/style.ts";
import { date, file, whole } from "../values.ts";

const DAY_MS = 86_400_000;
const ENCRYPTED = "ENCRYPTED PRIVATE KEY";

/** What a sequence may be. */
export const SEQUENCE = whole("N", 0, Number.MAX_SAFE_INTEGER);

interface SignOptions {
  readonly policy: string;
  readonly key: string;
  readonly passphraseFile?: string;
  readonly audience: string;
  readonly sequence: number;
  readonly days: number;
  readonly expiresAt?: Date;
  readonly keyId?: string;
  readonly out?: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** The private key as PKCS#8 in PEM, decrypted. */
async function privateKeyPem(
  io: Io,
  { key: source, passphraseFile }: SignOptions,
): Promise<string> {
  const pem = await readText(io, source);
  return await about(source, async () => {
    const [encrypted] = readPem(pem, (label) => label === ENCRYPTED);
    if (encrypted === undefined) return pem;
    const plain = await decryptPrivateKey(
      encrypted.bytes,
      () => passphraseFor(io, source, passphraseFile),
    );
    const lines = encodeBase64(plain).match(/.{1,64}/g) ?? [];
    return [
      "-----BEGIN PRIVATE KEY-----",
      ...lines,
      "-----END PRIVATE KEY-----\n",
    ].join("\n");
  });
}

async function run(io: Io, options: SignOptions): Promise<number> {
  const { audience, sequence, days, keyId, out, force, json } = options;
  const { policy } = await readPolicyFile(io, options.policy);
  const issuedAt = new Date();
  const expiresAt = options.expiresAt ??
    new Date(issuedAt.getTime() + days * DAY_MS);
  if (expiresAt <= issuedAt) {
    throw new Failure("Cannot sign: the date has passed", {
      subject: "--expires-at",
    });
  }
  if (audience === "") {
    throw new Failure("Cannot sign: name the clients that it is for", {
      subject: "--audience",
    });
  }
  const key = await privateKeyPem(io, options);
  const signed = await about(
    options.key,
    () =>
      signPolicy(policy, {
        key,
        audience,
        sequence,
        issuedAt,
        expiresAt,
        ...keyId !== undefined && { keyId },
      }),
    (error) =>
      error.code === "ERR_CERTPIN_KEY_FORMAT"
        ? "openssl genpkey -algorithm ed25519 makes a key that signs"
        : undefined,
  );
  if (out !== undefined) await writeWhole(out, `${signed}\n`, force);
  if (json) {
    io.out(jsonText({
      signed,
      ...out !== undefined && { file: out },
      audience,
      sequence,
      issuedAt,
      expiresAt,
      ...keyId !== undefined && { keyId },
    }));
    return EXIT_OK;
  }
  if (out === undefined) io.out(`${signed}\n`);
  const style = errStyle(io);
  io.err(
    `${style.green("signed")} ${
      shown(options.policy)
    }: sequence ${sequence}, accepted until ${dayOf(expiresAt)}\n`,
  );
  return EXIT_OK;
}

/** The command. */
export const signCommand: CommandParser = command(
  "sign",
  map(
    object({
      policy: argument(file("POLICY"), {
        description: message`The policy to sign; - is standard input.`,
      }),
      key: option("--key", file(), {
        description: message`The private key: Ed25519 or P-256, PKCS#8 in PEM.`,
      }),
      passphraseFile: optional(
        option("--passphrase-file", file(), {
          description:
            message`Holds the passphrase of an encrypted key; so does the variable ${"CERTPIN_PASSPHRASE"}.`,
        }),
      ),
      audience: option("--audience", string({ metavar: "NAME" }), {
        description: message`Which clients it is for.`,
      }),
      sequence: option("--sequence", SEQUENCE, {
        description: message`Higher than all that were published before.`,
      }),
      days: withDefault(
        option("--days", whole("DAYS", 1, 3_650), {
          description: message`How long clients accept it.`,
        }),
        30,
      ),
      expiresAt: optional(
        option("--expires-at", date(), {
          description: message`Until when clients accept it, instead.`,
        }),
      ),
      keyId: optional(
        option("--key-id", string({ metavar: "NAME" }), {
          description: message`Names the key, for people.`,
        }),
      ),
      out: optional(
        option("--out", file(), {
          description: message`Writes it there instead of standard output.`,
        }),
      ),
      force: option("--force", {
        description: message`Writes over a file that exists.`,
      }),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`Signs a policy for the clients that fetch it.`,
    description:
      message`Checks the policy whole, and writes it as a compact JWS. Put the file on any static host; clients with the public key accept it.`,
  },
);
