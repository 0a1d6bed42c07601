/**
 * Which anchors a command evaluates by: `--root FILE`, else the platform's.
 *
 * @module
 */
import * as tls from "node:tls";
import {
  type Certificate,
  CertpinError,
  parseCertificates,
} from "@certpin/certpin";
import {
  type AnchorStore,
  anchorStore,
  writePem,
} from "@certpin/certpin/internal";
import { platformAnchors } from "@certpin/certpin/internal/tls";
import { about, Failure } from "./failure.ts";
import { readInput } from "./files.ts";
import type { Io } from "./io.ts";

/** What is trusted. */
export interface Trust {
  readonly anchors: AnchorStore;
  /** PEM for the platform; undefined where its own store holds. */
  readonly ca: readonly string[] | undefined;
}

/** Reads the certificates of a file. */
export async function readCertificates(
  io: Io,
  source: string,
): Promise<Certificate[]> {
  const bytes = await readInput(io, source);
  return await about(
    source,
    () => parseCertificates(bytes),
    () =>
      "certificates are read, PEM or DER; the pin command reads keys and CSRs",
  );
}

/** The platform's roots; empty if they cannot be listed or read. */
export function publicRoots(): Certificate[] | undefined {
  const list = platformList();
  if (list === undefined) return undefined;
  return list.flatMap((pem) => {
    try {
      return parseCertificates(pem);
    } catch (error) {
      // Old roots bend rules that ours do not; no path would end at them.
      if (error instanceof CertpinError) return [];
      throw error;
    }
  });
}

/** The PEM of the platform's roots; `undefined` if the runtime does not list them. */
export function platformList(): readonly string[] | undefined {
  try {
    return tls.getCACertificates("default");
  } catch {
    // Deno without --allow-sys.
    return undefined;
  }
}

/** The anchors of a run. */
export async function resolveTrust(
  io: Io,
  roots: readonly string[],
): Promise<Trust> {
  if (roots.length > 0) {
    const certificates: Certificate[] = [];
    for (const file of roots) {
      certificates.push(...await readCertificates(io, file));
    }
    return {
      anchors: anchorStore(certificates),
      ca: certificates.map(({ der }) => writePem("CERTIFICATE", der)),
    };
  }
  const anchors = platformAnchors();
  if (anchors === undefined) {
    throw new Failure("Cannot list the platform's anchors", {
      hint:
        "grant --allow-sys and --allow-env=NODE_USE_SYSTEM_CA, or name anchors with --root FILE",
    });
  }
  return { anchors, ca: undefined };
}
