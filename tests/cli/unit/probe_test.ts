import { assert, assertEquals, assertRejects } from "@std/assert";
import * as net from "node:net";
import * as tls from "node:tls";
import { probe } from "../../../cli/probe.ts";
import { ConnectionError } from "../../../src/errors.ts";
import { mintChain } from "../../../src/testing/mod.ts";

const chain = await mintChain({ hostnames: ["localhost"] });
const secureContext = tls.createSecureContext({
  cert: chain.pem,
  key: chain.keyPem,
});

/** Runs `body` with a server on loopback that does `serve` with each connection. */
async function withServer(
  serve: (socket: net.Socket) => void,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  try {
    await body((server.address() as net.AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const request = (port: number) => ({
  hostname: "localhost",
  port,
  address: { host: "127.0.0.1" },
  starttls: "smtp" as const,
  ca: [],
  timeoutMilliseconds: 10_000,
});

async function refuses(serve: (socket: net.Socket) => void): Promise<void> {
  await withServer(serve, async (port) => {
    const error = await assertRejects(
      () => probe(request(port)),
      ConnectionError,
    );
    assertEquals(error.code, "ERR_CERTPIN_HANDSHAKE");
  });
}

/** Says lines a byte at a time, each when its turn has come. */
function dribble(socket: net.Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    let at = 0;
    const next = () => {
      if (at === text.length) return resolve();
      socket.write(text[at++], () => setImmediate(next));
    };
    next();
  });
}

Deno.test("probe() starts TLS with a server that says its lines byte by byte", async () => {
  await withServer(async (socket) => {
    socket.setNoDelay(true);
    await dribble(socket, "220-one\r\n220 two\r\n");
    const answers = ["250-x\r\n250 y\r\n", "220 go\r\n"];
    socket.on("data", async () => {
      const answer = answers.shift();
      if (answer === undefined) return;
      if (answers.length === 0) socket.removeAllListeners("data");
      await dribble(socket, answer);
      if (answers.length > 0) return;
      const secure = new tls.TLSSocket(socket, {
        isServer: true,
        secureContext,
      });
      secure.on("error", () => {});
    });
  }, async (port) => {
    const { presented } = await probe(request(port));
    assertEquals(presented.length, 2);
  });
});

Deno.test("probe() ends with a server that says too much, nothing, or leaves", async () => {
  let said = 0;
  await refuses((socket) => {
    const more = () => {
      if (socket.destroyed) return;
      said += 16_384;
      socket.write(new Uint8Array(16_384).fill(0x41), more);
    };
    socket.on("close", () => {});
    more();
  });
  assert(said > 65_536);
  await refuses((socket) => socket.end());
  await refuses((socket) => socket.end("220 "));
  await refuses((socket) => socket.end("554 go away\r\n"));
});

Deno.test("probe() gives up after its time", async () => {
  await withServer(() => {}, async (port) => {
    const late = { ...request(port), timeoutMilliseconds: 50 };
    await assertRejects(() => probe(late), ConnectionError);
  });
});

Deno.test("probe() says whether the platform would refuse", async () => {
  await withServer((socket) => {
    const secure = new tls.TLSSocket(socket, { isServer: true, secureContext });
    secure.on("error", () => {});
  }, async (port) => {
    const { starttls: _, ...plain } = request(port);
    const refused = await probe(plain);
    assert(refused.platformRefusal);
    const trusted = await probe({ ...plain, ca: [chain.ca] });
    assertEquals(trusted.platformRefusal, undefined);
    const other = { ...plain, hostname: "other.example", ca: [chain.ca] };
    assert((await probe(other)).platformRefusal);
    assertEquals(refused.presented, [...chain.chain]);
  });
});
