/**
 * The samples of `fixtures/formats`, written after each format's
 * documentation, and pins to talk about: the digests of single letters.
 */
import { readFileSync } from "node:fs";
import type { PolicyDocument } from "../../../src/policy/document.ts";

export const A = "sha256/ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=";
export const B = "sha256/PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0=";
export const C = "sha256/Ln0sA6lQeuJl7PW1NWiFpTOTogKdJBOUmXJloaJa78Y=";
export const D = "sha256/GKw+c0PwFokMUQ6T+TUmEWnZ4/VlQ2Qpgw+vCTT0+OQ=";
export const CERTIFICATE_D = `certificate:${D}`;
export const CERTIFICATE_C512 =
  "certificate:sha512/rMKNsr63tCuqHLAkPUAcy04/zkTXsCh5pSeZqt/1QVItiCJZiy+mZPnVFWwAySSAXXXDhovVbCrLgdN+mONa3A==";

/** The base64 alone. */
export const digest = (pin: string): string => pin.slice(pin.indexOf("/") + 1);

/** Reads a sample. */
export function sample(name: string): string {
  const folder = new URL("../../../fixtures/formats/", import.meta.url);
  return readFileSync(new URL(name, folder), "utf8");
}

/** What each sample says, and what a policy cannot say of it. */
export const SAMPLES: Readonly<
  Record<string, {
    file: string;
    policy: PolicyDocument;
    losses: readonly string[];
  }>
> = {
  android: {
    file: "network_security_config.xml",
    policy: {
      version: 1,
      unlisted: "allow",
      hosts: {
        "shop.example": {
          includeSubdomains: true,
          expiresAt: "2027-06-01T00:00:00Z",
          onExpiry: "allow",
          pins: [A, B],
        },
        "pay.example": {
          expiresAt: "2027-06-01T00:00:00Z",
          onExpiry: "allow",
          pins: [A, B],
        },
        "static.shop.example": {
          includeSubdomains: true,
          expiresAt: "2027-06-01T00:00:00Z",
          onExpiry: "allow",
          pins: [A, B],
        },
        "api.shop.example": { pins: [C] },
      },
    },
    losses: [
      "setting /network-security-config/base-config",
      "setting /network-security-config/domain-config[1]/domain-config[1]/trust-anchors",
      "validation /network-security-config/domain-config[1]/domain-config[1]/trust-anchors/certificates",
      "host /network-security-config/domain-config[2]/domain",
      "setting /network-security-config/domain-config[2]",
      "setting /network-security-config/debug-overrides",
    ],
  },
  ios: {
    file: "Info.plist",
    policy: {
      version: 1,
      unlisted: "allow",
      hosts: {
        "shop.example": {
          pins: [{ pin: A, role: "ca" }, { pin: B, role: "ca" }],
        },
        "*.shop.example": {
          pins: [{ pin: A, role: "ca" }, { pin: B, role: "ca" }],
        },
        "pay.example": {
          require: "each-role",
          pins: [
            { pin: A, role: "ca" },
            { pin: C, role: "leaf" },
            { pin: D, role: "leaf" },
          ],
        },
      },
    },
    losses: ["setting /NSAppTransportSecurity/NSAllowsArbitraryLoads"],
  },
  trustkit: {
    file: "TrustKit.plist",
    policy: {
      version: 1,
      unlisted: "allow",
      hosts: {
        "shop.example": {
          includeSubdomains: true,
          expiresAt: "2027-06-01T00:00:00Z",
          onExpiry: "allow",
          pins: [A, B],
        },
        "beta.shop.example": { mode: "report-only", pins: [C, D] },
      },
    },
    losses: [
      "setting /TSKConfiguration/TSKPinnedDomains/shop.example/TSKReportUris",
      "host /TSKConfiguration/TSKPinnedDomains/open.shop.example",
    ],
  },
  okhttp: {
    file: "Pins.kt",
    policy: {
      version: 1,
      unlisted: "allow",
      hosts: {
        "shop.example": { pins: [A, B] },
        "*.shop.example": { pins: [C] },
        "deep.example": { includeSubdomains: true, pins: [D] },
        "api.deep.example": { pins: [A, D] },
      },
    },
    losses: ["pin line 15"],
  },
  curl: {
    file: "fetch.sh",
    policy: {
      version: 1,
      hosts: {
        "shop.example": {
          pins: [{ pin: A, role: "leaf" }, { pin: B, role: "leaf" }],
        },
        "pay.example": { pins: [{ pin: C, role: "leaf" }] },
        "2001:db8::1": { pins: [{ pin: D, role: "leaf" }] },
      },
    },
    losses: ["port line 6", "validation line 7"],
  },
  envoy: {
    file: "envoy.yaml",
    policy: {
      version: 1,
      hosts: {
        "shop.example": {
          pins: [{ pin: A, role: "leaf" }, { pin: B, role: "leaf" }],
        },
        "pay.example": { pins: [{ pin: CERTIFICATE_D, role: "leaf" }] },
      },
    },
    losses: [
      "validation /static_resources/clusters/1/transport_socket/typed_config/common_tls_context/validation_context",
    ],
  },
  tlsa: {
    file: "tlsa.zone",
    policy: {
      version: 1,
      hosts: {
        "shop.example": {
          pins: [{ pin: A, role: "leaf" }, { pin: B, role: "ca" }],
        },
        "pay.example": {
          pins: [
            { pin: CERTIFICATE_C512, role: "ca" },
            { pin: D, role: "leaf" },
            { pin: B },
          ],
        },
        "mail.example": { pins: [{ pin: D, role: "leaf" }] },
      },
    },
    losses: ["validation line 9", "port line 12", "validation line 12"],
  },
};
