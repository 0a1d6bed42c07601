/**
 * What people expect of `fetch`, shown on each runtime: each test fills a cell
 * of the feature table.
 */
import { assert, assertEquals } from "@std/assert";
import { createFetch, verdictOf } from "../../../src/adapters/deno.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { serveHttp } from "./http_server.ts";
import { serve } from "./servers.ts";
import { rejection, stage, streamOf } from "./stage.ts";
import { lookup, refusal } from "./ways.ts";

/** Registers the tests. */
export const features: Body = (t) => {
  t.feature("fetch", "createFetch() returns the global Response", async () => {
    await using at = await stage();
    const response = await at.fetch(`${at.url}/echo`, {
      headers: { "x-mine": "1" },
    });
    assert(response instanceof Response);
    assertEquals(response.url, `${at.url}/echo`);
    assertEquals(response.redirected, false);
    const seen = await response.json();
    assertEquals([seen.method, seen.headers["x-mine"]], ["GET", "1"]);
    const verdict = verdictOf(response)!;
    assertEquals([verdict.decision, verdict.reason], ["allow", "pinned"]);
    assertEquals(verdict.hostname, "localhost");
  });

  t.feature(
    "request bodies",
    "createFetch() sends every kind of body",
    async () => {
      await using at = await stage();
      const form = new FormData();
      form.set("field", "value");
      form.set("file", new Blob(["content"]), "name.txt");
      const bodies: [BodyInit, RegExp, RegExp][] = [
        ["text", /^text\/plain/, /^text$/],
        [
          new URLSearchParams({ a: "1" }),
          /^application\/x-www-form-urlencoded/,
          /^a=1$/,
        ],
        [new TextEncoder().encode("bytes"), /^$/, /^bytes$/],
        [new Blob(["blob"], { type: "x/y" }), /^x\/y$/, /^blob$/],
        [
          form,
          /^multipart\/form-data; boundary=/,
          /value[^]*name\.txt[^]*content/,
        ],
      ];
      for (const [body, type, text] of bodies) {
        const init = { method: "POST", body };
        for (const how of [0, 1]) {
          const url = `${at.url}/echo`;
          const response = how === 0
            ? await at.fetch(url, init)
            : await at.fetch(new Request(url, { ...init, body: copyOf(body) }));
          const seen = await response.json();
          assert(text.test(seen.body), seen.body);
          const sent = seen.headers["content-type"] ?? "";
          // Bun's Request names the type of a text only when it is sent.
          if (!(how === 1 && t.runtime === "bun")) {
            assert(
              type.test(sent),
              sent,
            );
          }
        }
      }
    },
  );

  t.feature(
    "redirects",
    "createFetch() follows redirects, and checks each hop",
    async () => {
      await using at = await stage();
      const followed = await at.fetch(`${at.url}/redirect?to=/echo`);
      assertEquals(followed.url, `${at.url}/echo`);
      assertEquals(followed.redirected, true);
      await followed.text();
      const manual = await at.fetch(`${at.url}/redirect?to=/echo`, {
        redirect: "manual",
      });
      assertEquals(manual.status, 302);
      assertEquals(manual.headers.get("location"), "/echo");
      await manual.text();
      const refused = at.fetch(`${at.url}/redirect?to=/echo`, {
        redirect: "error",
      });
      assert(await rejection(refused) instanceof TypeError);
      // Another host needs an entry of its own.
      const { requests } = at.server;
      const away = encodeURIComponent(`https://other.test:${at.server.port}/`);
      assertEquals(
        await refusal(() => at.fetch(`${at.url}/redirect?to=${away}`)),
        "ERR_CERTPIN_UNLISTED",
      );
      assertEquals(at.server.requests, requests + 1);
      const posted = await at.fetch(`${at.url}/redirect?status=307&to=/echo`, {
        method: "POST",
        body: "again",
      });
      const { method, body } = await posted.json();
      assertEquals([method, body], ["POST", "again"]);
    },
  );

  t.feature(
    "streaming down",
    "createFetch() streams a response as it comes",
    async () => {
      await using at = await stage();
      const response = await at.fetch(`${at.url}/endless`);
      const reader = response.body!.getReader();
      const first = await reader.read();
      assert(first.value!.length > 0);
      const second = await reader.read();
      assert(second.value!.length > 0);
      await reader.cancel();
      await at.server.closed("/endless");
    },
  );

  t.test("a body that ends with its connection ends, however slowly it is read", async () => {
    const chain = await mintChain();
    await using server = await serve(chain, {
      onData: (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        socket.end(new Uint8Array(10_000_000));
      },
    });
    await using fetch = createFetch(chain.policy, { ca: chain.ca });
    for (const isSlow of [false, true]) {
      const response = await fetch(`https://127.0.0.1:${server.port}/`);
      let length = 0;
      for await (const chunk of response.body!) {
        length += chunk.length;
        if (isSlow && length % 7 === 0) {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
      assertEquals(length, 10_000_000);
    }
  });

  t.feature(
    "streaming up",
    "createFetch() streams a request as it comes",
    async () => {
      await using at = await stage();
      const response = await at.fetch(`${at.url}/echo`, {
        method: "POST",
        body: streamOf(5),
        duplex: "half",
      } as RequestInit);
      const { body } = await response.json();
      assertEquals(body, "piece 0;piece 1;piece 2;piece 3;piece 4;");
    },
  );

  t.feature("keep-alive", "createFetch() uses connections again", async () => {
    await using at = await stage();
    for (let round = 0; round < 10; round++) {
      await (await at.fetch(`${at.url}/echo`)).text();
    }
    assert(at.server.connections <= 2, `${at.server.connections} connections`);
    assertEquals(at.server.requests, 10);
  });

  t.feature(
    "IPv4 literals",
    "an IPv4 literal is matched against iPAddress alone",
    async () => {
      await using at = await stage();
      const response = await at.fetch(
        `https://127.0.0.1:${at.server.port}/echo`,
      );
      await response.text();
      assertEquals(verdictOf(response)?.hostname, "127.0.0.1");
      const named = await mintChain({ hostnames: ["localhost"] });
      named.policy.hosts["127.0.0.1"] = named.policy.hosts.localhost;
      await using server = await serveHttp(named);
      await using fetch = createFetch(named.policy, { ca: named.ca });
      assert(await refusal(() => fetch(`https://127.0.0.1:${server.port}/`)));
      assertEquals(server.requests, 0);
    },
  );

  t.feature(
    "IPv6 literals",
    "an IPv6 literal is matched against iPAddress alone",
    async () => {
      const chain = await mintChain({ hostnames: ["::1"] });
      await using server = await serveHttp(chain, "::1");
      await using fetch = createFetch(chain.policy, { ca: chain.ca });
      const response = await fetch(`https://[::1]:${server.port}/echo`);
      await response.text();
      assertEquals(verdictOf(response)?.hostname, "::1");
    },
  );

  t.feature(
    "IDNA",
    "a hostname that is not ASCII is one with its A-label",
    async () => {
      const chain = await mintChain({ hostnames: ["xn--bcher-kva.test"] });
      await using server = await serveHttp(chain);
      const policy = {
        version: 1,
        hosts: { "B\u00fccher.test": { pins: [chain.pins.leaf] } },
      };
      await using fetch = createFetch(policy, { ca: chain.ca, lookup });
      for (
        const name of [
          "b\u00fccher.test",
          "xn--bcher-kva.test",
          "B\u00dcCHER\u3002test.",
        ]
      ) {
        const response = await fetch(`https://${name}:${server.port}/echo`);
        await response.text();
        assertEquals(verdictOf(response)?.hostname, "xn--bcher-kva.test");
      }
    },
  );

  t.feature(
    "compressed responses",
    "createFetch() decodes what the server compressed",
    async () => {
      await using at = await stage();
      const response = await at.fetch(`${at.url}/gzip`);
      assertEquals(await response.text(), "compressed");
    },
  );

  t.test("responses keep their headers, cookies and null bodies", async () => {
    await using at = await stage();
    const response = await at.fetch(`${at.url}/cookies`);
    assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
    await response.text();
    const empty = await at.fetch(`${at.url}/empty`);
    assertEquals([empty.status, empty.body], [204, null]);
    const head = await at.fetch(`${at.url}/echo`, { method: "HEAD" });
    assertEquals(await head.text(), "");
    const copy = await at.fetch(`${at.url}/echo`);
    const clone = copy.clone();
    assertEquals(await copy.text(), await clone.text());
  });

  t.test("a closed fetch takes no request", async () => {
    await using at = await stage();
    await (await at.fetch(`${at.url}/echo`)).text();
    await at.fetch.close();
    await at.fetch.close();
    assert(await rejection(at.fetch(`${at.url}/echo`)) instanceof TypeError);
    assertEquals(at.server.requests, 1);
  });

  t.test("a refused fetch rejects as fetch does, with the reason as its cause", async () => {
    await using at = await stage();
    const other = await mintChain();
    await using fetch = createFetch(other.policy, { ca: at.chain.ca });
    const error = await rejection(fetch(`${at.url}/echo`)) as Error;
    assert(error instanceof TypeError);
    assertEquals((error.cause as Error).name, "PinMismatchError");
    assertEquals(at.server.requests, 0);
  });
};

/** A body for a second request. */
function copyOf(body: BodyInit): BodyInit {
  return body instanceof Uint8Array ? new Uint8Array(body) : body;
}
