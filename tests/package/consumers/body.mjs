/**
 * What somebody does first: a pinned request that is accepted, and an
 * impostor, trusted by the same store, that is refused and sees no byte.
 */
import { createServer } from "node:https";

function serve({ pem, keyPem }) {
  const requests = [];
  const server = createServer(
    { cert: pem, key: keyPem },
    (request, response) => {
      requests.push(request.url);
      response.end("hello");
    },
  );
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const url = `https://localhost:${server.address().port}/`;
      resolve({ url, requests, server });
    });
  });
}

function equal(actual, expected) {
  if (actual !== expected) {
    throw new Error(`Expected ${expected}, not ${actual}`);
  }
}

/** Runs it with the package's exports. */
export async function body(
  { createPinner, createFetch, verdictOf, mintChain },
) {
  const [good, impostor] = await Promise.all([mintChain(), mintChain()]);
  const servers = await Promise.all([good, impostor].map(serve));
  const pinner = createPinner(good.policy);
  const fetch = createFetch(pinner, { ca: [good.ca, impostor.ca] });
  try {
    const response = await fetch(servers[0].url);
    equal(await response.text(), "hello");
    equal(verdictOf(response).reason, "pinned");
    const refusal = await fetch(servers[1].url).then(() => undefined, (e) => e);
    equal(refusal.cause.code, "ERR_CERTPIN_MISMATCH");
    equal(servers[0].requests.length, 1);
    equal(servers[1].requests.length, 0);
  } finally {
    await fetch.close();
    for (const { server } of servers) server.close();
  }
  console.log("accepted the server, refused the impostor");
}
