/**
 * Content codings, whole and broken.
 */
import { Buffer } from "node:buffer";
import * as zlib from "node:zlib";
import { type Behaviour, type BehaviourGroup, textOf } from "./behaviour.ts";

const TEXT = "certificates and pins, ".repeat(3);
const BIG = Buffer.from(
  Array.from({ length: 300_000 }, (_, at) => (at * 7_919 + (at >> 7)) % 251),
);

const GZIP = zlib.gzipSync(TEXT);

/** A body whose check value no longer fits. */
function withWrongSum(gzip: Uint8Array): Uint8Array {
  const changed = Buffer.from(gzip);
  changed[changed.length - 5] ^= 0xff;
  return changed;
}

function cutOff(body: Uint8Array, bytes: number): Uint8Array {
  return body.subarray(0, body.length - bytes);
}

function joined(...parts: (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
}

function encoded(
  name: string,
  encoding: string,
  body: string | Uint8Array,
  expected: unknown,
): Behaviour {
  return {
    name,
    expected,
    observe({ fetch, url, server }) {
      server.on(
        "/",
        (_, reply) =>
          reply.respond({ headers: { "content-encoding": encoding }, body }),
      );
      return textOf(fetch, `${url}/`);
    },
  };
}

const REFUSED = { threw: "TypeError" };

/** The group. */
export const encodings: BehaviourGroup = {
  title: "Content codings",
  behaviours: [
    encoded("decodes gzip", "gzip", GZIP, TEXT),
    encoded("decodes x-gzip", "x-gzip", GZIP, TEXT),
    encoded("takes the coding's name in any case", "GZip", GZIP, TEXT),
    encoded("decodes deflate", "deflate", zlib.deflateSync(TEXT), TEXT),
    encoded(
      "decodes deflate that lacks zlib's format",
      "deflate",
      zlib.deflateRawSync(TEXT),
      TEXT,
    ),
    encoded("decodes br", "br", zlib.brotliCompressSync(TEXT), TEXT),
    encoded(
      "decodes codings that are stacked",
      "gzip, br",
      zlib.brotliCompressSync(GZIP),
      TEXT,
    ),
    encoded(
      "decodes two gzip members",
      "gzip",
      joined(GZIP, GZIP),
      TEXT + TEXT,
    ),
    encoded("takes an empty body for nothing encoded", "gzip", "", ""),
    encoded("leaves an unknown coding as it is", "unheard-of", TEXT, TEXT),
    encoded("leaves identity as it is", "identity", TEXT, TEXT),
    encoded("fails on text that claims to be gzip", "gzip", TEXT, REFUSED),
    encoded(
      "fails on gzip with a wrong sum",
      "gzip",
      withWrongSum(GZIP),
      REFUSED,
    ),
    encoded("fails on gzip that is cut off", "gzip", cutOff(GZIP, 12), REFUSED),
    encoded("fails on bytes after gzip", "gzip", joined(GZIP, "more"), REFUSED),
    encoded(
      "fails on text that claims to be deflate",
      "deflate",
      "x" + TEXT,
      REFUSED,
    ),
    encoded(
      "fails on deflate that is cut off",
      "deflate",
      cutOff(zlib.deflateSync(TEXT), 6),
      REFUSED,
    ),
    encoded("fails on text that claims to be br", "br", TEXT, REFUSED),
    encoded(
      "fails on br that is cut off",
      "br",
      cutOff(zlib.brotliCompressSync(BIG), 5),
      REFUSED,
    ),
    encoded(
      "fails on more codings than anybody stacks",
      Array(20).fill("gzip").join(", "),
      GZIP,
      REFUSED,
    ),
    {
      name: "decodes a large body piece by piece",
      expected: BIG.length,
      async observe({ fetch, url, server }) {
        const body = zlib.gzipSync(BIG);
        server.on("/", async (_, reply) => {
          reply.write(
            `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`,
          );
          for (let at = 0; at < body.length; at += 10_000) {
            reply.write(body.subarray(at, at + 10_000));
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        });
        const response = await fetch(`${url}/`);
        let length = 0;
        for await (const chunk of response.body!) length += chunk.length;
        return length;
      },
    },
    {
      name: "keeps the header of what it has decoded",
      expected: "gzip",
      async observe({ fetch, url, server }) {
        server.on(
          "/",
          (_, reply) =>
            reply.respond({
              headers: { "content-encoding": "gzip" },
              body: GZIP,
            }),
        );
        const response = await fetch(`${url}/`);
        await response.text();
        return response.headers.get("content-encoding");
      },
    },
    {
      name: "decodes nothing for HEAD",
      expected: ["", 200],
      async observe({ fetch, url, server }) {
        server.on("/", (_, reply) =>
          reply.write(
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 50\r\n\r\n",
          ));
        const response = await fetch(`${url}/`, { method: "HEAD" });
        return [await response.text(), response.status];
      },
    },
    {
      name: "goes on with the connection's next request after a broken coding",
      expected: "ok",
      async observe({ fetch, url, server }) {
        server.on(
          "/broken",
          (_, reply) =>
            reply.respond({
              headers: { "content-encoding": "gzip" },
              body: TEXT,
            }),
        );
        await textOf(fetch, `${url}/broken`);
        return await textOf(fetch, `${url}/`);
      },
    },
    {
      name: "asks for the part of a body without a coding",
      expected: true,
      async observe({ fetch, url, server }) {
        await textOf(fetch, `${url}/`, { headers: { range: "bytes=0-1" } });
        return server.requests[0].header("accept-encoding")?.includes(
          "identity",
        ) ??
          false;
      },
    },
  ],
};
