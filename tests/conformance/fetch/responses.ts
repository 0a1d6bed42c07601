/**
 * Responses and their bodies.
 */
import { type Behaviour, type BehaviourGroup, outcome } from "./behaviour.ts";
import type { RawServer } from "./raw_server.ts";

const REFUSED = { threw: "TypeError" };

/** `sha256` and `sha384` of "hi", and one of something else. */
const SHA256 = "sha256-j0NDRmSPa5bfid2pAcUXaxCm2Dlh3TwayItZstwyeqQ=";
const SHA384 =
  "sha384-B5EAbfgShHckT1PQ/c4hDbgfVXV1EOJqzuNcGKa86qKNzbv9bcBBubTcextU439S";
const WRONG = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const WRONG384 = `sha384-${"A".repeat(64)}`;

function hi(server: RawServer, headers: Record<string, string> = {}): void {
  server.on("/", (_, reply) => reply.respond({ headers, body: "hi" }));
}

/** Two pieces, the second one a moment later. */
function inPieces(server: RawServer): void {
  server.on("/", async (_, reply) => {
    reply.write("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\none;");
    await new Promise((resolve) => setTimeout(resolve, 10));
    reply.write("two;");
  });
}

function read(
  name: string,
  look: (response: Response) => Promise<unknown>,
  expected: unknown,
  serve: (server: RawServer) => void = inPieces,
): Behaviour {
  return {
    name,
    expected,
    observe: ({ fetch, url, server }) =>
      outcome(async () => {
        serve(server);
        return await look(await fetch(`${url}/`));
      }),
  };
}

function checked(
  name: string,
  integrity: string,
  expected: unknown,
  init: RequestInit = {},
): Behaviour {
  return {
    name,
    expected,
    observe: ({ fetch, url, server }) =>
      outcome(async () => {
        hi(server);
        return await (await fetch(`${url}/`, { integrity, ...init })).text();
      }),
  };
}

/** A response that the server writes as it is. */
function raw(
  name: string,
  text: string,
  expected: unknown,
  ends = false,
): Behaviour {
  return read(name, (response) => response.text(), expected, (server) => {
    server.on("/", (_, reply) => ends ? reply.end(text) : reply.write(text));
  });
}

/** The group. */
export const responses: BehaviourGroup = {
  title: "Responses",
  behaviours: [
    read("gives text", (response) => response.text(), "one;two;"),
    read(
      "gives bytes",
      async (response) =>
        [...new Uint8Array(await response.arrayBuffer())].length,
      8,
    ),
    read(
      "gives a Uint8Array",
      async (response) => (await response.bytes()).length,
      8,
    ),
    read("gives JSON", (response) => response.json(), { a: [1] }, (server) => {
      server.on("/", (_, reply) => reply.respond({ body: '{"a":[1]}' }));
    }),
    read("fails on what is no JSON", (response) => response.json(), {
      threw: "SyntaxError",
    }),
    read(
      "gives a Blob with its type",
      async (response) => {
        const blob = await response.blob();
        return [blob.size, blob.type];
      },
      [2, "text/x-mine"],
      (server) => hi(server, { "content-type": "text/x-mine" }),
    ),
    read(
      "gives FormData",
      async (response) => (await response.formData()).get("a"),
      "b c",
      (server) => {
        server.on("/", (_, reply) =>
          reply.respond({
            headers: { "content-type": "application/x-www-form-urlencoded" },
            body: "a=b+c",
          }));
      },
    ),
    read(
      "drops a byte order mark from text",
      (response) => response.text(),
      "x",
      (server) => {
        server.on("/", (_, reply) => reply.respond({ body: "\ufeffx" }));
      },
    ),
    read("is used after it was read", async (response) => {
      const before = response.bodyUsed;
      await response.text();
      return [before, response.bodyUsed, await outcome(() => response.text())];
    }, [false, true, REFUSED]),
    read("clones a body that is being sent", async (response) => {
      const clone = response.clone();
      return [await response.text(), await clone.text()];
    }, ["one;two;", "one;two;"]),
    read(
      "clones what it says of itself",
      async (response) => {
        const clone = response.clone();
        await Promise.all([response.text(), clone.text()]);
        return [
          clone.url === response.url,
          clone.status,
          clone.headers.get("x-one"),
          clone.constructor === Response,
        ];
      },
      [true, 200, "1", true],
      (server) => hi(server, { "x-one": "1" }),
    ),
    read("refuses to clone what was read", async (response) => {
      await response.text();
      response.clone();
    }, REFUSED),
    read("tees its body", async (response) => {
      const [one, two] = response.body!.tee();
      return [await new Response(one).text(), await new Response(two).text()];
    }, ["one;two;", "one;two;"]),
    read("gives a reader", async (response) => {
      const reader = response.body!.getReader();
      let length = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return [length, response.bodyUsed];
        length += value.length;
      }
    }, [8, true]),
    read("gives the same stream each time", async (response) => {
      const isSame = response.body === response.body;
      await response.text();
      return isSame;
    }, true),
    read("is read piece by piece", async (response) => {
      let text = "";
      const decoder = new TextDecoder();
      for await (const chunk of response.body!) text += decoder.decode(chunk);
      return text;
    }, "one;two;"),
    read("takes a buffer to read into", async (response) => {
      const reader = response.body!.getReader({ mode: "byob" });
      let text = "";
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(3));
        if (value) text += new TextDecoder().decode(value);
        if (done) return text;
      }
    }, "one;two;"),
    {
      name: "takes a buffer to read into, with a signal",
      expected: "one;two;",
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          inPieces(server);
          const { signal } = new AbortController();
          const response = await fetch(`${url}/`, { signal });
          const reader = response.body!.getReader({ mode: "byob" });
          let text = "";
          for (;;) {
            const { done, value } = await reader.read(new Uint8Array(3));
            if (value) text += new TextDecoder().decode(value);
            if (done) return text;
          }
        }),
    },
    read("goes through a transform", async (response) =>
      await new Response(
        response.body!.pipeThrough(new TransformStream()),
      ).text(), "one;two;"),
    {
      name: "closes the connection of a body that is cancelled",
      expected: true,
      async observe({ fetch, url, server }) {
        const closed = Promise.withResolvers<boolean>();
        server.on("/", (_, reply) => {
          reply.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nsome");
          reply.socket.on("close", () => closed.resolve(true));
        });
        const response = await fetch(`${url}/`);
        await response.body!.cancel();
        return await closed.promise;
      },
    },
    {
      name: "holds the server back while nobody reads",
      expected: true,
      async observe({ fetch, url, server }) {
        const most = 4_000;
        let written = 0;
        server.on("/", async (_, reply) => {
          reply.write(
            `HTTP/1.1 200 OK\r\ncontent-length: ${most * 65_536}\r\n\r\n`,
          );
          const chunk = new Uint8Array(65_536);
          const closed = new Promise((resolve) =>
            reply.socket.once("close", resolve)
          );
          while (written < most && !reply.socket.destroyed) {
            written++;
            if (!reply.socket.write(chunk)) {
              await Promise.race([
                new Promise((resolve) => reply.socket.once("drain", resolve)),
                closed,
              ]);
            }
          }
        });
        const response = await fetch(`${url}/`);
        await new Promise((resolve) => setTimeout(resolve, 400));
        const isHeld = written < most;
        await response.body!.cancel();
        return isHeld;
      },
    },
    {
      name: "gives a large body whole",
      expected: 5_000_000,
      async observe({ fetch, url, server }) {
        server.on(
          "/",
          (_, reply) => reply.respond({ body: new Uint8Array(5_000_000) }),
        );
        return (await (await fetch(`${url}/`)).arrayBuffer()).byteLength;
      },
    },
    read(
      "says its URL without the fragment",
      (response) => response.text().then(() => response.url.endsWith("/")),
      true,
    ),
    {
      name: "says basic as its type",
      expected: ["basic", false],
      async observe({ fetch, url }) {
        const response = await fetch(`${url}/#fragment`);
        await response.text();
        return [response.type, response.url.includes("#")];
      },
    },
    raw(
      "reads chunks",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n4;x=y\r\n;two\r\n0\r\n\r\n",
      "one;two",
    ),
    raw(
      "reads past trailers",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\nx-one: 1\r\n\r\n",
      "one",
    ),
    raw(
      "reads to the end of a connection",
      "HTTP/1.1 200 OK\r\n\r\nall of it",
      "all of it",
      true,
    ),
    raw("reads HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nold", "old", true),
    raw(
      "fails on a body that is cut off",
      "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
      REFUSED,
      true,
    ),
    raw(
      "fails on chunks that are cut off",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\nshort",
      REFUSED,
      true,
    ),
    raw(
      "fails on chunks without the last one",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n",
      REFUSED,
      true,
    ),
    raw(
      "fails on a chunk whose size is no number",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\none\r\n0\r\n\r\n",
      REFUSED,
    ),
    raw(
      "fails on a head that is cut off",
      "HTTP/1.1 200 OK\r\ncontent-le",
      REFUSED,
      true,
    ),
    raw("fails on no answer at all", "", REFUSED, true),
    raw(
      "fails on what is no HTTP",
      "SSH-2.0-OpenSSH_9.9\r\n\r\n",
      REFUSED,
      true,
    ),
    raw(
      "fails on two lengths that differ",
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi!",
      REFUSED,
    ),
    raw(
      "fails on a length that is no number",
      "HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\nhi",
      REFUSED,
    ),
    raw(
      "fails on a length beside chunks",
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
      REFUSED,
    ),
    raw(
      "fails on a header without a colon",
      "HTTP/1.1 200 OK\r\nno colon here\r\ncontent-length: 2\r\n\r\nhi",
      REFUSED,
    ),
    checked("takes a body that matches its integrity", SHA256, "hi"),
    checked("takes the longer digest", `${SHA384}`, "hi"),
    checked("refuses a body that does not match", WRONG, REFUSED),
    checked("takes one of several digests", `${WRONG} ${SHA256}`, "hi"),
    checked(
      "counts the strongest digests alone",
      `${SHA256} ${WRONG384}`,
      REFUSED,
    ),
    checked("ignores digests that nobody knows", "md5-AAAA", "hi"),
    checked("ignores an empty integrity", "", "hi"),
    checked("refuses integrity without a body", SHA256, REFUSED, {
      method: "HEAD",
    }),
  ],
};
