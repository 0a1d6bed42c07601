/**
 * Redirects.
 */
import {
  type Behaviour,
  type BehaviourGroup,
  outcome,
  type Scene,
} from "./behaviour.ts";
import type { RawServer } from "./raw_server.ts";

const REFUSED = { threw: "TypeError" };

function redirect(
  server: RawServer,
  path: string,
  location: string,
  status: number | string = 302,
): void {
  server.on(path, async (request, reply) => {
    await request.body;
    reply.respond({ status, headers: { location } });
  });
}

/** What the last request was, and what came back. */
async function end(
  { server }: Scene,
  response: Response,
): Promise<unknown> {
  await response.text();
  const request = server.requests.at(-1)!;
  return [request.method, request.target, await request.text()];
}

/** A method and a body through one redirect of a status. */
function rewritten(
  status: number,
  method: string,
  expected: unknown,
  body: string | undefined = method === "GET" || method === "HEAD"
    ? undefined
    : "body",
): Behaviour {
  return {
    name: `${status} makes ${method} into ${(expected as string[])[0]}`,
    expected,
    observe: (scene) =>
      outcome(async () => {
        redirect(scene.server, "/", "/next", status);
        return await end(
          scene,
          await scene.fetch(`${scene.url}/`, { method, body }),
        );
      }),
  };
}

function located(
  name: string,
  location: (scene: Scene) => string,
  expected: unknown,
): Behaviour {
  return {
    name,
    expected,
    observe: (scene) =>
      outcome(async () => {
        scene.server.on("/a/b", async (request, reply) => {
          await request.body;
          reply.respond(
            request.target.endsWith("?q")
              ? { status: 302, headers: { location: location(scene) } }
              : {},
          );
        });
        const response = await scene.fetch(`${scene.url}/a/b?q#first`);
        await response.text();
        return [
          scene.server.requests.at(-1)!.target,
          response.url.replace(scene.url, ""),
          response.redirected,
        ];
      }),
  };
}

function stripped(name: string, header: string, expected: unknown): Behaviour {
  return {
    name,
    expected,
    async observe({ fetch, url, server, other, otherUrl }) {
      redirect(server, "/", `${otherUrl}/there`);
      redirect(server, "/same", "/here");
      const headers = { [header]: "secret" };
      await (await fetch(`${url}/same`, { headers })).text();
      await (await fetch(`${url}/`, { headers })).text();
      return [
        server.requests[1].header(header),
        other.requests[0].header(header),
      ];
    },
  };
}

function inMode(
  name: string,
  init: RequestInit,
  expected: unknown,
): Behaviour {
  return {
    name,
    expected,
    observe: ({ fetch, url, server }) =>
      outcome(async () => {
        redirect(server, "/", "/next");
        const response = await fetch(`${url}/`, init);
        await response.text();
        return [
          response.status,
          response.headers.get("location"),
          response.redirected,
          server.requests.length,
        ];
      }),
  };
}

/** The group. */
export const redirects: BehaviourGroup = {
  title: "Redirects",
  behaviours: [
    ...[301, 302].flatMap((status) => [
      rewritten(status, "GET", ["GET", "/next", ""]),
      rewritten(status, "POST", ["GET", "/next", ""]),
      rewritten(status, "PUT", ["PUT", "/next", "body"]),
      rewritten(status, "HEAD", ["HEAD", "/next", ""]),
    ]),
    rewritten(303, "POST", ["GET", "/next", ""]),
    rewritten(303, "PUT", ["GET", "/next", ""]),
    rewritten(303, "DELETE", ["GET", "/next", ""]),
    rewritten(303, "HEAD", ["HEAD", "/next", ""]),
    ...[307, 308].flatMap((status) => [
      rewritten(status, "GET", ["GET", "/next", ""]),
      rewritten(status, "POST", ["POST", "/next", "body"]),
      rewritten(status, "PATCH", ["PATCH", "/next", "body"]),
    ]),
    ...[300, 304, 305, 306].map((status): Behaviour => ({
      name: `${status} is no redirect`,
      expected: status,
      async observe({ fetch, url, server }) {
        redirect(server, "/", "/next", status);
        const response = await fetch(`${url}/`);
        await response.text();
        return response.status;
      },
    })),
    ...[307, 308].map((status): Behaviour => ({
      name: `${status} sends a Request's text again`,
      expected: ["POST", "/next", "text"],
      observe: (scene) =>
        outcome(async () => {
          redirect(scene.server, "/", "/next", status);
          const request = new Request(`${scene.url}/`, {
            method: "POST",
            body: "text",
          });
          return await end(scene, await scene.fetch(request));
        }),
    })),
    {
      name: "307 sends a Blob again",
      expected: ["POST", "/next", "blob"],
      observe: (scene) =>
        outcome(async () => {
          redirect(scene.server, "/", "/next", 307);
          const body = new Blob(["blob"]);
          return await end(
            scene,
            await scene.fetch(`${scene.url}/`, { method: "POST", body }),
          );
        }),
    },
    {
      name: "307 does not send a stream again",
      expected: REFUSED,
      observe: (scene) =>
        outcome(async () => {
          redirect(scene.server, "/", "/next", 307);
          const body = new ReadableStream({
            async pull(controller) {
              await new Promise((resolve) => setTimeout(resolve, 5));
              controller.enqueue(new TextEncoder().encode("stream"));
              controller.close();
            },
          });
          const init = { method: "POST", body, duplex: "half" } as RequestInit;
          return await end(scene, await scene.fetch(`${scene.url}/`, init));
        }),
    },
    {
      name: "303 drops a stream and its headers",
      expected: ["GET", "/next", "", null],
      observe: (scene) =>
        outcome(async () => {
          redirect(scene.server, "/", "/next", 303);
          const body = new ReadableStream({
            async pull(controller) {
              await new Promise((resolve) => setTimeout(resolve, 5));
              controller.enqueue(new TextEncoder().encode("stream"));
              controller.close();
            },
          });
          const init = {
            method: "POST",
            body,
            duplex: "half",
            headers: { "content-type": "text/x" },
          } as RequestInit;
          const last = await end(
            scene,
            await scene.fetch(`${scene.url}/`, init),
          );
          const type = scene.server.requests.at(-1)!.header("content-type");
          return [...last as string[], type];
        }),
    },
    located("follows an absolute Location", ({ url }) => `${url}/next`, [
      "/next",
      "/next",
      true,
    ]),
    located("follows a Location from the root", () => "/next?x=1", [
      "/next?x=1",
      "/next?x=1",
      true,
    ]),
    located("follows a relative Location", () => "next", [
      "/a/next",
      "/a/next",
      true,
    ]),
    located("follows a Location that goes up", () => "../../next", [
      "/next",
      "/next",
      true,
    ]),
    located("follows a query alone", () => "?z", ["/a/b?z", "/a/b?z", true]),
    located(
      "refuses a redirect that leads to itself",
      () => "#second",
      REFUSED,
    ),
    located(
      "follows a Location without a scheme",
      ({ url }) => `${url.replace("https:", "")}/next`,
      ["/next", "/next", true],
    ),
    located("encodes spaces in a Location", () => "/a b", [
      "/a%20b",
      "/a%20b",
      true,
    ]),
    located("reads a Location as UTF-8", () => "/\u00c3\u00a4", [
      "/%C3%A4",
      "/%C3%A4",
      true,
    ]),
    located("gives no fragment in the URL", () => "/next#there", [
      "/next",
      "/next",
      true,
    ]),
    located("refuses a Location that is no URL", () => "https://[", REFUSED),
    located(
      "refuses a redirect to plain http:",
      ({ url }) => `${url.replace("https:", "http:")}/next`,
      REFUSED,
    ),
    located("refuses a redirect to data:", () => "data:text/plain,x", REFUSED),
    located("refuses a redirect to file:", () => "file:///etc/hosts", REFUSED),
    located(
      "refuses credentials in a redirect to another origin",
      ({ otherUrl }) => `${otherUrl.replace("//", "//user:secret@")}/next`,
      REFUSED,
    ),
    {
      name: "gives a redirect without a Location",
      expected: [302, "body"],
      async observe({ fetch, url, server }) {
        server.on(
          "/",
          (_, reply) => reply.respond({ status: 302, body: "body" }),
        );
        const response = await fetch(`${url}/`);
        return [response.status, await response.text()];
      },
    },
    ...[20, 21].map((hops): Behaviour => ({
      name: hops === 20 ? "follows 20 redirects" : "refuses the 21st redirect",
      expected: hops === 20 ? "ok" : REFUSED,
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          for (let hop = 1; hop <= hops; hop++) {
            redirect(server, `/${hop}`, `/${hop - 1}`);
          }
          return await (await fetch(`${url}/${hops}`)).text();
        }),
    })),
    stripped("keeps authorization within its origin alone", "authorization", [
      "secret",
      null,
    ]),
    stripped("keeps cookies within their origin alone", "cookie", [
      "secret",
      null,
    ]),
    stripped(
      "keeps proxy-authorization within its origin alone",
      "proxy-authorization",
      [
        "secret",
        null,
      ],
    ),
    stripped("keeps other headers across origins", "x-mine", [
      "secret",
      "secret",
    ]),
    inMode("gives the redirect in manual mode", { redirect: "manual" }, [
      302,
      "/next",
      false,
      1,
    ]),
    inMode(
      "refuses the redirect in error mode",
      { redirect: "error" },
      REFUSED,
    ),
    inMode("follows in follow mode", { redirect: "follow" }, [
      200,
      null,
      true,
      2,
    ]),
    {
      name: "takes the mode of a Request",
      expected: 302,
      async observe({ fetch, url, server }) {
        redirect(server, "/", "/next");
        const request = new Request(`${url}/`, { redirect: "manual" });
        const response = await fetch(request);
        await response.text();
        return response.status;
      },
    },
    {
      name: "follows past a long body",
      expected: "ok",
      async observe({ fetch, url, server }) {
        server.on("/", (_, reply) =>
          reply.respond({
            status: 302,
            headers: { location: "/next" },
            body: new Uint8Array(500_000),
          }));
        return await (await fetch(`${url}/`)).text();
      },
    },
    {
      name: "goes over one connection through a redirect",
      expected: 1,
      async observe({ fetch, url, server }) {
        redirect(server, "/", "/next");
        await (await fetch(`${url}/`)).text();
        return server.connections;
      },
    },
    {
      name: "says where it came from after two redirects",
      expected: ["/last", true, "basic"],
      async observe({ fetch, url, server }) {
        redirect(server, "/", "/second");
        redirect(server, "/second", "/last");
        const response = await fetch(`${url}/`);
        await response.text();
        return [
          response.url.replace(url, ""),
          response.redirected,
          response.type,
        ];
      },
    },
  ],
};
