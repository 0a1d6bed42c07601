/**
 * Options of the edge adapters: each is known by name and by type.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import { didYouMean } from "../suggest.ts";
import { quoteText } from "../text.ts";
import type { ClientCertificate } from "../tls13/client.ts";
import { parseCertificates } from "../x509/certificate.ts";
import { readPem } from "../x509/pem.ts";

type Check = readonly [expected: string, holds: (value: unknown) => boolean];

const MILLISECONDS: Check = [
  "a number of milliseconds, or 0",
  (value) => typeof value === "number" && value >= 0 && value < 2 ** 31,
];
const TEXT: Check = ["a string", (value) => typeof value === "string"];

/** What each option must be. Certificates are read where they are used. */
const CHECKS = {
  alpnProtocols: [
    "a list of strings",
    (value) => Array.isArray(value) && value.every(TEXT[1]),
  ],
  bodyTimeout: MILLISECONDS,
  ca: ["certificates", (value) => value !== undefined],
  cert: TEXT,
  connect: ["a function", (value) => typeof value === "function"],
  connectTimeout: MILLISECONDS,
  headersTimeout: MILLISECONDS,
  hostname: TEXT,
  keepAliveTimeout: MILLISECONDS,
  key: [
    "PEM text or a CryptoKey",
    (value) => typeof value === "string" || value instanceof CryptoKey,
  ],
  port: [
    "a port number",
    (value) =>
      Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
  ],
  signal: ["an AbortSignal", (value) => value instanceof AbortSignal],
} as const satisfies Readonly<Record<string, Check>>;

/** An option that {@linkcode readOptions} knows. */
export type OptionName = keyof typeof CHECKS;

function refuse(why: string): never {
  throw new ConnectionError("ERR_CERTPIN_OPTION", why);
}

/**
 * Checks options whose dangerous ones were refused and whose pinner's ones were
 * taken out.
 *
 * @param required Options that must be there.
 * @param optional Options that may be there.
 * @throws {ConnectionError} `ERR_CERTPIN_OPTION` for an unknown name, a wrong
 * type or a missing option.
 */
export function readOptions<Options>(
  taken: Readonly<Record<string, unknown>>,
  required: readonly OptionName[],
  optional: readonly OptionName[],
): Options {
  const known: readonly string[] = [...required, ...optional];
  for (const name of Object.keys(taken)) {
    if (known.includes(name)) continue;
    refuse(
      `There is no option ${quoteText(name)}${didYouMean(name, known)}`,
    );
  }
  for (const name of required) {
    if (!Object.hasOwn(taken, name)) refuse(`Set the option "${name}"`);
  }
  for (const [name, value] of Object.entries(taken)) {
    const [expected, holds] = CHECKS[name as OptionName];
    if (!holds(value)) refuse(`The option "${name}" must be ${expected}`);
  }
  return taken as Options;
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
