/**
 * Connections that live longer than what allowed them.
 */
import { assert, assertEquals } from "@std/assert";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { expiring, otherPins, POOLS, settle } from "./pools.ts";
import { serve } from "./servers.ts";
import { refusal } from "./ways.ts";

/** Registers the tests. */
export const reuse: Body = (t) => {
  for (const { name, open } of POOLS) {
    t.test(`${name} starts no request on a pooled connection that update() made wrong`, async () => {
      const chain = await mintChain();
      const pinner = createPinner(chain.policy);
      await using server = await serve(chain);
      const pool = open(pinner, chain.ca);
      await pool.get(server);
      await settle();
      await pool.get(server);
      await settle();
      assert(server.handshakes <= 2, "connections are kept");
      const { received } = server;
      pinner.update(otherPins(chain));
      assertEquals(
        await refusal(() => pool.get(server)),
        "ERR_CERTPIN_MISMATCH",
      );
      assertEquals(server.received, received);
      pinner.update(chain.policy);
      await pool.get(server);
      assert(server.received > received);
      await pool.close();
    });

    t.test(`${name} keeps a pooled connection that a new policy allows too`, async () => {
      const chain = await mintChain();
      const pinner = createPinner(chain.policy);
      await using server = await serve(chain);
      const pool = open(pinner, chain.ca);
      for (let round = 0; round < 4; round++) {
        await pool.get(server);
        await settle();
        pinner.update(chain.policy);
      }
      assert(server.handshakes <= 2, `${server.handshakes} handshakes`);
      await pool.close();
    });

    t.test(`${name} starts no request on a pooled connection after expiresAt`, async () => {
      const chain = await mintChain();
      let now = Date.now();
      const expiresAt = new Date(now + 3_600_000);
      const pinner = createPinner(expiring(chain, expiresAt), {
        now: () => new Date(now),
      });
      await using server = await serve(chain);
      const pool = open(pinner, chain.ca);
      await pool.get(server);
      await settle();
      now = expiresAt.getTime() - 1_000;
      await pool.get(server);
      await settle();
      const { received } = server;
      now = expiresAt.getTime() + 1_000;
      assertEquals(
        await refusal(() => pool.get(server)),
        "ERR_CERTPIN_EXPIRED",
      );
      assertEquals(server.received, received);
      await pool.close();
    });

    t.test(`${name} starts no request on a pooled connection after the path's notAfter`, async () => {
      const start = Date.now();
      const chain = await mintChain({
        intermediates: [{ notAfter: new Date(start + 3_600_000) }],
      });
      let now = start;
      const pinner = createPinner(chain.policy, { now: () => new Date(now) });
      await using server = await serve(chain);
      const pool = open(pinner, chain.ca);
      await pool.get(server);
      await settle();
      const { received } = server;
      now = start + 3_599_000;
      await pool.get(server);
      await settle();
      assert(server.received > received);
      const before = server.received;
      now = start + 3_602_000;
      assertEquals(
        await refusal(() => pool.get(server)),
        "ERR_CERTPIN_PATH_EXPIRED",
      );
      assertEquals(server.received, before);
      await pool.close();
    });
  }
};
