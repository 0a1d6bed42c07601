/**
 * The cases of x509-limbo and what certpin makes of them.
 *
 * @module
 */
import type { CryptoRoutine } from "../../src/crypto/routine.ts";
import { CertpinError, LimitError } from "../../src/errors.ts";
import { SignatureCache } from "../../src/path/signature.ts";
import { verifyPathRoutine } from "../../src/path/verify.ts";
import { parseCertificates } from "../../src/x509/certificate.ts";

/** One case, as the suite writes it; fields that are not used here are left out. */
export interface LimboCase {
  readonly id: string;
  readonly stratum?: string;
  readonly validation_kind: "SERVER" | "CLIENT";
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly expected_result: "SUCCESS" | "FAILURE";
  readonly expected_peer_name: { kind: string; value: string } | null;
  readonly max_chain_depth: number | null;
}

/** What came of a case. */
export type Outcome = "right" | "false accept" | "false reject" | "over budget";

/** A case with what came of it. */
export interface LimboResult {
  readonly id: string;
  readonly stratum: string;
  readonly namespace: string;
  readonly outcome: Outcome;
  /** The error's code, where the path was refused. */
  readonly code: string | undefined;
  /** From DER to verdict, in milliseconds. */
  readonly milliseconds: number;
}

/** Runs a computation: over WebCrypto, or over another library. */
export type Driver = <T>(steps: CryptoRoutine<T>) => T | Promise<T>;

/** Reads a suite: one case a line, gzip where the name ends in `.gz`. */
export async function* readLimbo(
  file: string | URL,
): AsyncGenerator<LimboCase> {
  const bytes = (await Deno.open(file)).readable;
  const plain = String(file).endsWith(".gz")
    ? bytes.pipeThrough(new DecompressionStream("gzip"))
    : bytes;
  let rest = "";
  for await (const text of plain.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
  }
  if (rest.trim() !== "") yield JSON.parse(rest);
}

/**
 * Evaluates one case, with a signature cache of its own. A case without a time is
 * evaluated now.
 */
export async function evaluate(
  limbo: LimboCase,
  driver: Driver,
): Promise<LimboResult> {
  const start = performance.now();
  const error = await refusal(limbo, driver);
  const milliseconds = performance.now() - start;
  const accepted = error === undefined;
  const wanted = limbo.expected_result === "SUCCESS";
  // An end by a limit is the right end for a case that is to be refused.
  const overBudget = wanted && error instanceof LimitError;
  return {
    id: limbo.id,
    stratum: limbo.stratum ?? "all",
    namespace: limbo.id.split("::")[0],
    outcome: overBudget
      ? "over budget"
      : accepted === wanted
      ? "right"
      : accepted
      ? "false accept"
      : "false reject",
    code: error?.code,
    milliseconds,
  };
}

async function refusal(
  limbo: LimboCase,
  driver: Driver,
): Promise<CertpinError | undefined> {
  const depth = limbo.max_chain_depth;
  try {
    const chain = [limbo.peer_certificate, ...limbo.untrusted_intermediates]
      .flatMap((pem) => parseCertificates(pem));
    await driver(verifyPathRoutine(
      chain,
      {
        hostname: limbo.expected_peer_name?.value,
        anchors: limbo.trusted_certs.flatMap((pem) => parseCertificates(pem)),
        at: limbo.validation_time === null
          ? new Date()
          : new Date(limbo.validation_time),
        limits: depth === null ? {} : { intermediates: depth },
      },
      new SignatureCache(),
    ));
    return undefined;
  } catch (error) {
    if (error instanceof CertpinError) return error;
    throw error;
  }
}
