/**
 * Anchors, to be looked up by name and by key.
 *
 * @module
 */
import type { Bytes } from "../crypto/routine.ts";
import { CertpinError } from "../errors.ts";
import {
  type Certificate,
  parseDer,
  recordOf,
  splitDer,
} from "../x509/certificate.ts";
import { bytesEqual, bytesKey } from "../x509/der.ts";
import { readIndexKeys } from "../x509/layout.ts";
import { nameKey } from "../x509/names.ts";

/** Trusted certificates; where they come from and when they are parsed is its own affair. */
export interface AnchorStore {
  /** How many certificates it holds. */
  readonly size: number;
  /** The anchors whose subject is the certificate's issuer. */
  bySubject(issued: Certificate): readonly Certificate[];
  /** Whether the certificate's key is the key of an anchor. */
  hasKeyOf(certificate: Certificate): boolean;
  /** Whether the very certificate is an anchor. */
  has(certificate: Certificate): boolean;
}

interface Entry {
  readonly subjectKey: string;
  /** The key itself, without its algorithm: two spellings of one key are one key. */
  readonly keyBits: string;
  get(): Certificate | undefined;
}

class IndexedStore implements AnchorStore {
  readonly size: number;
  readonly #bySubject = new Map<string, Entry[]>();
  readonly #byKey = new Map<string, Entry[]>();

  constructor(entries: readonly Entry[]) {
    this.size = entries.length;
    for (const entry of entries) {
      add(this.#bySubject, entry.subjectKey, entry);
      add(this.#byKey, entry.keyBits, entry);
    }
  }

  // An index only tells which anchors to parse: what an anchor says is what
  // the parsed one says.
  #named(subjectKey: string): readonly Certificate[] {
    return (this.#bySubject.get(subjectKey) ?? [])
      .flatMap((entry) => entry.get() ?? [])
      .filter((anchor) => recordOf(anchor).subjectKey === subjectKey);
  }

  bySubject(issued: Certificate): readonly Certificate[] {
    return this.#named(recordOf(issued).issuerKey);
  }

  hasKeyOf(certificate: Certificate): boolean {
    const key = recordOf(certificate).publicKey.key;
    return (this.#byKey.get(bytesKey(key)) ?? [])
      .flatMap((entry) => entry.get() ?? [])
      .some((anchor) => bytesEqual(recordOf(anchor).publicKey.key, key));
  }

  has(certificate: Certificate): boolean {
    const { subjectKey, der } = recordOf(certificate);
    return this.#named(subjectKey).some((anchor) =>
      bytesEqual(recordOf(anchor).der, der)
    );
  }
}

function add(index: Map<string, Entry[]>, key: string, entry: Entry): void {
  const bucket = index.get(key);
  if (bucket) bucket.push(entry);
  else index.set(key, [entry]);
}

/** A store of certificates that are parsed already. */
export function anchorStore(certificates: readonly Certificate[]): AnchorStore {
  return new IndexedStore(certificates.map((certificate) => {
    const record = recordOf(certificate);
    return {
      subjectKey: record.subjectKey,
      keyBits: bytesKey(record.publicKey.key),
      get: () => certificate,
    };
  }));
}

/**
 * A store of PEM or DER certificates, of which only subject and key are read
 * until one is needed: a platform has 150 to 300 of them. Those that cannot be read
 * are left out, since an anchor that is not there can only refuse.
 */
export function lazyAnchorStore(
  sources: readonly (string | Uint8Array)[],
): AnchorStore {
  // The caller's bytes may change before they are read.
  return new DeferredStore(
    sources.map((source) =>
      typeof source === "string" ? source : source.slice()
    ),
  );
}

/** Indexed when something is looked up first: many programs never do. */
class DeferredStore implements AnchorStore {
  #sources: readonly (string | Uint8Array)[];
  #indexed: IndexedStore | undefined;

  constructor(sources: readonly (string | Uint8Array)[]) {
    this.#sources = sources;
  }

  get #store(): IndexedStore {
    if (this.#indexed === undefined) {
      this.#indexed = new IndexedStore(
        this.#sources.flatMap((source) =>
          readable(() => splitDer(source)) ?? []
        )
          .flatMap((der) => readable(() => lazyEntry(der)) ?? []),
      );
      this.#sources = [];
    }
    return this.#indexed;
  }

  get size(): number {
    return this.#store.size;
  }

  bySubject(issued: Certificate): readonly Certificate[] {
    return this.#store.bySubject(issued);
  }

  hasKeyOf(certificate: Certificate): boolean {
    return this.#store.hasKeyOf(certificate);
  }

  has(certificate: Certificate): boolean {
    return this.#store.has(certificate);
  }
}

function lazyEntry(der: Bytes): Entry {
  const { subject, key } = readIndexKeys(der);
  let parsed: Certificate | undefined;
  let isTried = false;
  return {
    subjectKey: nameKey(subject),
    keyBits: bytesKey(key),
    get() {
      if (!isTried) parsed = readable(() => parseDer(der));
      isTried = true;
      return parsed;
    },
  };
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertpinError) return undefined;
    throw error;
  }
}
