/**
 * Headers of requests and of responses.
 */
import { type Behaviour, type BehaviourGroup, outcome } from "./behaviour.ts";

const REFUSED = { threw: "TypeError" };

/** What the server sees of headers. */
function sent(
  name: string,
  init: () => RequestInit,
  headers: readonly string[],
  expected: unknown,
): Behaviour {
  return {
    name,
    expected,
    observe: ({ fetch, url, server }) =>
      outcome(async () => {
        await (await fetch(`${url}/`, init())).text();
        const [request] = server.requests;
        return headers.map((header) => request.header(header));
      }),
  };
}

/** What the caller sees of a response's head. */
function given(
  name: string,
  lines: string,
  look: (headers: Headers) => unknown,
  expected: unknown,
): Behaviour {
  return {
    name,
    expected,
    observe: ({ fetch, url, server }) =>
      outcome(async () => {
        server.on("/", (_, reply) =>
          reply.write(
            `HTTP/1.1 200 OK\r\n${lines}content-length: 2\r\n\r\nhi`,
          ));
        const response = await fetch(`${url}/`);
        await response.text();
        return look(response.headers);
      }),
  };
}

function changed(
  name: string,
  change: (headers: Headers) => void,
): Behaviour {
  return given(name, "x-one: 1\r\n", (headers) => {
    change(headers);
    return headers.get("x-one");
  }, REFUSED);
}

/** The group. */
export const headers: BehaviourGroup = {
  title: "Headers",
  behaviours: [
    sent("sends headers of an object", () => ({ headers: { "X-One": "1" } }), [
      "x-one",
    ], ["1"]),
    sent("sends headers of pairs", () => ({ headers: [["x-one", "1"]] }), [
      "x-one",
    ], ["1"]),
    sent(
      "sends headers of Headers",
      () => ({ headers: new Headers({ "x-one": "1" }) }),
      ["x-one"],
      ["1"],
    ),
    sent(
      "combines headers of one name",
      () => ({ headers: [["x-one", "1"], ["X-One", "2"]] }),
      ["x-one"],
      ["1, 2"],
    ),
    sent("trims values", () => ({ headers: { "x-one": "  1\t" } }), ["x-one"], [
      "1",
    ]),
    sent("sends an empty value", () => ({ headers: { "x-one": "" } }), [
      "x-one",
    ], [""]),
    sent(
      "sends Latin-1",
      () => ({ headers: { "x-one": "\u00e4" } }),
      ["x-one"],
      ["\u00e4"],
    ),
    sent(
      "makes text of other header values",
      () => ({
        headers: { "x-one": 1 as unknown as string },
      }),
      ["x-one"],
      ["1"],
    ),
    sent(
      "refuses text beyond Latin-1",
      () => ({ headers: { "x-one": "\u2713" } }),
      [],
      REFUSED,
    ),
    sent(
      "refuses a name that is no token",
      () => ({ headers: { "x one": "1" } }),
      [],
      REFUSED,
    ),
    sent(
      "refuses an empty name",
      () => ({ headers: { "": "1" } }),
      [],
      REFUSED,
    ),
    sent(
      "refuses a line break in a value",
      () => ({
        headers: { "x-one": "1\r\nx-two: 2" },
      }),
      [],
      REFUSED,
    ),
    sent(
      "refuses a NUL in a value",
      () => ({ headers: { "x-one": "a\0b" } }),
      [],
      REFUSED,
    ),
    sent(
      "refuses invalid header pairs",
      () => ({
        headers: [["x-one"]] as unknown as HeadersInit,
      }),
      [],
      REFUSED,
    ),
    sent("names what it accepts", () => ({}), ["accept"], ["*/*"]),
    sent(
      "lets the caller say what it accepts",
      () => ({
        headers: {
          accept: "text/x",
          "accept-encoding": "identity",
          "accept-language": "de",
        },
      }),
      ["accept", "accept-encoding", "accept-language"],
      ["text/x", "identity", "de"],
    ),
    sent(
      "lets the caller name itself",
      () => ({
        headers: { "user-agent": "mine/1" },
      }),
      ["user-agent"],
      ["mine/1"],
    ),
    sent(
      "sends cookies that the caller gives",
      () => ({
        headers: { cookie: "a=1; b=2" },
      }),
      ["cookie"],
      ["a=1; b=2"],
    ),
    sent(
      "sends an origin and a referer that the caller gives",
      () => ({
        headers: { origin: "https://a.test", referer: "https://a.test/x" },
      }),
      ["origin", "referer"],
      ["https://a.test", "https://a.test/x"],
    ),
    sent(
      "sends no origin and no referer by itself",
      () => ({
        method: "POST",
        body: "x",
      }),
      ["origin", "referer"],
      [null, null],
    ),

    sent(
      "takes the headers that are given over a Request's",
      () => ({
        headers: { "x-one": "1" },
      }),
      ["x-one"],
      ["1"],
    ),
    sent(
      "closes the connection where the caller asks",
      () => ({
        headers: { connection: "close" },
      }),
      ["connection"],
      ["close"],
    ),
    sent(
      "refuses a transfer coding",
      () => ({
        headers: { "transfer-encoding": "chunked" },
      }),
      [],
      REFUSED,
    ),
    sent(
      "refuses an upgrade",
      () => ({ headers: { upgrade: "other" } }),
      [],
      REFUSED,
    ),
    sent(
      "refuses keep-alive",
      () => ({ headers: { "keep-alive": "timeout=1" } }),
      [],
      REFUSED,
    ),
    sent(
      "refuses expect",
      () => ({ headers: { expect: "100-continue" } }),
      [],
      REFUSED,
    ),
    sent("sends the cache mode no-store", () => ({ cache: "no-store" }), [
      "cache-control",
      "pragma",
    ], ["no-cache", "no-cache"]),
    sent("sends the cache mode no-cache", () => ({ cache: "no-cache" }), [
      "cache-control",
    ], ["max-age=0"]),
    sent(
      "asks caches to look again with a condition",
      () => ({
        headers: { "if-none-match": '"x"' },
      }),
      ["cache-control", "pragma"],
      ["no-cache", "no-cache"],
    ),
    {
      name: "names the runtime",
      expected: (runtime: string) =>
        ({ deno: "Deno", node: "node", bun: "Bun" })[runtime],
      async observe({ fetch, url, server }) {
        await (await fetch(`${url}/`)).text();
        return server.requests[0].header("user-agent")?.split("/")[0];
      },
    },
    {
      name: "sends no Host that the caller gives",
      expected: true,
      async observe({ fetch, url, server }) {
        const headers = { host: "other.test" };
        await (await fetch(`${url}/`, { headers })).text();
        return server.requests[0].header("host") ===
          url.slice("https://".length);
      },
    },
    {
      name: "sends the Host of its URL, with the port",
      expected: true,
      async observe({ fetch, url, server }) {
        await (await fetch(`${url}/`)).text();
        return server.requests[0].header("host") ===
          url.slice("https://".length);
      },
    },
    given("gives a header in any case", "X-One: 1\r\n", (all) => [
      all.get("x-one"),
      all.get("X-ONE"),
      all.has("x-One"),
    ], ["1", "1", true]),
    given(
      "combines a header that comes twice",
      "x-one: 1\r\nx-one: 2\r\n",
      (all) => all.get("x-one"),
      "1, 2",
    ),
    given(
      "keeps cookies apart",
      "set-cookie: a=1\r\nset-cookie: b=2\r\n",
      (all) => [
        all.getSetCookie(),
        [...all].filter(([name]) => name === "set-cookie").length,
      ],
      [["a=1", "b=2"], 2],
    ),
    given(
      "gives Latin-1",
      "x-one: \u00e4\r\n",
      (all) => all.get("x-one"),
      "\u00e4",
    ),
    given("gives an empty value", "x-one:\r\n", (all) => all.get("x-one"), ""),
    given(
      "trims a value",
      "x-one:   1  \t\r\n",
      (all) => all.get("x-one"),
      "1",
    ),
    given(
      "gives null for what is not there",
      "",
      (all) => all.get("x-none"),
      null,
    ),
    given(
      "gives names sorted and in lower case",
      "X-Two: 2\r\nX-One: 1\r\n",
      (all) => [...all.keys()].filter((name) => name.startsWith("x-")),
      ["x-one", "x-two"],
    ),
    given(
      "keeps a header called __proto__",
      "__proto__: 1\r\n",
      (all) => all.get("__proto__"),
      "1",
    ),
    given(
      "keeps 90 headers",
      Array.from({ length: 90 }, (_, at) => `x-${at}: ${at}\r\n`).join(""),
      (all) => [...all.keys()].filter((name) => name.startsWith("x-")).length,
      90,
    ),
    given(
      "takes a head of 12 kB",
      `x-one: ${"a".repeat(12_000)}\r\n`,
      (all) => all.get("x-one")?.length,
      12_000,
    ),
    {
      name: "gives the same Headers each time",
      expected: [true, "Headers"],
      async observe({ fetch, url }) {
        const response = await fetch(`${url}/`);
        await response.text();
        const { headers } = response;
        return [headers === response.headers, headers.constructor.name];
      },
    },
    changed(
      "refuses set() on a response's headers",
      (all) => all.set("x-one", "2"),
    ),
    changed(
      "refuses append() on a response's headers",
      (all) => all.append("x-one", "2"),
    ),
    changed(
      "refuses delete() on a response's headers",
      (all) => all.delete("x-one"),
    ),
    {
      name: "lets headers be copied and changed",
      expected: ["2", "1"],
      async observe({ fetch, url, server }) {
        server.on(
          "/",
          (_, reply) => reply.respond({ headers: { "x-one": "1" } }),
        );
        const response = await fetch(`${url}/`);
        await response.text();
        const copy = new Headers(response.headers);
        copy.set("x-one", "2");
        return [copy.get("x-one"), response.headers.get("x-one")];
      },
    },
    {
      name: "lets a response be made of a response",
      expected: ["1", 201, "body"],
      async observe({ fetch, url, server }) {
        server.on(
          "/",
          (_, reply) =>
            reply.respond({
              status: 201,
              headers: { "x-one": "1" },
              body: "body",
            }),
        );
        const response = await fetch(`${url}/`);
        const copy = new Response(response.body, response);
        return [copy.headers.get("x-one"), copy.status, await copy.text()];
      },
    },
    {
      name: "refuses a head without an end",
      expected: REFUSED,
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          server.on("/", async (_, reply) => {
            reply.write("HTTP/1.1 200 OK\r\n");
            for (let at = 0; at < 2_000 && !reply.socket.destroyed; at++) {
              reply.write(`x-${at}: ${"a".repeat(200)}\r\n`);
              if (at % 50 === 0) {
                await new Promise((resolve) => setTimeout(resolve, 1));
              }
            }
            reply.socket.destroy();
          });
          return (await fetch(`${url}/`)).status;
        }),
    },
  ],
};
