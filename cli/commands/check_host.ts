/**
 * What a policy would say to one host.
 *
 * @module
 */
import {
  CertpinError,
  ConnectionError,
  type Finding,
  type Pinner,
  type Verdict,
} from "@certpin/certpin";
import { evaluateRoutine, runWithWebCrypto } from "@certpin/certpin/internal";
import { publicAnchors as listPublicAnchors } from "@certpin/certpin/internal/tls";
import { probe } from "../probe.ts";
import { type StartTls, STARTTLS_PORTS } from "../starttls.ts";
import type { Trust } from "../trust.ts";
import { type Address, formatTarget } from "../values.ts";

/** A host to check. */
export interface CheckTarget {
  readonly hostname: string;
  /** Undefined offline. */
  readonly port?: number;
}

/** What came of it. */
export interface CheckResult {
  readonly hostname: string;
  readonly port?: number;
  readonly decision: Verdict["decision"];
  readonly reason: Verdict["reason"];
  readonly matched: readonly { pin: string; role: string }[];
  readonly warnings: readonly Finding[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** How hosts are checked. */
export interface CheckSettings {
  readonly pinner: Pinner;
  readonly trust: Trust;
  /** Whether the clock says another time than now: then the platform's verdict says nothing. */
  readonly isAnotherTime: boolean;
  readonly timeoutMilliseconds: number;
  readonly retries: number;
  readonly connectTo?: Address;
  readonly starttls?: StartTls;
}

/** The port of a target that was typed without one. */
export function defaultPort(starttls: StartTls | undefined): number {
  return starttls === undefined ? 443 : STARTTLS_PORTS[starttls];
}

function failed(target: CheckTarget, error: CertpinError): CheckResult {
  return {
    ...target,
    decision: "block",
    reason: "invalid-chain",
    matched: [],
    warnings: [],
    error: { code: error.code, message: error.message },
  };
}

/** Evaluates a chain for a host. */
export async function checkChain(
  target: CheckTarget,
  chain: readonly Uint8Array[],
  settings: CheckSettings,
  platformValidated: boolean,
): Promise<CheckResult> {
  const publicAnchors = listPublicAnchors();
  const { decision, reason, matched, warnings, error } = await runWithWebCrypto(
    evaluateRoutine(settings.pinner, {
      ...target,
      chain,
      anchors: settings.trust.anchors,
      ...(publicAnchors === undefined ? {} : { publicAnchors }),
      platformValidated,
    }),
  );
  return {
    ...target,
    decision,
    reason,
    matched: matched.map(({ pin, role }) => ({ pin: `${pin}`, role })),
    warnings,
    ...(error === undefined
      ? {}
      : { error: { code: error.code, message: error.message } }),
  };
}

/** Connects to a host and evaluates what it presents; again after failures to connect, where retries are allowed. */
export async function checkHost(
  target: Required<CheckTarget>,
  settings: CheckSettings,
): Promise<CheckResult> {
  const { trust, retries, connectTo, starttls, isAnotherTime } = settings;
  for (let attempt = 0;; attempt++) {
    try {
      const { presented, platformRefusal } = await probe({
        ...target,
        ...(trust.ca === undefined ? {} : { ca: trust.ca }),
        ...(connectTo === undefined ? {} : { address: connectTo }),
        ...(starttls === undefined ? {} : { starttls }),
        timeoutMilliseconds: settings.timeoutMilliseconds,
      });
      const isValidated = platformRefusal === undefined && !isAnotherTime;
      const result = await checkChain(target, presented, settings, isValidated);
      if (
        result.decision === "block" || isAnotherTime ||
        platformRefusal === undefined
      ) return result;
      // The adapters need the platform's consent too.
      return failed(
        target,
        new ConnectionError(
          "ERR_CERTPIN_HANDSHAKE",
          `The platform refuses ${
            formatTarget(target.hostname, target.port)
          }: ${platformRefusal}`,
        ),
      );
    } catch (error) {
      if (!(error instanceof CertpinError)) throw error;
      if (attempt >= retries) return failed(target, error);
    }
  }
}
