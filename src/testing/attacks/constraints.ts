/**
 * Chains that step outside the name constraints of a CA (RFC 5280, section
 * 4.2.1.10), most of them by a constraint that only a careful reader applies.
 *
 * @module
 */
import type { NameConstraints } from "../extensions.ts";
import { defect } from "./defects.ts";
import type { AttackDefinition, ChainPlan, Part } from "./world.ts";

const CODES = ["ERR_CERTPIN_PATH_NAME_CONSTRAINTS"] as const;

/** A chain under a constrained intermediate; the client asks for `hostname`. */
function under(
  nameConstraints: NameConstraints,
  hostname: string,
  leaf: Part = {},
): ChainPlan {
  return {
    hostname,
    intermediates: [{ nameConstraints }],
    leaf: { hostnames: [hostname], ...leaf },
  };
}

const HOST = "api.host.example";

/** Attacks of this kind. */
export const CONSTRAINT_ATTACKS: readonly AttackDefinition[] = [
  defect(
    "constrained-sub-ca",
    "A CA that may name only customer.example issues for another host.",
    CODES,
    () => under({ permitted: [{ dns: "customer.example" }] }, HOST),
    () => under({ permitted: [{ dns: "host.example" }] }, HOST),
  ),
  defect(
    "excluded-dns",
    "The host lies in an excluded subtree.",
    CODES,
    () => under({ excluded: [{ dns: "host.example" }] }, HOST),
    () => under({ excluded: [{ dns: "other.example" }] }, HOST),
  ),
  defect(
    "excluded-within-permitted",
    "The host is permitted by one subtree and excluded by another.",
    CODES,
    () =>
      under({
        permitted: [{ dns: "host.example" }],
        excluded: [{ dns: "api.host.example" }],
      }, HOST),
    () =>
      under({
        permitted: [{ dns: "host.example" }],
        excluded: [{ dns: "www.host.example" }],
      }, HOST),
  ),
  defect(
    "one-name-outside",
    "One subjectAltName is permitted, a second one is not.",
    CODES,
    () =>
      under({ permitted: [{ dns: "host.example" }] }, HOST, {
        hostnames: [HOST, "bank.example"],
      }),
    () =>
      under({ permitted: [{ dns: "host.example" }] }, HOST, {
        hostnames: [HOST, "www.host.example"],
      }),
  ),
  defect(
    "suffix-without-dot",
    "The host ends in the permitted text, but not at a label.",
    CODES,
    () => under({ permitted: [{ dns: "host.example" }] }, "myhost.example"),
    () => under({ permitted: [{ dns: "host.example" }] }, "my.host.example"),
  ),
  defect(
    "widened-in-sub-ca",
    "The upper CA may name one customer; the CA below gives itself the whole of example.",
    CODES,
    () => ({
      ...under({ permitted: [{ dns: "example" }] }, HOST),
      intermediates: [
        { nameConstraints: { permitted: [{ dns: "example" }] } },
        { nameConstraints: { permitted: [{ dns: "customer.example" }] } },
      ],
    }),
    () => ({
      ...under({ permitted: [{ dns: "example" }] }, HOST),
      intermediates: [
        { nameConstraints: { permitted: [{ dns: "example" }] } },
        { nameConstraints: { permitted: [{ dns: "host.example" }] } },
      ],
    }),
  ),
  defect(
    "constrained-root",
    "The constraint stands in the trusted root.",
    CODES,
    () => ({
      hostname: HOST,
      root: { nameConstraints: { permitted: [{ dns: "customer.example" }] } },
      leaf: { hostnames: [HOST] },
    }),
    () => ({
      hostname: HOST,
      root: { nameConstraints: { permitted: [{ dns: "host.example" }] } },
      leaf: { hostnames: [HOST] },
    }),
  ),
  defect(
    "address-outside",
    "The host is an address outside the permitted range.",
    CODES,
    () => under({ permitted: [{ ip: "10.0.0.0/8" }] }, "127.0.0.1"),
    () => under({ permitted: [{ ip: "127.0.0.0/8" }] }, "127.0.0.1"),
  ),
  defect(
    "address-excluded",
    "The host is an IPv6 address in the excluded range.",
    CODES,
    () => under({ excluded: [{ ip: "fd00::/8" }] }, "fd12::1"),
    () => under({ excluded: [{ ip: "fc00::/8" }] }, "fd12::1"),
  ),
  defect(
    "directory-name-outside",
    "The leaf's subject lies outside the permitted directory name.",
    CODES,
    () =>
      under(
        { permitted: [{ directory: [{ type: "O", value: "Customer" }] }] },
        HOST,
        {
          subject: [{ type: "O", value: "Bank" }, { type: "CN", value: HOST }],
        },
      ),
    () =>
      under(
        { permitted: [{ directory: [{ type: "O", value: "Bank" }] }] },
        HOST,
        {
          subject: [{ type: "O", value: "Bank" }, { type: "CN", value: HOST }],
        },
      ),
  ),
  defect(
    "email-outside",
    "The leaf also names a mailbox outside the permitted domain.",
    CODES,
    () =>
      under({ permitted: [{ email: "customer.example" }] }, HOST, {
        names: [{ email: "root@bank.example" }],
      }),
    () =>
      under({ permitted: [{ email: "bank.example" }] }, HOST, {
        names: [{ email: "root@bank.example" }],
      }),
  ),
  defect(
    "unknown-constrained-type",
    "A type of name is constrained that nobody can compare, and the leaf has one.",
    CODES,
    () =>
      under({ permitted: [{ registeredId: "1.2.3.4" }] }, HOST, {
        names: [{ registeredId: "1.2.3.4" }],
      }),
    () => under({ permitted: [{ registeredId: "1.2.3.4" }] }, HOST),
  ),
];
