/**
 * Certificate pinning in pure WebCrypto: a client accepts a server only where
 * a pin matches a certificate on a path that was verified here.
 *
 * This is the runtime-agnostic core. `./deno` and `./node` plug it into real
 * connections, `./testing` mints chains for tests.
 *
 * @example
 * ```ts
 * import { createPinner, parseCertificates } from "@certpin/certpin";
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const { chain, ca, policy } = await mintChain({ hostnames: ["api.example.com"] });
 * const pinner = createPinner(policy, { anchors: parseCertificates(ca) });
 * const verdict = await pinner.check({ hostname: "api.example.com", chain });
 * console.log(verdict.decision, verdict.reason); // allow pinned
 * ```
 *
 * @module
 */
export * from "./src/errors.ts";
export { DEFAULT_LIMITS, type Limits } from "./src/limits.ts";
export {
  type Certificate,
  type CertificateJson,
  parseCertificates,
} from "./src/x509/certificate.ts";
export {
  formatPin,
  type HashName,
  parsePin,
  type Pin,
  type PinStyle,
} from "./src/pins/pin.ts";
export { fingerprint } from "./src/pins/fingerprint.ts";
export {
  type Path,
  verifyPath,
  type VerifyPathOptions,
} from "./src/path/verify.ts";
export type { Role } from "./src/path/search.ts";
export type { Profile } from "./src/path/rule_table.ts";
export type {
  AcceptDocument,
  CertificatePinDocument,
  HostDocument,
  HostInput,
  PinDocument,
  PinInput,
  PinRole,
  PolicyDocument,
  PolicyInput,
} from "./src/policy/document.ts";
export { parsePolicy, type Policy } from "./src/policy/policy.ts";
export type { Finding, FindingCode, Severity } from "./src/policy/findings.ts";
export { type LintOptions, lintPolicy } from "./src/policy/lint.ts";
export {
  type AllowVerdict,
  type BlockVerdict,
  createPinner,
  type Peer,
  type PinMatch,
  type Pinner,
  type PinnerOptions,
  type Report,
  type ReportJson,
  type Verdict,
  type VerdictBase,
  type VerdictJson,
} from "./src/pinner/pinner.ts";
