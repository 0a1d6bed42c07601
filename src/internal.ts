/**
 * What the command, `@certpin/cli`, needs of the library besides its public
 * functions.
 *
 * **Unstable.** Nothing here is part of the API: names come and go in every
 * version, and only `@certpin/cli` of the same version may import them. Use the
 * package's other entry points instead.
 *
 * @module
 */
export { type Bytes, digests } from "./crypto/routine.ts";
export { runWithWebCrypto } from "./crypto/webcrypto.ts";
export { canonicalHost } from "./host.ts";
export { resolveLimits } from "./limits.ts";
export { classifyKey, importableSpki } from "./path/algorithms.ts";
export { type AnchorStore, anchorStore } from "./path/anchors.ts";
export { type FoundPath, searchPaths } from "./path/search.ts";
export { SignatureCache } from "./path/signature.ts";
export { evaluateRoutine } from "./pinner/pinner.ts";
export { fingerprintRoutine } from "./pins/fingerprint.ts";
export { formatTlsa, parsePinWithRole } from "./pins/pin.ts";
export { digestOf, makePin } from "./pins/value.ts";
export {
  type AcceptedFinding,
  applyAccept,
  type SortedFindings,
} from "./policy/accept.ts";
export { finding, FINDINGS } from "./policy/findings.ts";
export { hashCertificatePins } from "./policy/hash_certificate_pins.ts";
export { lintRoutine } from "./policy/lint.ts";
export { policyRecordOf } from "./policy/policy.ts";
export { readPolicy } from "./policy/read.ts";
export {
  findEntry,
  type HostEntry,
  type PinRule,
  type PolicyRecord,
} from "./policy/record.ts";
export { escapeText, quoteText } from "./text.ts";
export { VERSION } from "./version.ts";
export { parseDer, recordOf } from "./x509/certificate.ts";
export {
  bytesEqual,
  type DerValue,
  readDer,
  sequence,
  TAG,
} from "./x509/der.ts";
export { readPublicKeyInfo } from "./x509/layout.ts";
export { organisationOf } from "./x509/organisation.ts";
export { readPem, writePem } from "./x509/pem.ts";
