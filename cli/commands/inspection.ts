/**
 * What `certpin inspect` has found, before it is drawn.
 *
 * @module
 */
import {
  type Certificate,
  CertpinError,
  type ErrorCode,
  type Role,
} from "@certpin/certpin";
import {
  type AnchorStore,
  canonicalHost,
  type FoundPath,
  resolveLimits,
  runWithWebCrypto,
  searchPaths,
  SignatureCache,
} from "@certpin/certpin/internal";
import { type CertificateView, keyWords, viewOf } from "../render/view.ts";

/** A certificate, with what is drawn of it. */
export interface Inspected {
  readonly certificate: Certificate;
  readonly view: CertificateView;
  /** The key in a few words. */
  readonly key: string;
}

/** What was found. */
export interface Inspection {
  /** The host and port, or the file. */
  readonly title: string;
  readonly hostname?: string;
  /** In the order in which the peer sent them. */
  readonly presented: readonly Inspected[];
  /** Leaf first; undefined where no path is valid. */
  readonly path?: readonly Inspected[];
  /** Why there is no path, or no connection. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** The time that it was evaluated at. */
  readonly at: Date;
}

/** What is to be evaluated. */
export interface InspectionRequest {
  readonly title: string;
  readonly hostname?: string;
  readonly presented: readonly Certificate[];
  readonly anchors: AnchorStore;
  readonly at: Date;
}

async function inspected(
  certificate: Certificate,
  role?: Role,
): Promise<Inspected> {
  const view = await viewOf(certificate, role);
  return { certificate, view, key: await keyWords(certificate) };
}

/** Finds a valid path over the presented certificates, and its roles. */
export async function findPath(
  chain: readonly Certificate[],
  anchors: AnchorStore,
  at: Date,
  hostname?: string,
): Promise<FoundPath | CertpinError> {
  try {
    const { accepted, error } = await runWithWebCrypto(
      searchPaths<FoundPath>(
        {
          chain,
          intermediates: [],
          anchors,
          mayEndEarly: false,
          ...(hostname === undefined ? {} : { host: canonicalHost(hostname) }),
          at: at.getTime(),
          limits: resolveLimits(),
          signatures: new SignatureCache(),
        },
        // deno-lint-ignore require-yield -- the first path will do
        function* (path) {
          return path;
        },
      ),
    );
    return accepted ?? error!;
  } catch (error) {
    if (error instanceof CertpinError) return error;
    throw error;
  }
}

/** Evaluates what was presented. */
export async function inspectChain(
  request: InspectionRequest,
): Promise<Inspection> {
  const { title, hostname, presented, anchors, at } = request;
  const found = await findPath(presented, anchors, at, hostname);
  const isPath = !(found instanceof CertpinError);
  const roleOf = (one: Certificate): Role | undefined =>
    isPath ? found.roles[found.certificates.indexOf(one)] : undefined;
  return {
    title,
    at,
    ...(hostname === undefined ? {} : { hostname }),
    presented: await Promise.all(
      presented.map((one) => inspected(one, roleOf(one))),
    ),
    ...(isPath
      ? {
        path: await Promise.all(
          found.certificates.map((one, i) => inspected(one, found.roles[i])),
        ),
      }
      : { error: { code: found.code, message: found.message } }),
  };
}

/** The presented certificates that are on no path; all of them if there is no path. */
export function leftOver(inspection: Inspection): readonly Inspected[] {
  return inspection.presented.filter(({ view }) => view.role === undefined);
}

/** The anchor was not sent, as it need not be. */
export function isAdded(inspection: Inspection, one: Inspected): boolean {
  const pin = one.view.pins.certificate;
  return !inspection.presented.some(({ view }) =>
    view.pins.certificate === pin
  );
}

/** What `--json` prints. */
export function inspectionJson(inspection: Inspection): unknown {
  const { hostname, presented, path, error } = inspection;
  return {
    ...(hostname === undefined ? {} : { hostname }),
    presented: presented.map(({ view }) => view),
    path: path?.map(({ view }) => view) ?? null,
    ...(error === undefined ? {} : { error }),
  };
}
