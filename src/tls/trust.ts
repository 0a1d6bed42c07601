/**
 * Which anchors a connection is evaluated by, and the platform's own store where
 * the runtime lets it be listed.
 *
 * @module
 */
import process from "node:process";
import * as tls from "node:tls";
import { MAX_CACHED_TRUSTS, MAX_PEM_LENGTH } from "../limits.ts";
import {
  type AnchorStore,
  anchorStore,
  lazyAnchorStore,
} from "../path/anchors.ts";
import { anchorCertificatesOf, type Pinner } from "../pinner/pinner.ts";
import { type Certificate, parseCertificates } from "../x509/certificate.ts";
import { writePem } from "../x509/pem.ts";

/** Certificates as `ca` and `caCerts` take them: PEM, or DER bytes. */
export type CertificateInput =
  | string
  | Uint8Array
  | readonly (string | Uint8Array)[];

/** What both validations, the platform's and ours, trust. */
export interface Trust {
  /** PEM for `tls.connect`; where left out, the platform's store. */
  readonly ca?: string[];
  /** The same, for the path search; where left out, it cannot be listed. */
  readonly anchors?: AnchorStore;
}

interface Permission {
  readonly name: "env" | "read" | "sys";
  readonly variable?: string;
  readonly path?: string;
}

interface DenoLike {
  readonly permissions: {
    querySync(descriptor: Permission): { readonly state: string };
  };
  readonly env: { get(name: string): string | undefined };
  statSync(path: string): { readonly size: number };
  readTextFileSync(path: string): string;
}

const { Deno: deno } = globalThis as { Deno?: DenoLike };

function isGranted(permission: Permission): boolean {
  if (deno === undefined) return true;
  // Only a query: asking for what was not granted would prompt the user.
  return deno.permissions.querySync(permission).state === "granted";
}

/** PEM of the platform's anchors; `undefined` where they cannot be listed. */
function listPlatform(): readonly string[] | undefined {
  if (process.versions.deno !== undefined && !isGranted({ name: "sys" })) {
    return undefined;
  }
  // Needed for the roots of the system's store and NODE_EXTRA_CA_CERTS.
  if (
    typeof tls.getCACertificates === "function" &&
    isGranted({ name: "env", variable: "NODE_USE_SYSTEM_CA" })
  ) return tls.getCACertificates("default");
  return tls.rootCertificates;
}

let fromDenoCert: readonly string[] | undefined;

/**
 * PEM of the roots that `DENO_CERT` names: Deno trusts them and does not list
 * them. Read once, and only with permissions that are granted already.
 */
function listDenoCert(): readonly string[] {
  return fromDenoCert ??= readDenoCert();
}

function readDenoCert(): readonly string[] {
  const variable = "DENO_CERT";
  if (deno === undefined || !isGranted({ name: "env", variable })) return [];
  const path = deno.env.get(variable);
  if (path === undefined || path === "") return [];
  if (!isGranted({ name: "read", path })) return [];
  try {
    if (deno.statSync(path).size > MAX_PEM_LENGTH) return [];
    return [deno.readTextFileSync(path)];
  } catch {
    // Less is trusted, never more.
    return [];
  }
}

interface Platform {
  readonly list: readonly string[];
  /** What the runtime trusts, as far as it can be told. */
  readonly anchors: AnchorStore;
  /** The part of it that the runtime or the system brings. */
  readonly publicAnchors: AnchorStore;
}

let platform: { readonly of: readonly string[]; it: Platform } | undefined;

function platformListed(): Platform | undefined {
  const listed = listPlatform();
  if (listed === undefined || listed.length === 0) return undefined;
  // The runtime hands out the same array until somebody sets other defaults.
  if (platform?.of !== listed) {
    const added = listDenoCert();
    const list = [...listed, ...added];
    const publicAnchors = lazyAnchorStore(listed);
    const anchors = added.length > 0 ? lazyAnchorStore(list) : publicAnchors;
    platform = { of: listed, it: { list, anchors, publicAnchors } };
  }
  return platform.it;
}

/**
 * The platform's anchors, parsed as they are needed.
 *
 * On Deno listing them takes `--allow-sys` (and, for the system's own store,
 * `--allow-env=NODE_USE_SYSTEM_CA`). The roots that `DENO_CERT` names are among
 * them where the variable and its file may be read; those of `--cert` are not.
 */
export function platformAnchors(): AnchorStore | undefined {
  return platformListed()?.anchors;
}

/** The same without the roots that `DENO_CERT` adds: the store of public CAs. */
export function publicAnchors(): AnchorStore | undefined {
  return platformListed()?.publicAnchors;
}

function pem({ der }: Certificate): string {
  return writePem("CERTIFICATE", der);
}

function trustIn(certificates: readonly Certificate[]): Trust {
  return {
    ca: certificates.map(pem),
    anchors: anchorStore(certificates),
  };
}

const ofPinners = new WeakMap<Pinner, Trust>();
const ofTexts = new Map<string, Trust>();

/** Reads `ca`; remembers what was read from the last few texts. */
function trustInInput(ca: CertificateInput): Trust {
  if (typeof ca !== "string") return trustIn(parseCertificates(ca));
  const known = ofTexts.get(ca);
  if (known !== undefined) return known;
  const trust = trustIn(parseCertificates(ca));
  if (ofTexts.size >= MAX_CACHED_TRUSTS) {
    const [oldest] = ofTexts.keys();
    ofTexts.delete(oldest);
  }
  ofTexts.set(ca, trust);
  return trust;
}

/**
 * The anchors of a call: `ca`, which replaces the platform's store; else the
 * platform's store and `added`, where anything is added; else the pinner's;
 * else the platform's.
 *
 * Where something is added to a platform's store that cannot be listed, what
 * is added stands alone: less is trusted, never more.
 *
 * @throws {CertificateError} where a certificate cannot be read.
 */
export function resolveTrust(
  pinner: Pinner,
  ca?: CertificateInput,
  added?: CertificateInput,
): Trust {
  const more = added === undefined ? [] : parseCertificates(added);
  if (ca !== undefined) {
    if (more.length === 0) return trustInInput(ca);
    return trustIn([...parseCertificates(ca), ...more]);
  }
  if (more.length > 0) {
    const listed = platformListed();
    if (listed === undefined) return trustIn(more);
    const all = [...listed.list, ...more.map(pem)];
    return { ca: all, anchors: lazyAnchorStore(all) };
  }
  const own = anchorCertificatesOf(pinner);
  if (own === undefined) return { anchors: platformAnchors() };
  let trust = ofPinners.get(pinner);
  if (trust === undefined) ofPinners.set(pinner, trust = trustIn(own));
  return trust;
}
