/**
 * The key schedule (RFC 8446, section 7), without PSK.
 *
 * Early, handshake and master secret never leave WebCrypto: its HKDF does the
 * Extract and the Expand of one step together. What only expands is HMAC.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import type { Suite } from "./suites.ts";
import { concat, uint, vector } from "./wire.ts";

const { subtle } = crypto;
const ENCODER = new TextEncoder();
const EMPTY = new Uint8Array(0);
const IV_LENGTH = 12;

/** The HkdfLabel structure (RFC 8446, section 7.1). */
export function hkdfLabel(
  label: string,
  context: Uint8Array,
  length: number,
): Bytes {
  return concat(
    uint(length, 2),
    vector(1, ENCODER.encode(`tls13 ${label}`)),
    vector(1, context),
  );
}

/** A digest by the suite's hash. */
export async function digest(suite: Suite, bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle.digest(suite.hash, bytes));
}

function importKeyingMaterial(bytes: Bytes): Promise<CryptoKey> {
  return subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits"]);
}

/** Derive-Secret(HKDF-Extract(salt, material), label, transcript hash). */
async function extractAndDerive(
  suite: Suite,
  material: CryptoKey,
  salt: Bytes,
  label: string,
  transcriptHash: Bytes,
): Promise<Bytes> {
  return new Uint8Array(
    await subtle.deriveBits(
      {
        name: "HKDF",
        hash: suite.hash,
        salt,
        info: hkdfLabel(label, transcriptHash, suite.hashLength),
      },
      material,
      8 * suite.hashLength,
    ),
  );
}

/** What is the same in every connection without PSK. */
interface Constants {
  /** Keying material of zeros, as Early Secret and Master Secret take it. */
  readonly zeros: CryptoKey;
  readonly emptyHash: Bytes;
  /** Derive-Secret(Early Secret, "derived", ""). */
  readonly derived: Bytes;
}

const constants = new Map<Suite["hash"], Promise<Constants>>();

async function computeConstants(suite: Suite): Promise<Constants> {
  const zeros = await importKeyingMaterial(new Uint8Array(suite.hashLength));
  const emptyHash = await digest(suite, EMPTY);
  const salt = new Uint8Array(suite.hashLength);
  const derived = await extractAndDerive(
    suite,
    zeros,
    salt,
    "derived",
    emptyHash,
  );
  return { zeros, emptyHash, derived };
}

function constantsOf(suite: Suite): Promise<Constants> {
  let found = constants.get(suite.hash);
  if (!found) {
    found = computeConstants(suite);
    // A failure must not last longer than the connection that met it.
    found.catch(() => constants.delete(suite.hash));
    constants.set(suite.hash, found);
  }
  return found;
}

/** An AES-GCM key with its static IV, for one direction. */
export interface TrafficKeys {
  readonly key: CryptoKey;
  readonly iv: Bytes;
}

/** A traffic secret, held as an HMAC key that cannot be exported. */
export class TrafficSecret {
  readonly #suite: Suite;
  readonly #key: CryptoKey;

  private constructor(suite: Suite, key: CryptoKey) {
    this.#suite = suite;
    this.#key = key;
  }

  /** Wraps the bytes of a secret. */
  static async from(suite: Suite, secret: Bytes): Promise<TrafficSecret> {
    return new TrafficSecret(
      suite,
      await importHmacKey(suite, secret, "sign"),
    );
  }

  /** HKDF-Expand-Label(secret, label, "", length); at most one block. */
  async expand(label: string, length: number): Promise<Bytes> {
    const info = concat(hkdfLabel(label, EMPTY, length), Uint8Array.of(1));
    const block = await subtle.sign("HMAC", this.#key, info);
    return new Uint8Array(block, 0, length);
  }

  /** Keys of records (RFC 8446, section 7.3). */
  async trafficKeys(usage: "encrypt" | "decrypt"): Promise<TrafficKeys> {
    const [key, iv] = await Promise.all([
      this.expand("key", this.#suite.keyLength),
      this.expand("iv", IV_LENGTH),
    ]);
    return {
      key: await subtle.importKey("raw", key, "AES-GCM", false, [usage]),
      iv,
    };
  }

  /** The key of a Finished (RFC 8446, section 4.4.4). */
  async finishedKey(usage: "sign" | "verify"): Promise<CryptoKey> {
    const key = await this.expand("finished", this.#suite.hashLength);
    return await importHmacKey(this.#suite, key, usage);
  }

  /** The secret after a KeyUpdate (RFC 8446, section 7.2). */
  async next(): Promise<TrafficSecret> {
    const secret = await this.expand("traffic upd", this.#suite.hashLength);
    return await TrafficSecret.from(this.#suite, secret);
  }
}

function importHmacKey(
  suite: Suite,
  bytes: Bytes,
  usage: "sign" | "verify",
): Promise<CryptoKey> {
  return subtle.importKey(
    "raw",
    bytes,
    { name: "HMAC", hash: suite.hash },
    false,
    [usage],
  );
}

/** The secrets of both directions. */
export interface TrafficSecrets {
  readonly client: TrafficSecret;
  readonly server: TrafficSecret;
}

/** The schedule from the key agreement on. */
export class KeySchedule {
  readonly #suite: Suite;
  readonly #sharedSecret: CryptoKey;

  private constructor(suite: Suite, sharedSecret: CryptoKey) {
    this.#suite = suite;
    this.#sharedSecret = sharedSecret;
  }

  /** Starts with what the key agreement gave. */
  static async from(suite: Suite, sharedSecret: Bytes): Promise<KeySchedule> {
    return new KeySchedule(suite, await importKeyingMaterial(sharedSecret));
  }

  /** Derive-Secret(Handshake Secret, label, transcript hash). */
  async handshakeSecret(label: string, transcriptHash: Bytes): Promise<Bytes> {
    const { derived } = await constantsOf(this.#suite);
    return await extractAndDerive(
      this.#suite,
      this.#sharedSecret,
      derived,
      label,
      transcriptHash,
    );
  }

  /** Derive-Secret(Master Secret, label, transcript hash) for each label. */
  async masterSecrets(
    labels: readonly string[],
    transcriptHash: Bytes,
  ): Promise<Bytes[]> {
    const { zeros, emptyHash } = await constantsOf(this.#suite);
    const derived = await this.handshakeSecret("derived", emptyHash);
    return await Promise.all(
      labels.map((label) =>
        extractAndDerive(this.#suite, zeros, derived, label, transcriptHash)
      ),
    );
  }

  /** Secrets of the handshake; the transcript is ClientHello to ServerHello. */
  async handshake(transcriptHash: Bytes): Promise<TrafficSecrets> {
    return await this.#both(
      await Promise.all([
        this.handshakeSecret("c hs traffic", transcriptHash),
        this.handshakeSecret("s hs traffic", transcriptHash),
      ]),
    );
  }

  /** Secrets of application data; the transcript is ClientHello to the server's Finished. */
  async application(transcriptHash: Bytes): Promise<TrafficSecrets> {
    const labels = ["c ap traffic", "s ap traffic"];
    return await this.#both(await this.masterSecrets(labels, transcriptHash));
  }

  async #both([client, server]: readonly Bytes[]): Promise<TrafficSecrets> {
    const secrets = await Promise.all([
      TrafficSecret.from(this.#suite, client),
      TrafficSecret.from(this.#suite, server),
    ]);
    return { client: secrets[0], server: secrets[1] };
  }
}
