/**
 * Bodies of requests.
 */
import {
  type Behaviour,
  type BehaviourGroup,
  outcome,
  type Scene,
} from "./behaviour.ts";

const encoder = new TextEncoder();

/** How the body of the latest request came. */
async function sent({ server }: Scene): Promise<unknown> {
  const request = server.requests.at(-1)!;
  return {
    body: await request.text(),
    length: request.header("content-length"),
    chunked: request.header("transfer-encoding"),
    type: request.header("content-type"),
  };
}

function posted(
  name: string,
  make: () => RequestInit,
  expected: unknown,
): Behaviour {
  return {
    name,
    expected,
    observe: (scene) =>
      outcome(async () => {
        const response = await scene.fetch(`${scene.url}/`, {
          method: "POST",
          ...make(),
        });
        await response.text();
        return await sent(scene);
      }),
  };
}

function asRequest(
  name: string,
  make: () => RequestInit,
  expected: unknown,
): Behaviour {
  return {
    name,
    expected,
    observe: (scene) =>
      outcome(async () => {
        const init = { method: "POST", ...make() };
        const response = await scene.fetch(new Request(`${scene.url}/`, init));
        await response.text();
        return await sent(scene);
      }),
  };
}

function whole(body: string, type: string | null = null): unknown {
  return {
    body,
    length: String(encoder.encode(body).length),
    chunked: null,
    type,
  };
}

function streamed(body: string, type: string | null = null): unknown {
  return { body, length: null, chunked: "chunked", type };
}

const REFUSED = { threw: "TypeError" };

/** A stream whose pieces come one turn of the event loop after another. */
function slowStream(...pieces: unknown[]): ReadableStream {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (at === pieces.length) return controller.close();
      const piece = pieces[at++];
      controller.enqueue(
        typeof piece === "string" ? encoder.encode(piece) : piece,
      );
    },
  });
}

async function usedStream(): Promise<ReadableStream> {
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode("first"));
      controller.enqueue(encoder.encode("second"));
      controller.close();
    },
  });
  const reader = stream.getReader();
  await reader.read();
  reader.releaseLock();
  return stream;
}

const half = { duplex: "half" } as RequestInit;
const TEXT_TYPE = "text/plain;charset=UTF-8";
const FORM_TYPE = "application/x-www-form-urlencoded;charset=UTF-8";

/** Bun's Request names no type for text. */
function typeOfRequestText(runtime: string): string | null {
  return runtime === "bun" ? null : TEXT_TYPE;
}

/** The group. */
export const bodies: BehaviourGroup = {
  title: "Bodies of requests",
  behaviours: [
    posted("sends text", () => ({ body: "päx" }), whole("päx", TEXT_TYPE)),
    posted(
      "keeps the type that the caller names",
      () => ({ body: "{}", headers: { "content-type": "application/json" } }),
      whole("{}", "application/json"),
    ),
    posted("sends empty text", () => ({ body: "" }), whole("", TEXT_TYPE)),
    posted(
      "sends a Uint8Array",
      () => ({ body: encoder.encode("bytes") }),
      whole("bytes"),
    ),
    posted(
      "sends a part of a buffer",
      () => ({ body: encoder.encode("-bytes-").subarray(1, 6) }),
      whole("bytes"),
    ),
    posted(
      "sends an ArrayBuffer",
      () => ({ body: encoder.encode("bytes").buffer }),
      whole("bytes"),
    ),
    posted(
      "sends a DataView",
      () => ({ body: new DataView(encoder.encode("-bytes").buffer, 1) }),
      whole("bytes"),
    ),
    posted(
      "sends URLSearchParams",
      () => ({ body: new URLSearchParams({ a: "b c", d: "é" }) }),
      whole("a=b+c&d=%C3%A9", FORM_TYPE),
    ),
    posted(
      "sends a Blob with its type",
      () => ({ body: new Blob(["blob"], { type: "text/x-blob" }) }),
      whole("blob", "text/x-blob"),
    ),
    posted(
      "sends a Blob without a type",
      () => ({ body: new Blob(["blob"]) }),
      whole("blob"),
    ),
    posted(
      "makes text of other values",
      () => ({ body: 17 as unknown as BodyInit }),
      whole("17", TEXT_TYPE),
    ),
    posted("sends nothing for null", () => ({ body: null }), {
      body: "",
      length: "0",
      chunked: null,
      type: null,
    }),
    {
      name: "sends FormData with a boundary of its own",
      expected: [true, true, true],
      async observe({ fetch, url, server }) {
        const body = new FormData();
        body.set("field", "value");
        body.set("file", new Blob(["content"]), "name.txt");
        await (await fetch(`${url}/`, { method: "POST", body })).text();
        const [request] = server.requests;
        const type = request.header("content-type")!;
        const boundary = type.split("boundary=")[1];
        const text = await request.text();
        return [
          type.startsWith("multipart/form-data; boundary="),
          text.startsWith(`--${boundary}\r\n`) && text.includes("value"),
          text.includes('filename="name.txt"') && text.includes("content"),
        ];
      },
    },
    posted(
      "sends a stream in chunks",
      () => ({ body: slowStream("one;", "two;"), ...half }),
      streamed("one;two;"),
    ),
    posted("sends an empty stream", () => ({ body: slowStream(), ...half }), {
      body: "",
      length: "0",
      chunked: null,
      type: null,
    }),
    {
      name: 'demands duplex: "half" with a stream, as Node does',
      expected: (runtime: string) =>
        runtime === "node" ? REFUSED : streamed("one;"),
      observe: (scene) =>
        outcome(async () => {
          const init = { method: "POST", body: slowStream("one;") };
          await (await scene.fetch(`${scene.url}/`, init)).text();
          return await sent(scene);
        }),
    },
    posted(
      'refuses duplex: "full"',
      () => ({ body: "x", duplex: "full" } as RequestInit),
      REFUSED,
    ),
    posted(
      "sends an async iterable",
      () => ({
        body: (async function* () {
          yield encoder.encode("one;");
          yield encoder.encode("two;");
        })() as unknown as BodyInit,
        ...half,
      }),
      streamed("one;two;"),
    ),
    {
      name: "refuses a stream that was read",
      expected: REFUSED,
      observe: ({ fetch, url }) =>
        outcome(async () => {
          const body = await usedStream();
          return (await fetch(`${url}/`, { method: "POST", body, ...half }))
            .status;
        }),
    },
    {
      name: "refuses a stream that is locked",
      expected: REFUSED,
      observe: ({ fetch, url }) =>
        outcome(async () => {
          const body = slowStream("x");
          body.getReader();
          return (await fetch(`${url}/`, { method: "POST", body, ...half }))
            .status;
        }),
    },
    posted(
      "fails on a stream that gives something else than bytes",
      () => ({ body: slowStream(17), ...half }),
      REFUSED,
    ),
    {
      name: "fails when the stream fails",
      expected: REFUSED,
      observe: ({ fetch, url }) =>
        outcome(async () => {
          const body = new ReadableStream({
            async pull(controller) {
              await new Promise((resolve) => setTimeout(resolve, 2));
              controller.error(new RangeError("mine"));
            },
          });
          return (await fetch(`${url}/`, { method: "POST", body, ...half }))
            .status;
        }),
    },
    {
      name: "copies bytes when it is called",
      expected: ["aaaa", "bbbb", "cccc"],
      async observe({ fetch, url, server }) {
        const buffer = new Uint8Array(4);
        const running: Promise<Response>[] = [];
        for (const letter of "abc") {
          buffer.fill(letter.charCodeAt(0));
          running.push(
            fetch(`${url}/${letter}`, { method: "POST", body: buffer }),
          );
        }
        for (const response of await Promise.all(running)) {
          await response.text();
        }
        const sorted = server.requests.toSorted((a, b) =>
          a.target < b.target ? -1 : 1
        );
        return await Promise.all(sorted.map((request) => request.text()));
      },
    },
    {
      name: "copies an ArrayBuffer when it is called",
      expected: "aaaa",
      async observe({ fetch, url, server }) {
        const bytes = encoder.encode("aaaa");
        const running = fetch(`${url}/`, {
          method: "POST",
          body: bytes.buffer,
        });
        bytes.fill(98);
        await (await running).text();
        return await server.requests[0].text();
      },
    },
    {
      name: "sends a large body whole",
      expected: 3_000_000,
      async observe({ fetch, url, server }) {
        const body = new Uint8Array(3_000_000).fill(120);
        await (await fetch(`${url}/`, { method: "POST", body })).text();
        return (await server.requests[0].body).length;
      },
    },
    {
      name: "reads a stream no faster than the server",
      // A server of Deno's node:tls cannot be made to stop reading.
      runtimes: ["node", "bun"],
      expected: true,
      async observe({ fetch, url, server }) {
        let given = 0;
        const most = 2_000;
        const body = new ReadableStream({
          async pull(controller) {
            await Promise.resolve();
            if (given++ === most) return controller.close();
            controller.enqueue(new Uint8Array(64 * 1024));
          },
        }, { highWaterMark: 0 });
        const held = Promise.withResolvers<void>();
        server.on("/", async (_, reply) => {
          reply.socket.pause();
          await new Promise((resolve) => setTimeout(resolve, 300));
          held.resolve();
          reply.socket.destroy();
        });
        const running = outcome(() =>
          fetch(`${url}/`, { method: "POST", body, ...half })
        );
        await held.promise;
        await running;
        return given < most;
      },
    },
    posted(
      "takes the length that the caller names, if it is right",
      () => ({ body: "four", headers: { "content-length": "4" } }),
      whole("four", TEXT_TYPE),
    ),
    posted(
      "refuses a length that is wrong",
      () => ({ body: "four", headers: { "content-length": "3" } }),
      REFUSED,
    ),
    ...["GET", "HEAD"].map((method): Behaviour =>
      posted(
        `refuses a body with ${method}`,
        () => ({ method, body: "x" }),
        REFUSED,
      )
    ),
    posted(
      "sends a body with DELETE",
      () => ({ method: "DELETE", body: "x" }),
      whole("x", TEXT_TYPE),
    ),
    posted(
      "sends a body with PATCH",
      () => ({ method: "PATCH", body: "x" }),
      whole("x", TEXT_TYPE),
    ),
    {
      name: "hears an answer before the body is sent",
      expected: [413, "too much"],
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          server.on("/", (_, reply) => {
            reply.respond({
              status: 413,
              body: "too much",
              headers: { connection: "close" },
            });
          });
          const body = slowStream(...Array(200).fill("piece"));
          const response = await fetch(`${url}/`, {
            method: "POST",
            body,
            ...half,
          });
          return [response.status, await response.text()];
        }),
    },
    // Of a Request.
    asRequest(
      "sends a Request's text",
      () => ({ body: "päx" }),
      (runtime: string) => whole("päx", typeOfRequestText(runtime)),
    ),
    asRequest(
      "sends a Request's bytes",
      () => ({ body: encoder.encode("bytes") }),
      whole("bytes"),
    ),
    asRequest(
      "sends a Request's Blob",
      () => ({ body: new Blob(["blob"], { type: "text/x-blob" }) }),
      whole("blob", "text/x-blob"),
    ),
    asRequest(
      "sends a Request's URLSearchParams",
      () => ({ body: new URLSearchParams({ a: "b" }) }),
      whole("a=b", FORM_TYPE),
    ),
    asRequest(
      "sends a Request's stream in chunks",
      () => ({ body: slowStream("one;", "two;"), ...half }),
      streamed("one;two;"),
    ),
    asRequest(
      "sends a Request's body with PUT",
      () => ({ method: "PUT", body: "x" }),
      (runtime: string) => whole("x", typeOfRequestText(runtime)),
    ),
    {
      name: "uses a Request's body up at once",
      expected: [true, REFUSED],
      async observe({ fetch, url }) {
        const request = new Request(`${url}/`, { method: "POST", body: "x" });
        const first = fetch(request);
        const isUsed = request.bodyUsed;
        await (await first).text();
        return [isUsed, await outcome(() => fetch(request))];
      },
    },
    {
      name: "leaves a Request's body where another one is given",
      expected: ["mine", false],
      async observe({ fetch, url, server }) {
        const request = new Request(`${url}/`, { method: "POST", body: "x" });
        await (await fetch(request, { body: "mine" })).text();
        return [await server.requests[0].text(), request.bodyUsed];
      },
    },
    {
      name: "sends a Request without a body twice",
      expected: 2,
      async observe({ fetch, url, server }) {
        const request = new Request(`${url}/`);
        await (await fetch(request)).text();
        await (await fetch(request)).text();
        return server.requests.length;
      },
    },
    {
      name: "sends a Request's clone",
      expected: ["x", "x"],
      async observe({ fetch, url, server }) {
        const request = new Request(`${url}/`, { method: "POST", body: "x" });
        const clone = request.clone();
        await (await fetch(request)).text();
        await (await fetch(clone)).text();
        return await Promise.all(server.requests.map((one) => one.text()));
      },
    },
  ],
};
