/**
 * Good flights with something changed on their way: none is accepted, none
 * hangs, and each ends in an error of ours.
 */
import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../../src/crypto/routine.ts";
import { CertpinError } from "../../../src/errors.ts";
import { concat } from "../../../src/tls13/wire.ts";
import type { Body } from "../harness.ts";
import { type Random, random as seeded } from "../random.ts";
import { everything } from "../skip.ts";
import { play } from "./play.ts";
import type { Script } from "./server.ts";

/** Flights in a run of everything, and in a sample. */
const FLIGHTS = { all: 20_000, sample: 600 };
/** Flights that are under way at the same time. */
const PARALLEL = 8;
/** Where the first record's version stands, which is not looked at. */
const LEGACY_VERSION_AT = 2;

/**
 * Changes bytes somewhere; the result is another, and does not end with all of
 * the original, since what follows a whole flight is no part of it.
 */
export function mutate(random: Random, original: Bytes): Bytes {
  for (;;) {
    const changed = mutateOnce(random, original);
    const isSame = changed.length === original.length &&
      changed.every((byte, at) =>
        byte === original[at] || at === LEGACY_VERSION_AT
      );
    const isLonger = original.every((byte, at) => changed[at] === byte);
    if (!isSame && !isLonger) return changed;
  }
}

/** The same, but not the highest bit of X25519, which is not looked at (RFC 7748, section 5). */
function mutateShare(random: Random, original: Bytes): Bytes {
  for (;;) {
    const changed = mutate(random, original);
    const last = original.length - 1;
    const isSame = changed.length === original.length &&
      changed.every((byte, at) =>
        byte === original[at] || (at === last && (byte ^ original[at]) === 0x80)
      );
    if (!isSame) return changed;
  }
}

function mutateOnce(random: Random, original: Bytes): Bytes {
  const at = random.below(original.length);
  const size = 1 + random.below(random.below(4) === 0 ? 200 : 4);
  const head = original.subarray(0, at);
  const tail = original.subarray(at);
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2: {
      const copy = original.slice();
      copy[at] ^= 1 << random.below(8);
      return copy;
    }
    case 3: {
      const copy = original.slice();
      copy[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)];
      return copy;
    }
    case 4:
      return concat(head, tail.subarray(size));
    case 5:
      return concat(
        head,
        Uint8Array.from({ length: size }, () => random.below(256)),
        tail,
      );
    case 6:
      return concat(head, tail.subarray(0, size), tail);
    default:
      return head.slice();
  }
}

/** Where a flight is changed. */
const PLACES: readonly ((random: Random) => Script)[] = [
  // On the wire, by somebody without keys.
  (random) => {
    const target = random.below(2);
    let count = 0;
    return {
      toChunks: (bytes) => [count++ === target ? mutate(random, bytes) : bytes],
    };
  },
  // By a server, after it has signed and hashed something else.
  (random) => ({
    toContents: (messages) => [mutate(random, concat(...messages))],
  }),
  (random) => ({
    toContents: (messages) => {
      const target = random.below(messages.length);
      return messages.map((message, at) =>
        at === target ? mutate(random, message) : message
      );
    },
  }),
  // By a server that signs and hashes what it has changed.
  (random) => ({
    serverHello: (fields) => {
      const target = random.below(fields.extensions.length);
      return {
        ...fields,
        extensions: fields.extensions.map(([type, data], at) =>
          at === target
            ? [type, mutateShare(random, new Uint8Array(data))] as const
            : [type, data] as const
        ),
      };
    },
  }),
];

async function playMutated(random: Random, run: number): Promise<void> {
  const place = random.below(PLACES.length);
  const { error, verdicts, isFinished } = await play(
    PLACES[place](random),
    { profile: { groups: ["X25519"], shares: ["X25519"] } },
    async (server) => {
      await server.sendFlight();
      await server.close();
    },
  );
  const what = `flight ${run}, place ${place}: ${error}`;
  assert(error instanceof CertpinError, what);
  assertEquals([verdicts, isFinished], [0, false], what);
}

/** The tests. */
export const tls13Mutations: Body = (t) => {
  const flights = everything() ? FLIGHTS.all : FLIGHTS.sample;
  t.test(`openTls() accepts none of ${flights} mutated flights`, async () => {
    let next = 0;
    await Promise.all(
      Array.from({ length: PARALLEL }, async () => {
        for (let run = next++; run < flights; run = next++) {
          await playMutated(seeded(run), run);
        }
      }),
    );
    assert(next >= flights);
  }, 900_000);
};
