/**
 * Chains in which one certificate breaks one rule of RFC 5280 or RFC 9525.
 *
 * @module
 */
import type { ErrorCode } from "../../errors.ts";
import type { AttackDefinition, ChainPlan, Scene, World } from "./world.ts";

type Plan = (world: World) => ChainPlan | Promise<ChainPlan>;

/** An attack and its control, both from plans over the same keys. */
export function defect(
  name: string,
  description: string,
  codes: readonly ErrorCode[],
  wrong: Plan,
  right: Plan = () => ({}),
): AttackDefinition {
  return {
    name,
    description,
    codes,
    attack: async (world) => await world.scene(await wrong(world)),
    control: async (world) => await world.scene(await right(world)),
  };
}

const EXPIRED = ["ERR_CERTPIN_PATH_EXPIRED"] as const;
const NOT_YET_VALID = ["ERR_CERTPIN_PATH_NOT_YET_VALID"] as const;
const NOT_CA = ["ERR_CERTPIN_PATH_NOT_CA"] as const;
const LENGTH = ["ERR_CERTPIN_PATH_LENGTH"] as const;
const HOSTNAME = ["ERR_CERTPIN_PATH_HOSTNAME"] as const;
const EXTENDED_KEY_USAGE = [
  "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
] as const;

const VALIDITY: readonly AttackDefinition[] = [
  defect(
    "expired-leaf",
    "The leaf expired a second ago.",
    EXPIRED,
    (world) => ({
      leaf: { notBefore: world.days(-9), notAfter: world.days(-1 / 86_400) },
    }),
    (world) => ({
      leaf: { notBefore: world.days(-9), notAfter: world.days(1) },
    }),
  ),
  defect(
    "expired-intermediate",
    "The pinned intermediate expired yesterday.",
    EXPIRED,
    (world) => ({
      intermediates: [{
        notBefore: world.days(-9),
        notAfter: world.days(-1),
      }],
    }),
    (world) => ({
      intermediates: [{ notBefore: world.days(-9), notAfter: world.days(1) }],
    }),
  ),
  defect(
    "expired-root",
    "The trusted root expired yesterday.",
    EXPIRED,
    (world) => ({
      root: { notBefore: world.days(-9), notAfter: world.days(-1) },
    }),
    (world) => ({
      root: { notBefore: world.days(-9), notAfter: world.days(1) },
    }),
  ),
  defect(
    "leaf-not-yet-valid",
    "The leaf is valid from tomorrow.",
    NOT_YET_VALID,
    (world) => ({ leaf: { notBefore: world.days(1) } }),
    (world) => ({ leaf: { notBefore: world.days(-1) } }),
  ),
  defect(
    "intermediate-not-yet-valid",
    "The pinned intermediate is valid from tomorrow.",
    NOT_YET_VALID,
    (world) => ({ intermediates: [{ notBefore: world.days(1) }] }),
    (world) => ({ intermediates: [{ notBefore: world.days(-1) }] }),
  ),
];

const NAMES: readonly AttackDefinition[] = [
  defect(
    "wrong-hostname",
    "The leaf is for another host.",
    HOSTNAME,
    () => ({ leaf: { hostnames: ["other.example"] } }),
  ),
  defect(
    "common-name-only",
    "The host is the leaf's common name, and there is no subjectAltName.",
    HOSTNAME,
    (world) => ({ leaf: { subject: world.hostname, hostnames: [] } }),
    (world) => ({ leaf: { subject: world.hostname } }),
  ),
  defect(
    "address-as-dns-name",
    "The client asks for an IP address, and the leaf has it as a dNSName.",
    HOSTNAME,
    () => ({
      hostname: "127.0.0.1",
      leaf: { hostnames: [], names: [{ dns: "127.0.0.1" }] },
    }),
    () => ({
      hostname: "127.0.0.1",
      leaf: { hostnames: [], names: [{ ip: "127.0.0.1" }] },
    }),
  ),
  defect(
    "wildcard-across-labels",
    "A wildcard stands for one label, and the host is two labels deeper.",
    HOSTNAME,
    () => ({
      hostname: "a.b.host.example",
      leaf: { hostnames: ["*.host.example"] },
    }),
    () => ({
      hostname: "b.host.example",
      leaf: { hostnames: ["*.host.example"] },
    }),
  ),
  defect(
    "wildcard-within-label",
    "The wildcard is only a part of its label.",
    HOSTNAME,
    () => ({
      hostname: "ab.host.example",
      leaf: { hostnames: ["a*.host.example"] },
    }),
    () => ({
      hostname: "ab.host.example",
      leaf: { hostnames: ["*.host.example"] },
    }),
  ),
  defect(
    "nul-in-hostname",
    "The leaf's dNSName is the host, a NUL and the attacker's domain.",
    [...HOSTNAME, "ERR_CERTPIN_CERTIFICATE_DER", "ERR_CERTPIN_PATH_EXTENSION"],
    (world) => ({ leaf: { hostnames: [`${world.hostname}\0.evil.example`] } }),
  ),
];

/** The world's chain without some of it. */
async function without(
  world: World,
  what: "intermediate" | "root" | "neither",
): Promise<Scene> {
  return await Promise.resolve({
    chain: what === "intermediate"
      ? [world.leaf]
      : [world.leaf, world.intermediate],
    anchors: what === "root" ? [world.otherRoot] : [world.root],
    pins: world.pins,
  });
}

const ISSUERS: readonly AttackDefinition[] = [
  {
    name: "unknown-root",
    description: "The whole chain is good, but its root is not trusted.",
    codes: ["ERR_CERTPIN_PATH_NO_ISSUER"],
    attack: (world) => without(world, "root"),
    control: (world) => without(world, "neither"),
  },
  {
    name: "missing-intermediate",
    description: "The leaf is presented without its issuer.",
    codes: ["ERR_CERTPIN_PATH_NO_ISSUER"],
    attack: (world) => without(world, "intermediate"),
    control: (world) => without(world, "neither"),
  },
  defect(
    "leaf-as-issuer",
    "A leaf under the pinned intermediate, CA:FALSE, signs another leaf.",
    NOT_CA,
    async (world) => ({
      intermediates: [{
        subject: "customer.example",
        ca: false,
        hostnames: ["customer.example"],
        key: await world.key("customer"),
      }, {}],
    }),
    async (world) => ({
      intermediates: [{
        subject: "customer.example",
        ca: true,
        hostnames: ["customer.example"],
        key: await world.key("customer"),
      }, {}],
    }),
  ),
  defect(
    "issuer-not-ca",
    "The intermediate may sign certificates, but says CA:FALSE.",
    NOT_CA,
    () => ({ intermediates: [{ basicConstraints: { ca: false } }] }),
  ),
  defect(
    "issuer-without-basic-constraints",
    "The intermediate has no basicConstraints.",
    NOT_CA,
    () => ({ intermediates: [{ basicConstraints: false }] }),
  ),
  defect(
    "issuer-of-version-1",
    "The intermediate is a certificate of version 1, without extensions.",
    [
      ...NOT_CA,
      "ERR_CERTPIN_PATH_EXTENSION",
      "ERR_CERTPIN_PATH_VERSION",
    ],
    () => ({ intermediates: [{ version: 1 }] }),
  ),
  defect(
    "path-length-of-intermediate",
    "The upper intermediate allows no CA below it, and there is one.",
    LENGTH,
    () => ({ intermediates: [{}, { pathLength: 0 }] }),
    () => ({ intermediates: [{}, { pathLength: 1 }] }),
  ),
  defect(
    "path-length-of-root",
    "The root allows one CA below it, and there are two.",
    LENGTH,
    () => ({ root: { pathLength: 1 }, intermediates: [{}, {}] }),
    () => ({ root: { pathLength: 2 }, intermediates: [{}, {}] }),
  ),
  defect(
    "issuer-without-cert-sign",
    "The intermediate's keyUsage lacks keyCertSign.",
    ["ERR_CERTPIN_PATH_KEY_USAGE"],
    () => ({ intermediates: [{ keyUsage: ["cRLSign"] }] }),
    () => ({ intermediates: [{ keyUsage: ["cRLSign", "keyCertSign"] }] }),
  ),
  defect(
    "leaf-for-clients",
    "The leaf's extKeyUsage is clientAuth alone.",
    EXTENDED_KEY_USAGE,
    () => ({ leaf: { extendedKeyUsage: ["clientAuth"] } }),
    () => ({ leaf: { extendedKeyUsage: ["clientAuth", "serverAuth"] } }),
  ),
  defect(
    "issuer-for-clients",
    "The intermediate's extKeyUsage is clientAuth alone, the leaf's serverAuth.",
    EXTENDED_KEY_USAGE,
    () => ({ intermediates: [{ extendedKeyUsage: ["clientAuth"] }] }),
    () => ({
      intermediates: [{ extendedKeyUsage: ["clientAuth", "serverAuth"] }],
    }),
  ),
];

/** Attacks of this kind. */
export const DEFECT_ATTACKS: readonly AttackDefinition[] = [
  ...VALIDITY,
  ...NAMES,
  ...ISSUERS,
];
