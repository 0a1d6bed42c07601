/**
 * Launches the edge's bodies against a Worker that workerd serves: the servers
 * are here, the pinned client is there.
 */
import { assert, assertEquals } from "@std/assert";
import { mintChain } from "../../../src/testing/mod.ts";
import { type HttpServed, serveHttp } from "../adapters/http_server.ts";
import { refusals, type Visit } from "../edge/refusals.ts";
import {
  type ServedWorker,
  serveWorker,
  workerdPath,
} from "../edge/workerd.ts";
import { createHarness } from "../harness.ts";
import { missing } from "../skip.ts";

const ignore = missing(
  "workerd",
  workerdPath !== undefined,
  "npx does not bring workerd",
);

let worker: ServedWorker;

/** A test whose worker is shared. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `workerd: ${name}`, ignore, fn });
}

Deno.test.beforeAll(async () => {
  if (ignore) return;
  worker = await serveWorker({
    entry: "tests/conformance/edge/worker.ts",
    objects: { PLACES: "Place" },
  });
});

Deno.test.afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
});

const harness = createHarness({
  runtime: "deno",
  version: Deno.version.deno,
  register: test,
});
refusals(async (visit) => await (await worker.post("/visit", visit)).json())(
  harness,
);

interface Scene extends AsyncDisposable {
  readonly server: HttpServed;
  readonly visit: Visit;
}

async function open(): Promise<Scene> {
  const chain = await mintChain({ hostnames: ["localhost"] });
  const server = await serveHttp(chain);
  const { policy, ca } = chain;
  return {
    server,
    visit: { hostname: "localhost", port: server.port, policy, ca },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

// The policy of the shared fetch is the first one that it is given.
let scene: Scene;
Deno.test.beforeAll(async () => {
  scene = await open();
});
Deno.test.afterAll(async () => {
  await scene[Symbol.asyncDispose]();
});

async function ask(path: string, more: object): Promise<Response> {
  return await worker.post(path, { ...scene.visit, ...more });
}

test("each request uses the connections that it opened itself", async () => {
  const before = scene.server.connections;
  for (let round = 0; round < 3; round++) {
    const answer = await ask("/shared", { count: 3, path: "/cookies" });
    assertEquals(await answer.json(), { texts: Array(3).fill("cookies") });
  }
  assertEquals(scene.server.connections - before, 3);
});

test("requests that run at the same time do not disturb each other", async () => {
  const answers = await Promise.all(
    Array.from(
      { length: 20 },
      async () =>
        await (await ask("/shared", { count: 3, path: "/cookies" })).json(),
    ),
  );
  assertEquals(
    answers,
    Array(20).fill({ texts: Array(3).fill("cookies") }),
  );
});

test("a Durable Object keeps its connections", async () => {
  const before = scene.server.connections;
  for (let round = 0; round < 4; round++) {
    const answer = await ask("/object", { path: "/cookies" });
    assertEquals(await answer.json(), { texts: ["cookies"] });
  }
  assertEquals(scene.server.connections - before, 1);
});

test("a response is passed on as it comes, an encoded one too", async () => {
  const cookies = await ask("/pass", { path: "/cookies" });
  assertEquals(cookies.headers.getSetCookie(), ["a=1", "b=2"]);
  assertEquals(await cookies.text(), "cookies");
  assertEquals(
    await (await ask("/pass", { path: "/gzip" })).text(),
    "compressed",
  );
  const endless = await ask("/pass", { path: "/endless" });
  const reader = endless.body!.getReader();
  assert((await reader.read()).value!.length > 0);
  await reader.cancel();
  await scene.server.closed("/endless");
});

test("a stream is sent whole", async () => {
  const bytes = 300_000;
  const answer = await ask("/upload", { path: "/echo", bytes });
  const { method, headers, body } = await answer.json();
  assertEquals([method, headers["transfer-encoding"]], ["POST", "chunked"]);
  assert(body.length > 0 && headers.host.startsWith("localhost:"));
});

test("connectTls() opens a connection that can be read and written", async () => {
  const answer = await (await ask("/raw", {})).text();
  assert(answer.startsWith("HTTP/1.1 404"), answer);
});

test("createFetch() of ./workers takes no connect", async () => {
  assertEquals(await (await ask("/options", {})).json(), {
    code: "ERR_CERTPIN_OPTION",
  });
});
