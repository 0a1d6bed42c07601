/**
 * Pins: the grammar, and fingerprints over every kind of key.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { PolicyError } from "../../../src/errors.ts";
import { fingerprint } from "../../../src/pins/fingerprint.ts";
import { formatPin, parsePin } from "../../../src/pins/pin.ts";
import { mintCertificate } from "../../../src/testing/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import type { Body } from "../harness.ts";

const DIGEST = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return encodeBase64(await crypto.subtle.digest("SHA-256", bytes));
}

/** Registers the tests. */
export const pins: Body = (t) => {
  t.test("parsePin() reads every dialect of the same digest alike", () => {
    const hex =
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const dialects = [
      `sha256/${DIGEST}`,
      `spki:sha256/${DIGEST}`,
      `sha256//${DIGEST}`,
      `pin-sha256="${DIGEST}"`,
      `sha256-${DIGEST}`,
      `spki:sha256:${hex}`,
      `3 1 1 ${hex}`,
    ];
    for (const text of dialects) {
      assertEquals(parsePin(text).toString(), `sha256/${DIGEST}`, text);
    }
  });

  t.test("parsePin() refuses a digest that is one byte short", () => {
    parsePin(`sha256/${encodeBase64(new Uint8Array(32))}`);
    const error = assertThrows(
      () => parsePin(`sha256/${encodeBase64(new Uint8Array(31))}`),
      PolicyError,
    );
    assertEquals(error.code, "ERR_CERTPIN_PIN_INVALID");
  });

  t.test("formatPin() says a pin so that parsePin() reads it back", () => {
    const pin = parsePin(`sha256/${DIGEST}`);
    for (const style of ["canonical", "okhttp", "curl", "hpkp"] as const) {
      assertEquals(parsePin(formatPin(pin, style)).toString(), pin.toString());
    }
  });

  const keyTypes = [
    "P-256",
    "P-384",
    "P-521",
    "Ed25519",
    "RSA-2048",
    "RSA-PSS-2048",
  ] as const;
  for (const keyType of keyTypes) {
    t.test(`fingerprint() hashes the bytes of a certificate with a ${keyType} key`, async () => {
      const { der, spki } = await mintCertificate({ keyType });
      const [certificate] = parseCertificates(der);
      assertEquals(
        (await fingerprint(certificate)).toString(),
        `sha256/${await sha256(spki)}`,
      );
      assertEquals(
        (await fingerprint(certificate, { of: "certificate" })).toString(),
        `certificate:sha256/${await sha256(der)}`,
      );
    });
  }
};
