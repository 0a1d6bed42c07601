import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  MAX_REMEMBERED_REFRESHES,
  MAX_UPDATE_MS,
} from "../../../src/limits.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import {
  createUpdater,
  memoryStore,
  type UpdaterOptions,
} from "../../../src/updates/mod.ts";
import { RefreshLimit } from "../../../src/updates/refresh_limit.ts";
import {
  AUDIENCE,
  codeOf,
  hurrying,
  KEYS,
  signed,
} from "../../conformance/updates/scene.ts";

const pinnerOf = () => createPinner({ version: 1, hosts: {} });

function optionsWith(more: object = {}): UpdaterOptions {
  return {
    load: () => signed(),
    keys: [KEYS.publicKey],
    audience: AUDIENCE,
    store: memoryStore(),
    interval: 0,
    ...more,
  };
}

Deno.test("createUpdater() refuses options that it cannot go by", () => {
  const url = "https://updates.example/policy.jws";
  const wrong: object[] = [
    { load: undefined },
    { url },
    { load: undefined, url: "policy.jws" },
    { load: undefined, url: "file:///policy.jws" },
    { load: undefined, url: "https://user:secret@updates.example/" },
    { load: "https://updates.example" },
    { keys: [] },
    { keys: KEYS.publicKey },
    { audience: "" },
    { store: undefined },
    { store: { load() {} } },
    { onMaxAge: "warn" },
    { builtIn: {} },
    { builtIn: { sequence: -1 } },
    { builtIn: { sequence: 1, issuedAt: new Date(NaN) } },
    { onUpdate: true },
    { onError: {} },
    { fetch: 1 },
    { intervall: 5 },
  ];
  for (const more of wrong) {
    assertThrows(
      () => createUpdater(pinnerOf(), optionsWith(more)),
      TypeError,
      undefined,
      JSON.stringify(more),
    );
  }
  for (
    const more of [
      { interval: -1 },
      { interval: NaN },
      { interval: 2 ** 31 },
      { jitter: "1" },
      { maxAge: -1 },
      { refreshOnMismatch: { minimumInterval: -1 } },
    ]
  ) {
    assertThrows(
      () => createUpdater(pinnerOf(), optionsWith(more)),
      RangeError,
    );
  }
  assertThrows(
    () => createUpdater({} as ReturnType<typeof pinnerOf>, optionsWith()),
    TypeError,
  );
  for (
    const more of [
      { url, load: undefined },
      { url: new URL("http://updates.example"), load: undefined },
      { refreshOnMismatch: true },
      { refreshOnMismatch: {} },
      { maxAge: 0, onMaxAge: "keep", interval: undefined },
    ]
  ) createUpdater(pinnerOf(), optionsWith(more)).close();
});

Deno.test("one updater at a time serves the refused connections of a pinner", async () => {
  const pinner = pinnerOf();
  const options = optionsWith({ refreshOnMismatch: true });
  const first = createUpdater(pinner, options);
  assertThrows(() => createUpdater(pinner, options), TypeError);
  await first.close();
  await createUpdater(pinner, options).close();
});

Deno.test("keys that cannot be used fail each update by their own code", async () => {
  const errors: string[] = [];
  await using updater = createUpdater(
    pinnerOf(),
    optionsWith({
      keys: ["no key"],
      onError: ({ code }: { code: string }) => errors.push(code),
    }),
  );
  assertEquals(
    await codeOf(() => updater.update()),
    "ERR_CERTPIN_KEY_FORMAT",
  );
  assertEquals(updater.status.lastError?.code, "ERR_CERTPIN_KEY_FORMAT");
  assert(errors.length > 0);
});

Deno.test("an updater says how it stands, and calls back", async () => {
  const seen: number[] = [];
  const errors: string[] = [];
  const expiresAt = new Date(Date.now() + 86_400_000);
  let load: () => Promise<string> = () => signed({ sequence: 7, expiresAt });
  await using updater = createUpdater(
    pinnerOf(),
    optionsWith({
      load: () => load(),
      onUpdate: ({ sequence }: { sequence: number }) => {
        seen.push(sequence);
        throw new Error("a callback changes nothing");
      },
      onError: ({ code }: { code: string }) => {
        errors.push(code);
        return Promise.reject(new Error("nor does its promise"));
      },
    }),
  );
  assertEquals(updater.status, {
    sequence: undefined,
    policyExpiresAt: undefined,
    lastSuccess: undefined,
    lastError: undefined,
  });
  const before = Date.now();
  assertEquals(await updater.update(), "updated");
  const { sequence, policyExpiresAt, lastSuccess, lastError } = updater.status;
  assertEquals([sequence, policyExpiresAt, lastError], [
    7,
    expiresAt,
    undefined,
  ]);
  assert(lastSuccess!.getTime() >= before);
  assert(Object.isFrozen(updater.status));
  load = () => Promise.reject(new Error("offline"));
  const code = "ERR_CERTPIN_UPDATE_FETCH";
  assertEquals(await codeOf(() => updater.update()), code);
  assertEquals(updater.status.lastError?.code, code);
  assertEquals(updater.status.lastSuccess, lastSuccess);
  assertEquals([seen, errors], [[7], [code]]);
});

Deno.test("a load that gives no text is a failed fetch", async () => {
  for (const given of [undefined, null, 5, new Uint8Array(4)]) {
    await using updater = createUpdater(
      pinnerOf(),
      optionsWith({ load: () => given }),
    );
    assertEquals(
      await codeOf(() => updater.update()),
      "ERR_CERTPIN_UPDATE_FETCH",
    );
  }
});

Deno.test("what does not end is ended, whether it heeds the signal or not", async () => {
  const never = new Promise<never>(() => {});
  const drops = (length: number) =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(length)),
      }),
    );
  const url = "http://updates.example/policy.jws";
  for (
    const more of [
      { load: () => never },
      { load: undefined, url, fetch: () => never },
      { load: undefined, url, fetch: () => Promise.resolve(drops(10)) },
    ]
  ) {
    await hurrying(MAX_UPDATE_MS, async () => {
      await using updater = createUpdater(pinnerOf(), optionsWith(more));
      assertEquals(
        await codeOf(() => updater.update()),
        "ERR_CERTPIN_UPDATE_FETCH",
      );
    });
  }
});

Deno.test("an updater fetches again and again, and stops when it is closed", async () => {
  let loads = 0;
  const third = Promise.withResolvers<void>();
  const updater = createUpdater(
    pinnerOf(),
    optionsWith({
      interval: 1,
      jitter: 1,
      load: () => {
        if (++loads === 3) third.resolve();
        // A failure does not end it.
        return Promise.reject(new Error("offline"));
      },
    }),
  );
  // The updater's own timers keep nothing alive.
  const alive = setInterval(() => {}, 1000);
  await third.promise;
  clearInterval(alive);
  await updater.close();
  const after = loads;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(loads, after);
});

Deno.test("a process ends while an updater waits for its next turn", async () => {
  const program = `
    import { createPinner } from "./mod.ts";
    import { createUpdater, memoryStore } from "./src/updates/mod.ts";
    const { publicKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    const updater = createUpdater(createPinner({ version: 1, hosts: {} }), {
      url: "http://127.0.0.1:9/", keys: [publicKey], audience: "a",
      store: memoryStore(), interval: 3_600_000,
    });
    await updater.ready;
    console.log("waiting");
  `;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    cwd: new URL("../../../", import.meta.url),
    signal: AbortSignal.timeout(30_000),
  }).output();
  assert(success);
  assertEquals(new TextDecoder().decode(stdout), "waiting\n");
});

Deno.test("RefreshLimit lets a host through once in an interval, and forgets in time", () => {
  let now = 0;
  const limit = new RefreshLimit(1000, () => now);
  assert(limit.take("a.example"));
  assert(!limit.take("a.example"));
  assert(limit.take("b.example"));
  now = 999;
  assert(!limit.take("a.example"));
  now = 1000;
  assert(limit.take("a.example"));
  assert(!limit.take("a.example"));
  assertEquals(limit.size, 1);
});

Deno.test("RefreshLimit is bounded, and a full one lifts no limit", () => {
  let now = 0;
  const limit = new RefreshLimit(1000, () => now);
  for (let index = 0; index < 3 * MAX_REMEMBERED_REFRESHES; index++) {
    assertEquals(
      limit.take(`${index}.example`),
      index < MAX_REMEMBERED_REFRESHES,
    );
  }
  assertEquals(limit.size, MAX_REMEMBERED_REFRESHES);
  assert(!limit.take("0.example"));
  now = 1000;
  assert(limit.take("0.example"));
});
