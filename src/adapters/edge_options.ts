/**
 * Options of the edge adapters, and client certificates.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import {
  CERTIFICATES,
  functionOf,
  kindOf,
  MILLISECONDS,
  PORT,
  type Shape,
  SIGNAL,
  TEXT,
  TEXTS,
} from "../tls/options.ts";
import type { Connect } from "./edge_gate.ts";
import type { ClientCertificate } from "../tls13/client.ts";
import { parseCertificates } from "../x509/certificate.ts";
import { readPem } from "../x509/pem.ts";

/** Options that all functions of the edge adapters take. */
export const EDGE_OPTIONS = {
  ca: CERTIFICATES,
  cert: TEXT,
  connectTimeout: MILLISECONDS,
  key: kindOf<string | CryptoKey>(
    "PEM text or a CryptoKey",
    (value) => typeof value === "string" || value instanceof CryptoKey,
  ),
} as const satisfies Shape;

/** How a raw connection is opened. */
export const CONNECT_OPTIONS = {
  connect: functionOf<Connect>(),
} as const satisfies Shape;

/** How long a fetch waits. */
export const TIMEOUT_OPTIONS = {
  bodyTimeout: MILLISECONDS,
  headersTimeout: MILLISECONDS,
  keepAliveTimeout: MILLISECONDS,
} as const satisfies Shape;

/** Whom a connection must reach, and how it is asked. */
export const PEER_OPTIONS = {
  alpnProtocols: TEXTS,
  hostname: TEXT,
  signal: SIGNAL,
} as const satisfies Shape;

/** Where it is opened to. */
export const PORT_OPTIONS = { port: PORT } as const satisfies Shape;

function refuse(why: string): never {
  throw new ConnectionError("ERR_CERTPIN_OPTION", why);
}

/**
 * Reads a client certificate.
 *
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION` for one of the two alone, or
 * for a key in another form than PKCS#8.
 * @throws {CertificateError} where the certificates cannot be read.
 */
export function readClientCertificate(
  cert: string | undefined,
  key: string | CryptoKey | undefined,
): ClientCertificate | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    return refuse('The options "cert" and "key" go together: set both');
  }
  const chain = parseCertificates(cert).map(({ der }) => der);
  if (typeof key !== "string") return { chain, key };
  const [block, ...more] = readPem(key, (label) => label === "PRIVATE KEY");
  if (block === undefined || more.length > 0) {
    return refuse(
      'The option "key" must hold one PKCS#8 key ("BEGIN PRIVATE KEY")',
    );
  }
  return { chain, key: block.bytes };
}
