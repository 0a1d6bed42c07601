/**
 * Tests of one's own pinning, with minted chains and real servers: node --test
 */
import assert from "node:assert/strict";
import { createServer } from "node:https";
import { after, before, test } from "node:test";
import { mintChain, renewLeaf } from "@certpin/certpin/testing";
import { createClient } from "./client.js";

const chain = await mintChain({ hostnames: ["localhost"] });
const renewed = await renewLeaf(chain);
// The same names, other keys; the client trusts its root, as it would trust a
// CA that was tricked. Without it, a refusal would prove nothing about pins.
const other = await mintChain({ hostnames: ["localhost"] });
const ca = [chain.ca, other.ca];

const servers = [];

/** Serves a chain, and counts requests. */
async function serve({ pem, keyPem }) {
  let requests = 0;
  const server = createServer(
    { cert: pem, key: keyPem },
    (request, response) => {
      requests++;
      response.end(
        `hello ${new URL(request.url, "https://x").searchParams.get("name")}`,
      );
    },
  );
  servers.push(server);
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `https://localhost:${server.address().port}`;
  return { url, requests: () => requests };
}

let good, afterRenewal, impostor;
before(async () => {
  good = await serve(chain);
  afterRenewal = await serve(renewed);
  impostor = await serve(other);
});
after(() => servers.forEach((server) => server.close()));

async function greetOn(server, policy = chain.policy) {
  const client = createClient(server.url, policy, { ca });
  try {
    return await client.greet("you");
  } finally {
    await client.close();
  }
}

test("the client talks to the server", async () => {
  assert.equal(await greetOn(good), "hello you");
});

test("the client survives a renewal of the server's certificate", async () => {
  assert.equal(await greetOn(afterRenewal), "hello you");
});

test("the client refuses an impostor before it has said anything", async () => {
  await assert.rejects(
    greetOn(impostor),
    ({ cause }) => cause.code === "ERR_CERTPIN_MISMATCH",
  );
  assert.equal(impostor.requests(), 0);
});

test("the impostor would have been accepted, but for the pins", async () => {
  assert.equal(await greetOn(impostor, other.policy), "hello you");
});
