/**
 * What the tests of paths share.
 */
import { runWithWebCrypto } from "../../../src/crypto/webcrypto.ts";
import { CertpinError } from "../../../src/errors.ts";
import { SignatureCache } from "../../../src/path/signature.ts";
import {
  type VerifyPathOptions,
  verifyPathRoutine,
} from "../../../src/path/verify.ts";
import type { MintedCertificate } from "../../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../../src/x509/certificate.ts";

/** The host that leaves are for. */
export const HOSTNAME = "api.example.com";

/** What came of a chain: the path's certificates, or the code of the refusal. */
export type Result =
  | { readonly path: readonly string[] }
  | { readonly code: string };

/** Minted certificates, parsed. */
export function parsed(minted: readonly MintedCertificate[]): Certificate[] {
  return parseCertificates(minted.map(({ der }) => der));
}

/** Verifies with a signature cache of its own unless given one. */
export async function resultOf(
  chain: readonly Certificate[],
  options: VerifyPathOptions,
  cache: SignatureCache = new SignatureCache(),
): Promise<Result> {
  try {
    const steps = verifyPathRoutine(chain, options, cache);
    const { certificates } = await runWithWebCrypto(steps);
    return {
      path: certificates.map(({ serialNumber, issuer }) =>
        `${serialNumber} ${issuer}`
      ),
    };
  } catch (error) {
    if (error instanceof CertpinError) return { code: error.code };
    throw error;
  }
}
