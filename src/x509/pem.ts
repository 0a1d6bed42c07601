/**
 * Certificates in PEM (RFC 7468): text around the blocks is ignored, what is
 * between the lines is read strictly.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import type { Bytes } from "../crypto/routine.ts";
import { CertificateError, LimitError } from "../errors.ts";
import {
  MAX_CERTIFICATE_BYTES,
  MAX_PARSED_CERTIFICATES,
  MAX_PEM_LENGTH,
} from "../limits.ts";

const BOUNDARY = /^-----(BEGIN|END) ([ -~]*?)-----[ \t]*$/;
/** Longest body of a certificate's block, in characters of base64. */
const MAX_CERTIFICATE_BASE64_LENGTH = 4 * Math.ceil(MAX_CERTIFICATE_BYTES / 3);

/** One block of PEM. */
export interface PemBlock {
  /** What stands after BEGIN. */
  readonly label: string;
  /** The decoded bytes, owned by the caller. */
  readonly bytes: Bytes;
}

function pemError(message: string, cause?: unknown): never {
  throw new CertificateError("ERR_CERTPIN_CERTIFICATE_PEM", message, {
    cause,
  });
}

/** What went wrong with text that was copied by hand or through a variable. */
function mishapIn(text: string): string {
  if (text.includes("-----\\n") || text.includes("-----\\r\\n")) {
    return '; its line breaks are written as a backslash and "n", put real ones in their place';
  }
  return /^[ \t]+-----(?:BEGIN|END) /m.test(text)
    ? "; its lines are indented, begin them without white space"
    : "";
}

/**
 * Reads all PEM blocks whose label `wanted` accepts; others are passed over
 * undecoded, so a private key beside a certificate stays unread.
 *
 * @throws {CertificateError} `ERR_CERTPIN_CERTIFICATE_PEM`
 * @throws {LimitError} `ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE` above
 * `MAX_PEM_LENGTH` characters or `MAX_CERTIFICATE_BYTES` of a certificate,
 * `ERR_CERTPIN_LIMIT_CHAIN_LENGTH` above
 * `MAX_PARSED_CERTIFICATES` blocks.
 */
export function readPem(
  text: string,
  wanted: (label: string) => boolean,
): PemBlock[] {
  if (text.length > MAX_PEM_LENGTH) {
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE",
      `Cannot read PEM: ${text.length} characters, at most ${MAX_PEM_LENGTH} allowed`,
    );
  }
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let body: string[] = [];
  // A byte order mark, as text or as bytes that were read one by one.
  const marked = /^(?:\ufeff|\u00ef\u00bb\u00bf)/.exec(text)?.[0] ?? "";
  for (const line of text.slice(marked.length).split(/\r\n|\n|\r/)) {
    const boundary = BOUNDARY.exec(line);
    if (!boundary) {
      if (label !== undefined) body.push(line);
    } else if (boundary[1] === "BEGIN") {
      if (label !== undefined) {
        pemError("Cannot read PEM: BEGIN inside a block");
      }
      label = boundary[2];
      body = [];
    } else {
      if (label === undefined || label !== boundary[2]) {
        pemError(`Cannot read PEM: END without its BEGIN${mishapIn(text)}`);
      }
      if (wanted(label)) {
        if (blocks.length >= MAX_PARSED_CERTIFICATES) {
          throw new LimitError(
            "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
            `Cannot read PEM: more than ${MAX_PARSED_CERTIFICATES} blocks`,
          );
        }
        blocks.push({ label, bytes: decodeBody(label, body.join("")) });
      }
      label = undefined;
    }
  }
  if (label !== undefined) {
    pemError(`Cannot read PEM: a block has no END${mishapIn(text)}`);
  }
  return blocks;
}

/** Whether a block's label is that of a certificate. */
function isCertificate(label: string): boolean {
  return label === "CERTIFICATE" || label === "X509 CERTIFICATE";
}

function decodeBody(label: string, body: string): Bytes {
  const base64 = body.replace(/[ \t]/g, "");
  if (
    isCertificate(label) && base64.length > MAX_CERTIFICATE_BASE64_LENGTH
  ) {
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE",
      `Cannot read PEM: a certificate of more than ${MAX_CERTIFICATE_BYTES} bytes`,
    );
  }
  let bytes: Bytes | undefined;
  try {
    // Looks at one character after the other; an expression over megabytes
    // would need a stack for it.
    bytes = new Uint8Array(decodeBase64(base64));
  } catch {
    // Not base64.
  }
  // Encoding again catches bits left over before the padding (RFC 4648,
  // section 3.5), and padding left out.
  if (!bytes?.length || encodeBase64(bytes) !== base64) {
    pemError("Cannot read PEM: the body is not base64");
  }
  return bytes;
}

/** Writes PEM: lines of 64 characters and a final newline. */
export function writePem(label: string, der: Uint8Array): string {
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----\n`]
    .join("\n");
}

/** The DER of every certificate in PEM text; at least one. */
export function readPemCertificates(text: string): Bytes[] {
  const blocks = readPem(text, isCertificate);
  if (blocks.length === 0) {
    pemError(
      `Cannot read PEM: no block between -----BEGIN CERTIFICATE----- and its END${
        mishapIn(text)
      }`,
    );
  }
  return blocks.map((block) => block.bytes);
}
