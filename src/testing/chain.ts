/**
 * Mints whole chains: root, intermediates, leaf, and the policy that pins them.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import type {
  HostDocument,
  PinDocument,
  PolicyDocument,
} from "../policy/document.ts";
import { mintCertificate } from "./certificate.ts";
import type {
  MintCertificateOptions,
  MintedCertificate,
} from "./certificate_options.ts";
import { type KeyType, type MintedKey, mintKey, pinOf } from "./keys.ts";

/** What of one certificate of a chain may be asked for: all but who issues it. */
export type ChainCertificateOptions = Omit<MintCertificateOptions, "issuer">;

/** What {@linkcode mintChain} makes. Everything has a default. */
export interface MintChainOptions {
  /** DNS names and IP literals of the leaf. Default: `localhost`, `127.0.0.1`, `::1`. */
  readonly hostnames?: readonly string[];
  /** Begins the subjects of root and intermediates. Default `certpin test`. */
  readonly name?: string;
  /** Of every certificate. Default `P-256`. */
  readonly keyType?: KeyType;
  /** How many, or what is special about each, the leaf's issuer first. Default 1. */
  readonly intermediates?: number | readonly ChainCertificateOptions[];
  /** What is special about the root. */
  readonly root?: ChainCertificateOptions;
  /** What is special about the leaf. */
  readonly leaf?: ChainCertificateOptions;
  /** What "now" is. Default: the clock. */
  readonly now?: Date;
  /** Start of every certificate's validity. Default: an hour before `now`. */
  readonly notBefore?: Date;
  /** End of every certificate's validity. Default: 90 days after `now` for the leaf, 3,650 for the others. */
  readonly notAfter?: Date;
  /** Source of random bytes for serial numbers; keys always come from WebCrypto. */
  readonly random?: (length: number) => Uint8Array;
}

/** The pin set of one host of a {@linkcode MintedPolicy}. */
export interface MintedHost extends HostDocument {
  /** All of them with `pin`; yours to change. */
  readonly pins: PinDocument[];
}

/** A policy document for `createPinner`: plain JSON, and yours to change. */
export interface MintedPolicy extends PolicyDocument {
  /** One entry a hostname, all with the same pins. */
  readonly hosts: Record<string, MintedHost>;
}

/** Canonical SPKI pins of a {@linkcode MintedChain}. */
export interface MintedPins {
  /** Of the leaf. */
  readonly leaf: string;
  /** Of the intermediates, the leaf's issuer first. */
  readonly intermediates: readonly string[];
  /** Of the root. */
  readonly root: string;
  /** Of `backupKey`, which is in no certificate. */
  readonly backup: string;
}

/** A chain made by {@linkcode mintChain}. */
export interface MintedChain {
  /** The names that the leaf is for. */
  readonly hostnames: readonly string[];
  /** The server's certificate. */
  readonly leaf: MintedCertificate;
  /** Between leaf and root, the leaf's issuer first. */
  readonly intermediates: readonly MintedCertificate[];
  /** The anchor. */
  readonly root: MintedCertificate;
  /** Leaf, intermediates, root. */
  readonly certificates: readonly MintedCertificate[];
  /** DER as a server presents it: leaf and intermediates, without the root. */
  readonly chain: readonly Bytes[];
  /** The same as PEM: what a TLS server takes as `cert`. */
  readonly pem: string;
  /** The leaf's private key: what a TLS server takes as `key`. */
  readonly keyPem: string;
  /** The root as PEM: what a TLS client takes as `ca`. */
  readonly ca: string;
  /** A key for the day when the others are lost; its pin is in the policy. */
  readonly backupKey: MintedKey;
  /** Pins of everything above. */
  readonly pins: MintedPins;
  /** A policy that pins the issuing intermediate, the leaf and the backup key; a fresh, plain object. */
  readonly policy: MintedPolicy;
}

async function finish(
  hostnames: readonly string[],
  leaf: MintedCertificate,
  intermediates: readonly MintedCertificate[],
  root: MintedCertificate,
  backupKey: MintedKey,
): Promise<MintedChain> {
  const presented = [leaf, ...intermediates];
  const pins: MintedPins = Object.freeze({
    leaf: await pinOf(leaf.spki),
    intermediates: Object.freeze(
      await Promise.all(intermediates.map(({ spki }) => pinOf(spki))),
    ),
    root: await pinOf(root.spki),
    backup: await pinOf(backupKey.spki),
  });
  const policy: MintedPolicy = { version: 1, hosts: {} };
  for (const hostname of hostnames) {
    policy.hosts[hostname] = {
      pins: [
        ...pins.intermediates.slice(0, 1).map((pin): PinDocument => ({
          pin,
          role: "intermediate",
          comment: "the issuing CA's key: holds when the leaf is renewed",
        })),
        { pin: pins.leaf, role: "leaf", comment: "the server's key" },
        { pin: pins.backup, comment: "backup: a key kept offline" },
      ],
    };
  }
  return Object.freeze({
    hostnames: Object.freeze([...hostnames]),
    leaf,
    intermediates: Object.freeze([...intermediates]),
    root,
    certificates: Object.freeze([...presented, root]),
    chain: Object.freeze(presented.map(({ der }) => der)),
    pem: presented.map(({ pem }) => pem).join(""),
    keyPem: leaf.key.pem,
    ca: root.pem,
    backupKey,
    pins,
    policy,
  });
}

function numbered(
  intermediates: MintChainOptions["intermediates"] = 1,
): readonly ChainCertificateOptions[] {
  if (typeof intermediates !== "number") return intermediates;
  if (!Number.isSafeInteger(intermediates) || intermediates < 0) {
    throw new RangeError(
      `Cannot mint ${intermediates} intermediates: it must be a whole number of at least 0`,
    );
  }
  return new Array<ChainCertificateOptions>(intermediates).fill({});
}

/**
 * Mints a chain of throw-away certificates with their keys and a policy that
 * pins them, all in memory.
 *
 * Use it to test your own pinning against a real server instead of turning
 * verification off. Keys are fresh on every call; nothing is kept.
 *
 * @example A server that the policy allows, and one that it refuses
 * ```ts
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const good = await mintChain({ hostnames: ["api.example.com"] });
 * const other = await mintChain({ hostnames: ["api.example.com"] });
 * // Serve { cert: good.pem, key: good.keyPem }, trust { ca: good.ca },
 * // pin good.policy; then serve `other` and trust both: it must be refused.
 * console.log(JSON.stringify(good.policy, null, 2), other.pem);
 * ```
 *
 * @example Two intermediates, RSA, a leaf that expired yesterday
 * ```ts
 * import { mintChain, sharedKey } from "@certpin/certpin/testing";
 *
 * const yesterday = new Date(Date.now() - 86_400_000);
 * const chain = await mintChain({
 *   root: { key: await sharedKey("RSA-2048", "root") },
 *   intermediates: 2,
 *   leaf: {
 *     notBefore: new Date(yesterday.getTime() - 86_400_000),
 *     notAfter: yesterday,
 *   },
 * });
 * console.log(chain.certificates.length); // 4
 * ```
 */
export async function mintChain(
  options: MintChainOptions = {},
): Promise<MintedChain> {
  const hostnames = options.hostnames ?? ["localhost", "127.0.0.1", "::1"];
  const name = options.name ?? "certpin test";
  const common: ChainCertificateOptions = {
    keyType: options.keyType,
    now: options.now ?? new Date(),
    notBefore: options.notBefore,
    notAfter: options.notAfter,
    random: options.random,
  };
  const root = await mintCertificate({
    ...common,
    subject: `${name} root`,
    ca: true,
    ...options.root,
  });
  const specifications = numbered(options.intermediates);
  const intermediates: MintedCertificate[] = [];
  let issuer = root;
  for (let at = specifications.length - 1; at >= 0; at--) {
    issuer = await mintCertificate({
      ...common,
      subject: `${name} intermediate ${specifications.length - at}`,
      ca: true,
      ...specifications[at],
      issuer,
    });
    intermediates.unshift(issuer);
  }
  const leaf = await mintCertificate({
    ...common,
    hostnames,
    ...options.leaf,
    issuer,
  });
  return await finish(hostnames, leaf, intermediates, root, await mintKey());
}

/**
 * The same chain with a new leaf from the same issuer, as after a renewal:
 * the policy of the old chain still holds by its intermediate pin, and with
 * `key: chain.leaf.key` by its leaf pin too.
 *
 * @example
 * ```ts
 * import { mintChain, renewLeaf } from "@certpin/certpin/testing";
 *
 * const chain = await mintChain();
 * const renewed = await renewLeaf(chain);
 * console.log(chain.pins.leaf !== renewed.pins.leaf); // true
 * ```
 * @param options What is special about the new leaf; its key is fresh unless given.
 */
export async function renewLeaf(
  chain: MintedChain,
  options: ChainCertificateOptions = {},
): Promise<MintedChain> {
  const leaf = await mintCertificate({
    keyType: chain.leaf.key.type,
    hostnames: chain.hostnames,
    ...options,
    issuer: chain.intermediates[0] ?? chain.root,
  });
  return await finish(
    chain.hostnames,
    leaf,
    chain.intermediates,
    chain.root,
    chain.backupKey,
  );
}
