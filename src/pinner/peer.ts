/**
 * What a peer showed, copied on entry, so that nothing that changes later can
 * change the verdict.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import {
  CertificateError,
  type CertpinError,
  LimitError,
  PathError,
} from "../errors.ts";
import { type CanonicalHost, canonicalHost } from "../host.ts";
import {
  type Limits,
  MAX_CERTIFICATE_BYTES,
  MAX_CHAIN_BYTES,
} from "../limits.ts";
import type { AnchorStore } from "../path/anchors.ts";
import { escapeText } from "../text.ts";
import { isCertificate } from "../x509/certificate.ts";
import { isBytes } from "../x509/der.ts";

/** What is to be evaluated; anchors are already stores. */
export interface EvaluateRequest {
  /** DNS name or IP literal. */
  readonly hostname: string;
  /** For reports alone: pins hold for all ports. */
  readonly port?: number;
  /** DER as presented, the leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Instead of the pinner's. Neither: they cannot be listed. */
  readonly anchors?: AnchorStore;
  /** The platform's store, where the pinner was given no `publicAnchors`. */
  readonly publicAnchors?: AnchorStore;
  /** Whether a TLS stack has validated this very connection. */
  readonly platformValidated?: boolean;
}

/** A request that nobody else can change. */
export interface CopiedPeer {
  /** Canonical; as given, if it is not a hostname. */
  readonly hostname: string;
  readonly host?: CanonicalHost;
  readonly port?: number;
  /** Empty where it could not be copied. */
  readonly chain: readonly Bytes[];
  readonly anchors?: AnchorStore;
  readonly publicAnchors?: AnchorStore;
  readonly platformValidated: boolean;
  /** Why the peer is refused already. */
  readonly failure?: CertpinError;
}

/** An error that an invalid chain may be reported with; others become a cause. */
export function chainError(error: unknown): CertpinError {
  if (
    error instanceof PathError || error instanceof CertificateError ||
    error instanceof LimitError
  ) return error;
  return new PathError(
    "ERR_CERTPIN_PATH_NO_ISSUER",
    "Cannot evaluate the peer: an unexpected error, see its cause",
    { cause: error },
  );
}

function copyBytes(value: unknown): Bytes {
  if (!isBytes(value)) {
    throw new CertificateError(
      "ERR_CERTPIN_CERTIFICATE_DER",
      `Cannot evaluate the peer: its chain holds ${
        isCertificate(value)
          ? "a parsed certificate; pass its der"
          : "something that is not the bytes of a certificate in DER"
      }`,
    );
  }
  if (value.length > MAX_CERTIFICATE_BYTES) {
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE",
      `Cannot evaluate the peer: a certificate of ${value.length} bytes, at most ${MAX_CERTIFICATE_BYTES} allowed`,
    );
  }
  return new Uint8Array(value);
}

function copyChain(value: unknown, limits: Limits): readonly Bytes[] {
  const length: unknown = Array.isArray(value) ? value.length : 0;
  // A proxy can have any length: a half would make an empty copy.
  if (
    !Array.isArray(value) || typeof length !== "number" ||
    !Number.isSafeInteger(length) || length < 1
  ) {
    throw new PathError(
      "ERR_CERTPIN_PATH_EMPTY_CHAIN",
      typeof value === "string" || isBytes(value)
        ? "Cannot evaluate the peer: expected its chain as a list of certificates in DER, each a Uint8Array"
        : "Cannot evaluate the peer: it presented no certificate",
    );
  }
  if (length > limits.chainCertificates) {
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
      `Cannot evaluate the peer: ${length} certificates, at most ${limits.chainCertificates} allowed`,
    );
  }
  let total = 0;
  return Array.from({ length }, (_, index) => {
    const bytes = copyBytes(value[index]);
    total += bytes.length;
    if (total <= MAX_CHAIN_BYTES) return bytes;
    throw new LimitError(
      "ERR_CERTPIN_LIMIT_CHAIN_LENGTH",
      `Cannot evaluate the peer: a chain of more than ${MAX_CHAIN_BYTES} bytes`,
    );
  });
}

function toHost(hostname: string): CanonicalHost {
  try {
    return canonicalHost(hostname);
  } catch (cause) {
    throw new PathError(
      "ERR_CERTPIN_PATH_HOSTNAME",
      `Cannot evaluate the peer: ${
        cause instanceof Error ? cause.message : "no hostname"
      }`,
      { cause },
    );
  }
}

/**
 * Copies a request. Never throws: what is wrong with it is its `failure`.
 *
 * @param anchorsOf Reads a list of anchors, called once for each.
 */
export function copyPeer<Anchors>(
  request: Omit<EvaluateRequest, "anchors"> & { readonly anchors?: Anchors },
  limits: Limits,
  anchorsOf: (anchors: Anchors) => AnchorStore,
): CopiedPeer {
  let hostname = "";
  let copied: Partial<CopiedPeer> = {};
  try {
    const given = request.hostname;
    if (typeof given === "string") hostname = escapeText(given);
    const { port } = request;
    if (Number.isSafeInteger(port)) copied = { port };
    const host = toHost(given);
    hostname = host.text;
    copied = { ...copied, host };
    copied = { ...copied, chain: copyChain(request.chain, limits) };
    const { anchors, publicAnchors, platformValidated } = request;
    return {
      hostname,
      chain: [],
      ...copied,
      ...anchors !== undefined && { anchors: anchorsOf(anchors) },
      ...publicAnchors !== undefined && { publicAnchors },
      platformValidated: platformValidated === true,
    };
  } catch (error) {
    const failure = chainError(error);
    return {
      hostname,
      chain: [],
      ...copied,
      platformValidated: false,
      failure,
    };
  }
}
