/**
 * How old a policy may become, and clocks that are wrong.
 */
import { assert, assertEquals } from "@std/assert";
import { createPinner, validUntil } from "../../../src/pinner/pinner.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import {
  createUpdater,
  memoryStore,
  signPolicy,
  type UpdaterOptions,
} from "../../../src/updates/mod.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import type { Body } from "../harness.ts";
import { AUDIENCE, codeOf, KEYS } from "./scene.ts";

const DAY = 86_400_000;
const HOST = "api.example.com";
const chain = await mintChain({ hostnames: [HOST, "soft.example.com"] });
const START = Date.now();

type Hosts = typeof chain.policy.hosts;

/** The minted policy, with more said of the host. */
function policyWith(more: Partial<Hosts[string]> = {}) {
  return {
    ...chain.policy,
    hosts: {
      ...chain.policy.hosts,
      [HOST]: { ...chain.policy.hosts[HOST], ...more },
    },
  };
}

/** A pinner whose clock a test turns, with an updater. */
function stage(
  more: Partial<UpdaterOptions> = {},
  policy: unknown = chain.policy,
) {
  const clock = { now: START };
  const pinner = createPinner(policy as typeof chain.policy, {
    anchors: parseCertificates(chain.ca),
    now: () => new Date(clock.now),
    onWarning: () => {},
  });
  const served = { text: "" };
  const updater = createUpdater(pinner, {
    load: () => served.text,
    keys: [KEYS.publicKey],
    audience: AUDIENCE,
    store: memoryStore(),
    interval: 0,
    ...more,
  });
  let sequence = 0;
  return {
    clock,
    pinner,
    updater,
    served,
    /** Signs a policy for some days, and has it fetched. */
    async publish(days: number, published = chain.policy) {
      served.text = await signPolicy(published, {
        key: KEYS.privateKey,
        audience: AUDIENCE,
        sequence: ++sequence,
        issuedAt: new Date(clock.now),
        expiresAt: new Date(clock.now + days * DAY),
      });
      return await updater.update();
    },
    /** Decision, reason and code. */
    async verdict(hostname = HOST): Promise<(string | undefined)[]> {
      const { decision, reason, error } = await pinner.check({
        hostname,
        chain: chain.chain,
      });
      return [decision, reason, error?.code];
    },
    [Symbol.asyncDispose]: () => updater.close(),
  };
}

const PINNED = ["allow", "pinned", undefined];
const TOO_OLD = ["block", "expired", "ERR_CERTPIN_UPDATE_MAX_AGE"];

/** Registers the tests. */
export const updateAge: Body = (t) => {
  t.test("a policy older than maxAge refuses every pinned host, until a newer one is there", async () => {
    await using staged = stage({ maxAge: 7 * DAY });
    const { clock, updater } = staged;
    await staged.publish(30);
    clock.now = START + 7 * DAY - 1;
    assertEquals(await staged.verdict(), PINNED);
    // Nothing newer is published: that does not make it younger.
    assertEquals(await updater.update(), "unchanged");
    clock.now = START + 7 * DAY;
    assertEquals(await staged.verdict(), TOO_OLD);
    assertEquals(await updater.update(), "unchanged");
    assertEquals(await staged.verdict(), TOO_OLD);
    assertEquals(await staged.publish(30), "updated");
    assertEquals(await staged.verdict(), PINNED);
  });

  t.test("a policy that has expired is too old, without a maxAge too", async () => {
    await using staged = stage();
    await staged.publish(3);
    staged.clock.now = START + 3 * DAY - 1;
    assertEquals(await staged.verdict(), PINNED);
    staged.clock.now = START + 3 * DAY;
    assertEquals(await staged.verdict(), TOO_OLD);
    assertEquals(
      await codeOf(() => staged.updater.update()),
      "ERR_CERTPIN_UPDATE_EXPIRED",
    );
    await staged.updater.close();
    assertEquals(await staged.verdict(), TOO_OLD);
  });

  t.test('onMaxAge: "keep" goes on with an old policy', async () => {
    await using staged = stage({ maxAge: DAY, onMaxAge: "keep" });
    await staged.publish(3);
    staged.clock.now = START + 300 * DAY;
    assert((await staged.verdict())[2] !== "ERR_CERTPIN_UPDATE_MAX_AGE");
    staged.clock.now = START + 4 * DAY;
    assertEquals(await staged.verdict(), PINNED);
  });

  t.test("too old a policy is softened by report-only, and says nothing of unlisted hosts", async () => {
    await using staged = stage({ maxAge: DAY });
    await staged.publish(
      30,
      {
        ...policyWith({ mode: "report-only" } as Partial<Hosts[string]>),
        unlisted: "allow",
      } as typeof chain.policy,
    );
    staged.clock.now = START + DAY;
    assertEquals(await staged.verdict(), [
      "allow",
      "report-only",
      "ERR_CERTPIN_UPDATE_MAX_AGE",
    ]);
    assertEquals(await staged.verdict("soft.example.com"), TOO_OLD);
    assertEquals((await staged.verdict("other.example.com"))[0], "block");
    const invalid = await staged.pinner.check({ hostname: HOST, chain: [] });
    assertEquals(invalid.reason, "invalid-chain");
  });

  t.test("no verdict outlives the policy that it rests on", async () => {
    await using staged = stage({ maxAge: DAY });
    await staged.publish(30);
    const verdict = await staged.pinner.check({
      hostname: HOST,
      chain: chain.chain,
    });
    assertEquals(validUntil(verdict), START + DAY);
  });

  t.test("the age of a built-in policy counts if its date is said", async () => {
    const issuedAt = new Date(START - 6 * DAY);
    await using dated = stage({
      maxAge: 7 * DAY,
      builtIn: { sequence: 0, issuedAt },
    });
    await using undated = stage({ maxAge: 7 * DAY, builtIn: { sequence: 0 } });
    assertEquals(await dated.verdict(), PINNED);
    for (const { clock } of [dated, undated]) clock.now = START + DAY;
    assertEquals(await dated.verdict(), TOO_OLD);
    assertEquals(await undated.verdict(), PINNED);
  });

  t.test("a clock that is set back revives no expired pin set", async () => {
    await using staged = stage();
    const expiresAt = new Date(START + DAY).toISOString();
    await staged.publish(
      30,
      policyWith({ expiresAt } as Partial<Hosts[string]>),
    );
    assertEquals(await staged.verdict(), PINNED);
    // A policy that still holds the expired set is accepted two days later.
    staged.clock.now = START + 2 * DAY;
    await staged.publish(
      30,
      policyWith({ expiresAt } as Partial<Hosts[string]>),
    );
    const expired = ["block", "expired", "ERR_CERTPIN_EXPIRED"];
    assertEquals(await staged.verdict(), expired);
    staged.clock.now = START;
    assertEquals(await staged.verdict(), expired);
    // Paths are judged by the clock as it is: this one is not yet valid.
    staged.clock.now = START - 10_000 * DAY;
    assertEquals(
      (await staged.verdict())[2],
      "ERR_CERTPIN_PATH_NOT_YET_VALID",
    );
  });

  t.test("a clock that is set back takes no policy back", async () => {
    await using staged = stage();
    staged.clock.now = START + 10 * DAY;
    await staged.publish(30);
    // By the clock it is too early for a policy of day 11; the floor knows better.
    staged.clock.now = START;
    const { served, updater } = staged;
    const text = (issued: number, sequence: number, days = 1) =>
      signPolicy(chain.policy, {
        key: KEYS.privateKey,
        audience: AUDIENCE,
        sequence,
        issuedAt: new Date(issued),
        expiresAt: new Date(issued + days * DAY),
      });
    // Expired on day 9: the time is at least day 10, whatever the clock says.
    served.text = await text(START + 8 * DAY, 7);
    assertEquals(
      await codeOf(() => updater.update()),
      "ERR_CERTPIN_UPDATE_EXPIRED",
    );
    served.text = await text(START + 10 * DAY + 299_000, 8);
    assertEquals(await updater.update(), "updated");
    served.text = await text(START + 11 * DAY, 9);
    assertEquals(
      await codeOf(() => updater.update()),
      "ERR_CERTPIN_UPDATE_NOT_YET_VALID",
    );
  });

  t.test("a clock that gives no date accepts no policy", async () => {
    await using staged = stage();
    await staged.publish(30);
    staged.clock.now = NaN;
    staged.served.text = await signPolicy(chain.policy, {
      key: KEYS.privateKey,
      audience: AUDIENCE,
      sequence: 9,
      issuedAt: new Date(START),
      expiresAt: new Date(START + DAY),
    });
    assertEquals(
      await codeOf(() => staged.updater.update()),
      "ERR_CERTPIN_UPDATE_EXPIRED",
    );
    staged.clock.now = START;
    assertEquals(await staged.updater.update(), "updated");
  });
};
