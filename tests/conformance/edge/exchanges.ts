/**
 * Requests and responses over connections in memory: what is sent, what is
 * shown, which connections are used again, and how each phase is aborted.
 */
import { assert, assertEquals } from "@std/assert";
import { ConnectionError } from "../../../src/errors.ts";
import { MAX_HTTP_REDIRECTS } from "../../../src/limits.ts";
import type { Harness } from "../harness.ts";
import { ok, Origin, type Received, type Reply, saying } from "./origin.ts";

const URL_ = "https://origin.example/";
const HEAD = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const truncated = () =>
  new ConnectionError("ERR_CERTPIN_HTTP_PROTOCOL", "The transport was cut");

/** What a promise rejects with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown");
}

async function assertNetworkError(promise: Promise<unknown>): Promise<unknown> {
  const error = await rejection(promise);
  assert(error instanceof TypeError, String(error));
  return error.cause;
}

function headersOf({ head }: Received): string[] {
  return head.split("\r\n").slice(1).map((line) => line.toLowerCase());
}

function streamOf(...pieces: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  }, { highWaterMark: 0 });
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

async function compress(text: string, format: string): Promise<Uint8Array> {
  const stream = new Response(text).body!
    .pipeThrough(new CompressionStream(format as CompressionFormat));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function coded(coding: string, body: Uint8Array): Reply {
  const head =
    `${HEAD}Content-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return { pieces: [head, body] };
}

function keepAlive(t: Harness): void {
  const reused: Readonly<Record<string, string>> = {
    "a length": ok("hello"),
    "a length of zero": ok(),
    "chunks": `${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
    "chunks and trailers": `${CHUNKED}5\r\nhello\r\n0\r\nA: b\r\n\r\n`,
    "status 204": "HTTP/1.1 204 No Content\r\n\r\n",
    "status 304": "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "an interim response": `HTTP/1.1 103 A\r\nLink: x\r\n\r\n${ok("hello")}`,
  };
  for (const [name, text] of Object.entries(reused)) {
    t.test(`a connection is used again after ${name}`, async () => {
      const origin = saying(text);
      const pinned = origin.fetch();
      for (let round = 0; round < 3; round++) {
        await (await pinned(URL_)).text();
      }
      assertEquals([origin.connections, origin.received.length], [1, 3]);
      pinned.close();
      assertEquals(origin.ended, 1);
    });
  }

  const ended: Readonly<Record<string, string>> = {
    "Connection: close": ok("hello", "Connection: close"),
    "close in a list": ok("hello", "Connection: x, Close"),
    "HTTP/1.0": ok("hello").replace("HTTP/1.1", "HTTP/1.0"),
    "bytes after the response": ok("hello") + "x",
    "a second response": ok("hello") + ok("evil"),
    "a body with status 304": "HTTP/1.1 304 Not Modified\r\n\r\nevil",
  };
  for (const [name, text] of Object.entries(ended)) {
    t.test(`no connection is used again after ${name}`, async () => {
      const origin = saying(text);
      const pinned = origin.fetch();
      for (let round = 0; round < 3; round++) {
        const body = await (await pinned(URL_)).text();
        assert(!body.includes("evil"));
      }
      assertEquals([origin.connections, origin.ended], [3, 3]);
    });
  }

  t.test("HEAD has no body, whatever its length says", async () => {
    const origin = saying(`${HEAD}Content-Length: 5\r\n\r\n`);
    const pinned = origin.fetch();
    const response = await pinned(URL_, { method: "HEAD" });
    assertEquals([response.body, await response.text()], [null, ""]);
    assertEquals(response.headers.get("content-length"), "5");
    await pinned(URL_, { method: "HEAD" });
    assertEquals(origin.connections, 1);
    pinned.close();
  });

  t.test("an idle connection that the server ends or speaks on is left", async () => {
    for (const unasked of [ok("evil"), truncated()]) {
      const more = Promise.withResolvers<string | Error>();
      const origin = new Origin((_, index) => ({
        pieces: [ok(String(index))],
        ...index === 0 && { more: more.promise },
      }));
      const pinned = origin.fetch();
      assertEquals(await (await pinned(URL_)).text(), "0");
      more.resolve(unasked);
      await tick();
      assertEquals(await (await pinned(URL_)).text(), "1");
      assertEquals([origin.connections, origin.ended], [2, 1]);
      pinned.close();
    }
  });

  t.test("an idle connection ends after keepAliveTimeout", async () => {
    const origin = saying(ok("hello"));
    const pinned = origin.fetch({ keepAliveTimeout: 1 });
    await (await pinned(URL_)).text();
    while (origin.ended === 0) await tick();
    await (await pinned(URL_)).text();
    assertEquals(origin.connections, 2);
    pinned.close();
  });

  t.test("keepAliveTimeout 0 asks the server to end each connection", async () => {
    const origin = saying(ok("hello"));
    const pinned = origin.fetch({ keepAliveTimeout: 0 });
    await (await pinned(URL_)).text();
    await (await pinned(URL_)).text();
    assertEquals([origin.connections, origin.ended], [2, 2]);
    for (const request of origin.received) {
      assert(headersOf(request).includes("connection: close"));
    }
  });

  t.test("connections serve their own origin alone", async () => {
    const origin = saying(ok("hello"));
    const pinned = origin.fetch();
    const urls = [
      URL_,
      "https://other.example/",
      "https://origin.example:444/",
    ];
    for (const url of [...urls, ...urls]) await (await pinned(url)).text();
    assertEquals(origin.connections, 3);
    assertEquals(
      origin.received.slice(0, 3).map((one) => headersOf(one)[0]),
      [
        "host: origin.example",
        "host: other.example",
        "host: origin.example:444",
      ],
    );
    pinned.close();
  });

  t.test("a pooled connection that is refused takes no request", async () => {
    const refused = () => Promise.reject(new Error("refused"));
    for (const isRefused of [true, false]) {
      const origin = saying(ok("hello"));
      const pinned = origin.fetch();
      await (await pinned(URL_)).text();
      origin.confirm = () => {
        origin.confirm = () => true;
        return isRefused ? refused() : true;
      };
      await (await pinned(URL_, { method: "POST", body: "hello" })).text();
      assertEquals(origin.received[1].connection, isRefused ? 1 : 0);
      assertEquals(origin.ended, isRefused ? 1 : 0);
      pinned.close();
    }
  });

  t.test("a new connection that is refused takes no request", async () => {
    const origin = saying(ok("hello"));
    const refused = new Error("refused");
    origin.confirm = () => Promise.reject(refused);
    assertEquals(await assertNetworkError(origin.fetch()(URL_)), refused);
    assertEquals([origin.ended, origin.received.length], [1, 0]);
  });

  t.test("a request waits until its connection is allowed by the new rules", async () => {
    const origin = saying(ok("hello"));
    const pinned = origin.fetch();
    await (await pinned(URL_)).text();
    const evaluated = Promise.withResolvers<void>();
    origin.confirm = () => evaluated.promise;
    const again = pinned(URL_);
    for (let round = 0; round < 5; round++) await tick();
    assertEquals(origin.received.length, 1);
    origin.confirm = () => true;
    evaluated.resolve();
    await (await again).text();
    assertEquals([origin.received.length, origin.connections], [2, 1]);
    pinned.close();
  });

  t.test("new rules end what runs on a connection that they refuse", async () => {
    for (const isRefused of [true, false]) {
      const listeners = new Set<() => void>();
      const more = Promise.withResolvers<string>();
      const origin = new Origin(() => ({
        pieces: [`${HEAD}Content-Length: 10\r\n\r\nhello`],
        more: more.promise,
      }));
      const pinned = origin.fetch({
        onChange: (listener) => {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      });
      const response = await pinned(URL_);
      const text = response.text();
      text.catch(() => {});
      const refused = new Error("refused");
      if (isRefused) origin.confirm = () => Promise.reject(refused);
      assertEquals(listeners.size, 1);
      for (const listener of listeners) listener();
      await tick();
      more.resolve("world");
      if (isRefused) {
        assertEquals(await rejection(text), refused);
        assertEquals([origin.ended, listeners.size], [1, 0]);
      } else assertEquals(await text, "helloworld");
      pinned.close();
      assertEquals(listeners.size, 0);
    }
  });

  t.test("a body goes on only while its connection is allowed", async () => {
    for (const isRefused of [true, false]) {
      const more = Promise.withResolvers<string>();
      const origin = new Origin(() => ({
        pieces: [`${HEAD}Content-Length: 10\r\n\r\nhello`],
        more: more.promise,
      }));
      const pinned = origin.fetch();
      const text = (await pinned(URL_)).text();
      text.catch(() => {});
      const refused = new Error("refused");
      if (isRefused) origin.confirm = () => Promise.reject(refused);
      origin.isStale = true;
      more.resolve("world");
      if (isRefused) assertEquals(await rejection(text), refused);
      else assertEquals(await text, "helloworld");
      pinned.close();
    }
  });

  t.test("a request that met a stale connection is sent once more", async () => {
    for (
      const [method, body, connections] of [
        ["GET", undefined, 2],
        ["PUT", "hello", 2],
        ["POST", "hello", 1],
        ["PUT", streamOf("hello"), 1],
      ] as const
    ) {
      const origin = new Origin((_, index) =>
        index === 1 ? { pieces: [], end: true } : { pieces: [ok("hello")] }
      );
      const pinned = origin.fetch();
      await (await pinned(URL_)).text();
      const again = pinned(URL_, { method, body, duplex: "half" } as object);
      if (connections === 2) assertEquals(await (await again).text(), "hello");
      else await assertNetworkError(again);
      assertEquals(origin.connections, connections, method);
      pinned.close();
    }
  });

  t.test("a new connection that fails is not tried again", async () => {
    const origin = saying("", true);
    const cause = await assertNetworkError(origin.fetch()(URL_));
    assert(cause instanceof ConnectionError);
    assertEquals(origin.connections, 1);
  });

  t.test("an answer that was begun is not asked for again", async () => {
    const origin = new Origin((_, index) =>
      index === 0
        ? { pieces: [ok("hello")] }
        : { pieces: ["HTTP/1.1 2"], end: true }
    );
    const pinned = origin.fetch();
    await (await pinned(URL_)).text();
    await assertNetworkError(pinned(URL_));
    assertEquals(origin.connections, 1);
  });
}

function ends(t: Harness): void {
  const endings: readonly [string, string, boolean][] = [
    ["a length", ok("hello"), true],
    ["chunks", `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`, true],
    ["status 204", "HTTP/1.1 204 No Content\r\n\r\n", true],
    ["nothing", `${HEAD}\r\nhello`, false],
    ["a length that is not reached", ok("hello").replace("5", "6"), false],
    ["chunks without the last one", `${CHUNKED}5\r\nhello\r\n`, false],
  ];
  for (const [name, text, isComplete] of endings) {
    const verb = isComplete ? "is complete" : "fails";
    t.test(`a body framed by ${name} ${verb} on a cut connection`, async () => {
      const more = Promise.withResolvers<string | Error>();
      const origin = new Origin(() => ({ pieces: [text], more: more.promise }));
      const response = await origin.fetch()(URL_);
      more.resolve(truncated());
      if (isComplete) return void await response.text();
      const error = await rejection(response.text());
      assert(error instanceof ConnectionError, String(error));
      assertEquals(error.message, "The transport was cut");
    });
  }

  t.test("a body framed by nothing is complete on a connection that was closed", async () => {
    const response = await saying(`${HEAD}\r\nhello`, true).fetch()(URL_);
    assertEquals(await response.text(), "hello");
  });

  t.test("a response is read as it comes, and no faster than it is read", async () => {
    const more = Promise.withResolvers<string>();
    const origin = new Origin(() => ({
      pieces: [`${CHUNKED}5\r\nhello\r\n`],
      more: more.promise,
    }));
    const { body } = await origin.fetch()(URL_);
    const reader = body!.getReader();
    assertEquals(
      new TextDecoder().decode((await reader.read()).value),
      "hello",
    );
    const next = reader.read();
    more.resolve("5\r\nworld\r\n0\r\n\r\n");
    assertEquals(new TextDecoder().decode((await next).value), "world");
    assertEquals((await reader.read()).done, true);
  });

  t.test("a body can be read into a buffer", async () => {
    const { body } = await saying(ok("hello")).fetch()(URL_);
    const reader = body!.getReader({ mode: "byob" });
    let text = "";
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(2));
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    assertEquals(text, "hello");
  });

  t.test("cancelling a body ends its connection", async () => {
    const origin = saying(`${HEAD}Content-Length: 9\r\n\r\nhello`);
    const response = await origin.fetch()(URL_);
    await response.body!.cancel();
    assertEquals(origin.ended, 1);
  });
}

function requests(t: Harness): void {
  const sent = async (
    init: RequestInit,
    input: string | Request = URL_,
  ): Promise<Received> => {
    const origin = saying(ok());
    const pinned = origin.fetch();
    await (await pinned(input, init)).text();
    pinned.close();
    return origin.received[0];
  };

  t.test("a request has one Host, one framing, and no field of another hop", async () => {
    const request = await sent({
      method: "POST",
      body: "hello",
      headers: {
        "connection": "upgrade, x",
        "content-length": "4",
        "expect": "100-continue",
        "host": "evil.example",
        "keep-alive": "timeout=1",
        "te": "trailers",
        "trailer": "x",
        "transfer-encoding": "chunked",
        "upgrade": "h2c",
        "x-own": "kept",
      },
    }).catch(() => undefined);
    // Some runtimes refuse such headers in their own Request.
    if (request === undefined) return;
    const names = headersOf(request).map((line) => line.split(":")[0]).sort();
    assertEquals(names.filter((name) => !/^(user-agent|accept)/.test(name)), [
      "content-length",
      "content-type",
      "host",
      "x-own",
    ]);
    assert(headersOf(request).includes("host: origin.example"));
    assert(headersOf(request).includes("content-length: 5"));
    assertEquals(request.body, "hello");
  });

  const bodies: Readonly<Record<string, () => BodyInit>> = {
    "a string": () => "hello",
    "an ArrayBuffer": () => new TextEncoder().encode("hello").buffer,
    "a view": () => new TextEncoder().encode("xhellox").subarray(1, 6),
    "a Blob": () => new Blob(["hel", "lo"]),
  };
  for (const [name, body] of Object.entries(bodies)) {
    t.test(`a body of ${name} is sent with its length`, async () => {
      const request = await sent({ method: "POST", body: body() });
      assert(headersOf(request).includes("content-length: 5"));
      assertEquals(request.body, "hello");
    });
  }

  t.test("bytes that change after the call are sent as they were", async () => {
    const origin = saying(ok());
    const pinned = origin.fetch();
    const bytes = new TextEncoder().encode("hello");
    for (const body of [bytes, bytes.buffer, new DataView(bytes.buffer)]) {
      bytes.set(new TextEncoder().encode("hello"));
      const response = pinned(URL_, { method: "POST", body });
      bytes.fill(0);
      await (await response).text();
    }
    assertEquals(
      origin.received.map(({ body }) => body),
      Array(3).fill("hello"),
    );
    pinned.close();
  });

  t.test("a stream that was read is refused, not sent empty", async () => {
    const origin = saying(ok());
    const body = streamOf("hello");
    await new Response(body).text();
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    const error = await rejection(origin.fetch()(URL_, init));
    assert(error instanceof TypeError);
    const used = new Request(URL_, { method: "POST", body: "hello" });
    await used.text();
    assert(await rejection(origin.fetch()(used)) instanceof TypeError);
    assertEquals(origin.received.length, 0);
  });

  t.test("URLSearchParams and FormData are sent with their types", async () => {
    const search = await sent({
      method: "POST",
      body: new URLSearchParams({ a: "b c" }),
    });
    assertEquals(search.body, "a=b+c");
    assert(
      headersOf(search).some((line) =>
        line.startsWith("content-type: application/x-www-form-urlencoded")
      ),
    );
    const form = new FormData();
    form.set("a", "b");
    const { head, body } = await sent({ method: "POST", body: form });
    const [, boundary] = /boundary=(\S+)/.exec(head)!;
    assert(body.includes(boundary) && body.includes('name="a"'));
  });

  t.test("a stream is sent in chunks", async () => {
    const request = await sent({
      method: "POST",
      body: streamOf("hel", "", "lo"),
      duplex: "half",
    } as RequestInit);
    assert(headersOf(request).includes("transfer-encoding: chunked"));
    assertEquals(request.raw, "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
  });

  t.test("a stream of an announced length is sent without chunks", async () => {
    const request = await sent({
      method: "POST",
      body: streamOf("hel", "lo"),
      headers: { "content-length": "5" },
      duplex: "half",
    } as RequestInit);
    assertEquals(request.raw, "hello");
  });

  t.test("a stream that is not as long as announced ends its connection", async () => {
    for (
      const [announced, isRight] of [["4", false], ["6", false], ["5", true]]
    ) {
      const origin = saying(ok());
      const pinned = origin.fetch();
      const response = pinned(URL_, {
        method: "POST",
        body: streamOf("hel", "lo"),
        headers: { "content-length": announced },
        duplex: "half",
      } as RequestInit);
      if (isRight) await (await response).text();
      else assert(await assertNetworkError(response) instanceof TypeError);
      assertEquals(origin.ended, isRight ? 0 : 1);
      // No byte beyond the length, which would be another request.
      assert(origin.received.every(({ body }) => "hello".startsWith(body)));
      pinned.close();
    }
  });

  t.test("a Request is sent as it says, with the length of its text", async () => {
    const request = await sent(
      {},
      new Request(`${URL_}a?b=c#d`, {
        method: "PUT",
        body: "hello",
        headers: { "x-own": "kept" },
      }),
    );
    assertEquals(request.head.split("\r\n")[0], "PUT /a?b=c HTTP/1.1");
    assert(headersOf(request).includes("x-own: kept"));
    assert(headersOf(request).includes("content-length: 5"));
    assertEquals(request.body, "hello");
  });

  t.test("a large body of a Request is sent whole", async () => {
    const text = "0123456789".repeat(50_000);
    const { body } = await sent(
      { method: "POST" },
      new Request(URL_, { method: "POST", body: text }),
    );
    assertEquals(body, text);
    const large = await sent({ method: "POST", body: text });
    assertEquals(large.body, text);
  });

  t.test("a request without a body says so where a body is usual", async () => {
    for (const method of ["POST", "PUT", "PATCH"]) {
      assert(headersOf(await sent({ method })).includes("content-length: 0"));
    }
    for (const method of ["GET", "DELETE", "OPTIONS"]) {
      const lines = headersOf(await sent({ method }));
      assert(!lines.some((line) => line.startsWith("content-length")));
    }
  });

  t.test("a body's source is read no faster than the server reads", async () => {
    let pulled = 0;
    const gate = Promise.withResolvers<void>();
    const origin = saying(ok());
    const pinned = origin.fetch({
      open: () => {
        const opened = origin.open();
        const { writable } = new TransformStream<Uint8Array, Uint8Array>({
          transform: async () => await gate.promise,
        });
        return Promise.resolve({
          ...opened,
          stream: { readable: opened.stream.readable, writable },
        });
      },
    });
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(1024));
      },
    }, { highWaterMark: 0 });
    const controller = new AbortController();
    const response = pinned(URL_, {
      method: "POST",
      body,
      duplex: "half",
      signal: controller.signal,
    } as RequestInit);
    for (let round = 0; round < 20; round++) await tick();
    assert(pulled <= 4, `${pulled} chunks were read ahead`);
    controller.abort(new Error("enough"));
    gate.resolve();
    assertEquals(((await rejection(response)) as Error).message, "enough");
  });

  t.test("a failing source fails the request, and ends its connection", async () => {
    const origin = saying(ok());
    const body = new ReadableStream<Uint8Array>({
      pull: () => Promise.reject(new Error("no more")),
    });
    const cause = await assertNetworkError(
      origin.fetch()(URL_, { method: "POST", body, duplex: "half" } as object),
    );
    assertEquals((cause as Error).message, "no more");
    assertEquals([origin.ended, origin.received.length], [1, 0]);
  });

  t.test("a source is told that its connection was refused", async () => {
    const refused = new ConnectionError("ERR_CERTPIN_PROTOCOL", "refused");
    let cancelled: unknown;
    const body = new ReadableStream<Uint8Array>({
      cancel: (reason) => void (cancelled = reason),
    });
    const pinned = saying(ok()).fetch({ open: () => Promise.reject(refused) });
    await assertNetworkError(
      pinned(URL_, { method: "POST", body, duplex: "half" } as object),
    );
    assertEquals(cancelled, refused);
  });

  t.test("a response may come before the request is complete", async () => {
    const origin = new Origin(() => ({
      pieces: [`${HEAD}Content-Length: 5\r\n\r\nhe`],
      early: true,
      more: gate.promise,
    }));
    const gate = Promise.withResolvers<string>();
    let cancelled: unknown;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel: (reason) => void (cancelled = reason ?? true),
    });
    const response = await origin.fetch()(
      URL_,
      { method: "POST", body, duplex: "half" } as object,
    );
    gate.resolve("llo");
    assertEquals(await response.text(), "hello");
    await tick();
    // Nobody needs the rest of the request, and the connection is not clean.
    assert(cancelled !== undefined);
    assertEquals(origin.ended, 1);
  });

  t.test("a fetch refuses what fetch refuses", async () => {
    const origin = saying(ok());
    const pinned = origin.fetch();
    const refused: [string, RequestInit][] = [
      ["https://user:secret@origin.example/", {}],
      ["/relative", {}],
      [URL_, { method: "CONNECT" }],
      [URL_, { method: "TRACE" }],
      [URL_, { method: "G T" }],
      [URL_, { body: "a body with GET" }],
      [URL_, { headers: { "a b": "c" } }],
      [URL_, { headers: { "a": "b\r\nc: d" } }],
    ];
    for (const [url, init] of refused) {
      const error = await rejection(pinned(url, init));
      assert(error instanceof TypeError, `${url} ${JSON.stringify(init)}`);
    }
    assertEquals(origin.connections, 0);
  });
}

function redirects(t: Harness): void {
  /** Redirects once, then answers. */
  const once = (status: number, location: string) =>
    new Origin(({ head }, index) =>
      index === 0
        ? {
          pieces: [
            `HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 5\r\n\r\n`,
            head.startsWith("HEAD") ? "" : "moved",
          ],
        }
        : { pieces: [head.startsWith("HEAD") ? ok() : ok("there")] }
    );

  const rewritten: readonly [number, string, string, string][] = [
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "POST", "GET", ""],
    [303, "PUT", "GET", ""],
    [303, "HEAD", "HEAD", ""],
    [301, "PUT", "PUT", "hello"],
    [302, "GET", "GET", ""],
    [307, "POST", "POST", "hello"],
    [308, "POST", "POST", "hello"],
    [308, "GET", "GET", ""],
  ];
  for (const [status, method, next, body] of rewritten) {
    t.test(`a redirect ${status} turns ${method} into ${next}`, async () => {
      const origin = once(status, "/there");
      const pinned = origin.fetch();
      const hasBody = method === "POST" || method === "PUT";
      const response = await pinned(URL_, {
        method,
        ...hasBody && { body: "hello", headers: { "content-language": "en" } },
      });
      await response.text();
      const [, second] = origin.received;
      assertEquals(second.head.split("\r\n")[0], `${next} /there HTTP/1.1`);
      assertEquals(second.body, body);
      assertEquals(
        headersOf(second).includes("content-language: en"),
        body !== "",
      );
      assertEquals(response.redirected, true);
      assertEquals(response.url, `${URL_}there`);
      assertEquals(origin.connections, 1);
      pinned.close();
    });
  }

  t.test("each hop of a redirect is opened by its own URL, without secrets", async () => {
    const origin = once(302, "https://other.example/there");
    const opened: string[] = [];
    const pinned = origin.fetch({
      open: (url) => {
        opened.push(url.origin);
        return Promise.resolve(origin.open());
      },
    });
    await (await pinned(URL_, {
      headers: { authorization: "a", cookie: "b", "x-own": "c" },
    })).text();
    assertEquals(opened, ["https://origin.example", "https://other.example"]);
    const [first, second] = origin.received.map(headersOf);
    assert(first.includes("authorization: a") && first.includes("cookie: b"));
    assert(!second.some((line) => /^(authorization|cookie)/.test(line)));
    assert(
      second.includes("x-own: c") && second.includes("host: other.example"),
    );
    pinned.close();
  });

  t.test("a hop that is refused is not asked", async () => {
    const origin = once(302, "http://origin.example/there");
    const refused = new ConnectionError("ERR_CERTPIN_PROTOCOL", "not https");
    const pinned = origin.fetch({
      open: (url) => {
        if (url.protocol !== "https:") return Promise.reject(refused);
        return Promise.resolve(origin.open());
      },
    });
    assertEquals(await assertNetworkError(pinned(URL_)), refused);
    assertEquals(origin.received.length, 1);
    pinned.close();
  });

  t.test("redirects end at their limit", async () => {
    for (const hops of [MAX_HTTP_REDIRECTS, MAX_HTTP_REDIRECTS + 1]) {
      const origin = new Origin((_, index) => ({
        pieces: [
          index < hops
            ? "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
            : ok("there"),
        ],
      }));
      const pinned = origin.fetch();
      if (hops > MAX_HTTP_REDIRECTS) await assertNetworkError(pinned(URL_));
      else assertEquals(await (await pinned(URL_)).text(), "there");
      assertEquals(origin.received.length, MAX_HTTP_REDIRECTS + 1);
      pinned.close();
    }
  });

  t.test("redirects are shown, or refused, where the caller says so", async () => {
    const manual = await once(302, "/there").fetch()(URL_, {
      redirect: "manual",
    });
    assertEquals([manual.status, manual.redirected], [302, false]);
    assertEquals(await manual.text(), "moved");
    await assertNetworkError(
      once(302, "/there").fetch()(URL_, { redirect: "error" }),
    );
  });

  t.test("a redirect without a location is a response", async () => {
    const text = ok("moved").replace("200 OK", "302 Found");
    const response = await saying(text).fetch()(URL_);
    assertEquals([response.status, await response.text()], [302, "moved"]);
  });

  t.test("a location that is not ASCII is read as UTF-8", async () => {
    const origin = once(302, "/\xc3\xa9");
    const pinned = origin.fetch();
    const response = await pinned(URL_);
    assertEquals(response.url, `${URL_}%C3%A9`);
    pinned.close();
  });

  t.test("a redirect to nowhere, or with credentials, fails", async () => {
    for (const location of ["https://", "https://a:b@origin.example/"]) {
      const origin = once(302, location);
      await assertNetworkError(origin.fetch()(URL_));
      assertEquals([origin.received.length, origin.ended], [1, 1]);
    }
  });

  t.test("a stream is not sent again after a redirect", async () => {
    for (const [status, isSent] of [[307, false], [303, true]] as const) {
      const origin = once(status, "/there");
      const pinned = origin.fetch();
      const response = pinned(
        URL_,
        { method: "POST", body: streamOf("hello"), duplex: "half" } as object,
      );
      if (isSent) await (await response).text();
      else await assertNetworkError(response);
      assertEquals(origin.received.length, isSent ? 2 : 1);
      pinned.close();
    }
  });
}

function responses(t: Harness): void {
  t.test("a response is the runtime's own, and tells its facts", async () => {
    const origin = saying(
      ok("hello", "Set-Cookie: a=b", "Set-Cookie: c=d", "X: y", "x: z"),
    );
    const pinned = origin.fetch();
    const response = await pinned(`${URL_}a#b`);
    assert(response instanceof Response);
    assertEquals(
      [response.status, response.statusText, response.ok, response.type],
      [200, "OK", true, "basic"],
    );
    assertEquals(response.url, `${URL_}a`);
    assertEquals(response.redirected, false);
    assertEquals(response.headers.get("x"), "y, z");
    assertEquals(response.headers.getSetCookie(), ["a=b", "c=d"]);
    const copy = response.clone();
    assertEquals([copy.url, copy.type], [`${URL_}a`, "basic"]);
    assertEquals([await response.text(), await copy.text()], [
      "hello",
      "hello",
    ]);
    pinned.close();
  });

  t.test("unusual statuses are shown as they are", async () => {
    for (const status of [206, 299, 404, 418, 599, 600, 999]) {
      const text = ok("hello").replace("200 OK", `${status} Odd`);
      const response = await saying(text).fetch()(URL_);
      assertEquals([response.status, response.ok], [status, status < 300]);
      assertEquals(await response.text(), "hello");
    }
  });

  t.test("a status line may leave its reason out", async () => {
    for (const line of ["HTTP/1.1 200 ", "HTTP/1.1 200"]) {
      const text = ok("hello").replace("HTTP/1.1 200 OK", line);
      const response = await saying(text).fetch()(URL_);
      assertEquals([response.statusText, await response.text()], ["", "hello"]);
    }
  });

  t.test("content codings are undone", async () => {
    const gzip = await compress("hello", "gzip");
    const deflate = await compress("hello", "deflate");
    const cases: [string, Uint8Array][] = [
      ["gzip", gzip],
      ["X-GZIP", gzip],
      ["deflate", deflate],
      ["deflate", await compress("hello", "deflate-raw")],
      ["identity", new TextEncoder().encode("hello")],
      ["gzip, identity", gzip],
    ];
    const twice = new Response(gzip.slice()).body!
      .pipeThrough(new CompressionStream("deflate"));
    cases.push([
      "gzip, deflate",
      new Uint8Array(await new Response(twice).arrayBuffer()),
    ]);
    for (const [coding, body] of cases) {
      const origin = new Origin(() => coded(coding, body));
      const pinned = origin.fetch();
      const response = await pinned(URL_);
      assertEquals(await response.text(), "hello", coding);
      assertEquals(response.headers.get("content-encoding"), coding);
      assert(
        headersOf(origin.received[0]).some((line) =>
          /^accept-encoding: gzip, deflate/.test(line)
        ),
      );
      await (await pinned(URL_)).text();
      assertEquals(origin.connections, 1, coding);
      pinned.close();
    }
  });

  t.test("cancelling a body that is decoded ends its connection", async () => {
    const gzip = await compress("hello".repeat(1_000), "gzip");
    for (const body of [new Uint8Array(), gzip.slice(0, 20)]) {
      const head =
        `${HEAD}Content-Encoding: gzip\r\nContent-Length: ${gzip.length}\r\n\r\n`;
      const origin = new Origin(() => ({ pieces: [head, body] }));
      const response = await origin.fetch()(URL_);
      const reader = response.body!.getReader();
      const reading = reader.read().catch(() => {});
      await tick();
      await reader.cancel();
      await reading;
      while (origin.ended === 0) await tick();
      assertEquals(origin.ended, 1);
    }
  });

  t.test("a broken coding fails, an unknown one is left, an empty body is empty", async () => {
    const gzip = await compress("hello".repeat(100), "gzip");
    for (const broken of [gzip.slice(0, -4), gzip.map((byte) => byte ^ 1)]) {
      const response = await new Origin(() => coded("gzip", broken))
        .fetch()(URL_);
      await rejection(response.text());
    }
    const intact = await new Origin(() => coded("gzip", gzip)).fetch()(URL_);
    assertEquals(await intact.text(), "hello".repeat(100));
    const unknown = await saying(ok("hello", "Content-Encoding: x-own"))
      .fetch()(URL_);
    assertEquals(await unknown.text(), "hello");
    const empty = await saying(ok("", "Content-Encoding: gzip")).fetch()(URL_);
    assertEquals(await empty.text(), "");
  });

  t.test("no more content codings are undone than anybody needs", async () => {
    const many = (count: number) =>
      saying(
        ok("hello", `Content-Encoding: ${Array(count).fill("identity")}`),
      ).fetch()(URL_);
    assertEquals(await (await many(5)).text(), "hello");
    await assertNetworkError(many(6));
  });

  t.test("a range is asked for without a coding", async () => {
    const origin = saying(ok("hello"));
    const pinned = origin.fetch();
    await (await pinned(URL_, { headers: { range: "bytes=0-4" } })).text();
    assert(headersOf(origin.received[0]).includes("accept-encoding: identity"));
    pinned.close();
  });

  t.test("a body that is not what its integrity says fails", async () => {
    const digest = await crypto.subtle.digest(
      "SHA-256",
      new TextEncoder().encode("hello"),
    );
    const integrity = `sha256-${
      btoa(String.fromCharCode(...new Uint8Array(digest)))
    }`;
    const response = await saying(ok("hello")).fetch()(URL_, { integrity });
    assertEquals(await response.text(), "hello");
    await assertNetworkError(saying(ok("hellO")).fetch()(URL_, { integrity }));
  });
}

function aborts(t: Harness): void {
  const hanging = new Error("abort");

  t.test("a fetch is aborted before it begins", async () => {
    const origin = saying(ok());
    const signal = AbortSignal.abort(hanging);
    assertEquals(await rejection(origin.fetch()(URL_, { signal })), hanging);
    assertEquals(origin.connections, 0);
  });

  t.test("a fetch is aborted while its connection is opened", async () => {
    const controller = new AbortController();
    const pinned = saying(ok()).fetch({
      open: (_, signal) =>
        new Promise((_, reject) => {
          signal!.addEventListener("abort", () => reject(signal!.reason));
          controller.abort(hanging);
        }),
    });
    const { signal } = controller;
    assertEquals(await rejection(pinned(URL_, { signal })), hanging);
  });

  t.test("a fetch is aborted while the head is awaited", async () => {
    for (const piece of ["", "HTTP/1.1 200 OK\r\nA:"]) {
      const controller = new AbortController();
      const origin = new Origin(() => {
        setTimeout(() => controller.abort(hanging), 0);
        return { pieces: [piece] };
      });
      const { signal } = controller;
      assertEquals(await rejection(origin.fetch()(URL_, { signal })), hanging);
      assertEquals(origin.ended, 1);
    }
  });

  t.test("a fetch is aborted while the body is read", async () => {
    for (const framing of ["Content-Length: 9", "Transfer-Encoding: chunked"]) {
      const controller = new AbortController();
      const { signal } = controller;
      const origin = saying(`${HEAD}${framing}\r\n\r\n5\r\n`);
      const response = await origin.fetch()(URL_, { signal });
      const text = response.text();
      text.catch(() => {});
      await tick();
      controller.abort(hanging);
      assertEquals(await rejection(text), hanging);
      assertEquals(origin.ended, 1);
    }
  });

  t.test("a fetch is aborted while it is sent", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let cancelled: unknown;
    const body = new ReadableStream<Uint8Array>({
      start: (one) => one.enqueue(new Uint8Array(1)),
      pull: () => void setTimeout(() => controller.abort(hanging), 0),
      cancel: (reason) => void (cancelled = reason),
    }, { highWaterMark: 1 });
    const origin = saying(ok());
    const response = origin.fetch()(
      URL_,
      { method: "POST", body, duplex: "half", signal } as object,
    );
    assertEquals(await rejection(response), hanging);
    await tick();
    assertEquals([origin.ended, origin.received.length], [1, 0]);
    assertEquals(cancelled, hanging);
  });

  t.test("an abort after the response changes nothing", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const origin = saying(ok("hello"));
    const pinned = origin.fetch();
    assertEquals(await (await pinned(URL_, { signal })).text(), "hello");
    controller.abort(hanging);
    assertEquals(await (await pinned(URL_)).text(), "hello");
    assertEquals([origin.connections, origin.ended], [1, 0]);
    pinned.close();
  });

  t.test("a head and a body that do not come end at their timeouts", async () => {
    const silent = saying("HTTP/1.1 200 O");
    const cause = await assertNetworkError(
      silent.fetch({ headersTimeout: 1 })(URL_),
    );
    assertEquals((cause as Error).name, "TimeoutError");
    const slow = saying(`${HEAD}Content-Length: 9\r\n\r\nhello`);
    const response = await slow.fetch({ bodyTimeout: 1 })(URL_);
    const error = await rejection(response.text());
    assertEquals((error as Error).name, "TimeoutError");
    assertEquals([silent.ended, slow.ended], [1, 1]);
    const pinned = saying(ok("hello")).fetch({
      headersTimeout: 60_000,
      bodyTimeout: 60_000,
    });
    assertEquals(await (await pinned(URL_)).text(), "hello");
    pinned.close();
  });

  t.test("close() ends what runs, and refuses what follows", async () => {
    const origin = saying(`${HEAD}Content-Length: 9\r\n\r\nhello`);
    const pinned = origin.fetch();
    const response = await pinned(URL_);
    const text = response.text();
    text.catch(() => {});
    pinned.close();
    assertEquals(((await rejection(text)) as Error).name, "AbortError");
    await assertNetworkError(pinned(URL_));
    assertEquals([origin.connections, origin.ended], [1, 1]);
  });
}

/** All of them. */
export function exchanges(t: Harness): void {
  keepAlive(t);
  ends(t);
  requests(t);
  redirects(t);
  responses(t);
  aborts(t);
}
