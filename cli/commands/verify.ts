/**
 * `certpin verify`: what a client would say to a signed policy.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { message } from "@optique/core/message";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { UpdateError } from "@certpin/certpin";
import { escapeText } from "@certpin/certpin/internal";
import {
  type SignedPolicy,
  verifySignedPolicy,
} from "@certpin/certpin/updates";
import type { CommandParser } from "../command.ts";
import {
  about,
  EXIT_FAILED,
  EXIT_OK,
  Failure,
  printFailure,
} from "../failure.ts";
import { readText } from "../files.ts";
import type { Io } from "../io.ts";
import { jsonText } from "../render/json.ts";
import { dayOf } from "../render/view.ts";
import { count, outStyle, shown } from "../render/style.ts";
import { date, file } from "../values.ts";
import { SEQUENCE } from "./sign.ts";

interface VerifyOptions {
  readonly signed: string;
  readonly keys: readonly string[];
  readonly audience: string;
  readonly minimumSequence: number;
  readonly at?: Date;
  readonly json: boolean;
}

function print(io: Io, source: string, signed: SignedPolicy): void {
  const { policy, sequence, issuedAt, expiresAt, keyId } = signed;
  const style = outStyle(io);
  const key = keyId === undefined ? "" : `, key ${escapeText(keyId)}`;
  io.out(
    `${style.green("accepted")} ${
      shown(source)
    }: sequence ${sequence}${key}\n` +
      `  issued ${dayOf(issuedAt)}, accepted until ${dayOf(expiresAt)}\n` +
      `  ${count(policy.hostnames.length, "host")}: ${
        policy.hostnames.map(escapeText).join(", ")
      }\n`,
  );
}

async function run(io: Io, options: VerifyOptions): Promise<number> {
  const { signed: source, audience, minimumSequence, at, json } = options;
  if (audience === "") {
    throw new Failure("Cannot verify: name the clients that it is for", {
      subject: "--audience",
    });
  }
  const text = await readText(io, source);
  const keys: string[] = [];
  for (const name of options.keys) keys.push(await readText(io, name));
  let signed: SignedPolicy;
  try {
    signed = await about(options.keys.join(", "), async () => {
      try {
        return await verifySignedPolicy(text, {
          keys,
          audience,
          minimumSequence,
          ...at && { at },
        });
      } catch (error) {
        // About the signed policy, not about the keys.
        if (error instanceof UpdateError) {
          throw new Failure(error.message, { subject: source, cause: error });
        }
        throw error;
      }
    });
  } catch (error) {
    if (!(error instanceof Failure && error.cause instanceof UpdateError)) {
      throw error;
    }
    const { code, message } = error.cause;
    if (json) io.out(jsonText({ ok: false, error: { code, message } }));
    else printFailure(io, error);
    return EXIT_FAILED;
  }
  if (json) io.out(jsonText({ ok: true, audience, ...signed }));
  else print(io, source, signed);
  return EXIT_OK;
}

/** The command. */
export const verifyCommand: CommandParser = command(
  "verify",
  map(
    object({
      signed: argument(file(), {
        description: message`The signed policy; - is standard input.`,
      }),
      keys: multiple(
        option("--key", file(), {
          description:
            message`A public key, SPKI in PEM; may be said several times.`,
        }),
        { min: 1, errors: { tooFew: message`Name at least one --key.` } },
      ),
      audience: option("--audience", string({ metavar: "NAME" }), {
        description: message`Which clients it must be for.`,
      }),
      minimumSequence: withDefault(
        option("--minimum-sequence", SEQUENCE, {
          description: message`The lowest sequence to accept.`,
        }),
        0,
      ),
      at: optional(
        option("--at", date(), {
          description: message`Check it at this time instead of now.`,
        }),
      ),
      json: option("--json", { description: message`One JSON document.` }),
    }),
    (options) => (io: Io) => run(io, options),
  ),
  {
    brief: message`Says whether clients accept a signed policy.`,
    description:
      message`Verifies the signature, the audience, the dates and the policy, as clients do. Ends with 1 if they refuse it.`,
  },
);
