/**
 * What the command, `@certpin/cli`, needs of the library over `node:tls`.
 *
 * **Unstable**, as `@certpin/certpin/internal` is: nothing here is part of the
 * API.
 *
 * @module
 */
export { type LinkedCertificate, presentedChain } from "./chain.ts";
export { requireRuntime } from "./runtime.ts";
export { platformAnchors, publicAnchors } from "./trust.ts";
