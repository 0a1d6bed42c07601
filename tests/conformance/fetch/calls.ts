/**
 * What a call may say: URLs, methods, modes, `Request` as input.
 */
import { type Behaviour, type BehaviourGroup, outcome } from "./behaviour.ts";

const REFUSED = { threw: "TypeError" };

function called(
  name: string,
  init: () => unknown,
  expected: unknown,
): Behaviour {
  return {
    name,
    expected,
    observe: ({ fetch, url, server }) =>
      outcome(async () => {
        await (await fetch(`${url}/`, init() as RequestInit)).text();
        return server.requests[0].method;
      }),
  };
}

/** What is asked for, given a URL's path and more. */
function asked(name: string, rest: string, target: string): Behaviour {
  return {
    name,
    expected: target,
    observe: ({ fetch, url, server }) =>
      outcome(async () => {
        await (await fetch(url + rest)).text();
        return server.requests[0].target;
      }),
  };
}

function refusedURL(name: string, url: string): Behaviour {
  return {
    name,
    expected: REFUSED,
    observe: ({ fetch }) => outcome(async () => (await fetch(url)).status),
  };
}

/** The group. */
export const calls: BehaviourGroup = {
  title: "Calls",
  behaviours: [
    called("sends GET by itself", () => undefined, "GET"),
    called("takes null for no options", () => null, "GET"),
    called("refuses options that are text", () => "POST", REFUSED),
    ...["get", "post", "put", "delete", "options", "head"].map((method) =>
      called(
        `writes ${method} in upper case`,
        () => ({ method }),
        method.toUpperCase(),
      )
    ),
    called("leaves patch as it is", () => ({ method: "patch" }), "patch"),
    called(
      "sends a method of the caller's own",
      () => ({ method: "PROPFIND" }),
      "PROPFIND",
    ),
    ...["CONNECT", "TRACE", "TRACK", "trace"].map((method) =>
      called(`refuses the method ${method}`, () => ({ method }), REFUSED)
    ),
    called(
      "refuses a method that is no token",
      () => ({ method: "A B" }),
      REFUSED,
    ),
    called("refuses an empty method", () => ({ method: "" }), REFUSED),
    called("reads getters of its options", () => ({
      get method() {
        return "PUT";
      },
    }), "PUT"),
    called(
      "reads options that are inherited",
      () => Object.create({ method: "PUT" }),
      "PUT",
    ),
    called("reads getters of a class", () => {
      class Options {
        get method() {
          return "PUT";
        }
      }
      return new Options();
    }, "PUT"),
    called("ignores options that nobody knows", () => ({ unheard: 1 }), "GET"),
    called("ignores options that are undefined", () => ({
      method: undefined,
      body: undefined,
      headers: undefined,
      signal: undefined,
      redirect: undefined,
    }), "GET"),
    called(
      "refuses a redirect mode that nobody knows",
      () => ({ redirect: "x" }),
      REFUSED,
    ),
    called("refuses a mode that nobody knows", () => ({ mode: "x" }), REFUSED),
    called("refuses the mode navigate", () => ({ mode: "navigate" }), REFUSED),
    called("takes the mode no-cors", () => ({ mode: "no-cors" }), "GET"),
    called(
      "takes the mode same-origin",
      () => ({ mode: "same-origin" }),
      "GET",
    ),
    called(
      "refuses credentials that nobody knows",
      () => ({ credentials: "x" }),
      REFUSED,
    ),
    called(
      "takes credentials: include",
      () => ({ credentials: "include" }),
      "GET",
    ),
    called(
      "refuses a cache mode that nobody knows",
      () => ({ cache: "x" }),
      REFUSED,
    ),
    called(
      "refuses only-if-cached",
      () => ({ cache: "only-if-cached" }),
      REFUSED,
    ),
    called("takes the cache mode reload", () => ({ cache: "reload" }), "GET"),
    called(
      "refuses a referrer policy that nobody knows",
      () => ({ referrerPolicy: "x" }),
      REFUSED,
    ),
    called("takes keepalive", () => ({ keepalive: true }), "GET"),
    called("refuses an invalid signal", () => ({ signal: {} }), REFUSED),
    called("takes null for no signal", () => ({ signal: null }), "GET"),
    called("refuses a window", () => ({ window: {} }), REFUSED),
    asked("asks for the root", "", "/"),
    asked("asks with a query", "/a?b=c&d", "/a?b=c&d"),
    asked("keeps a query that is empty", "/a?", "/a?"),
    asked("keeps the fragment to itself", "/a#b", "/a"),
    asked("encodes what a path cannot hold", "/\u00e4 b", "/%C3%A4%20b"),
    asked("resolves dots", "/a/../b/./c", "/b/c"),
    asked("keeps what is encoded", "/%2e%2fa%20", "/%2e%2fa%20"),
    asked("takes a backslash for a slash", "\\a\\b", "/a/b"),
    refusedURL("refuses text that is no URL", "https://["),
    refusedURL("refuses a relative URL", "/a"),
    refusedURL("refuses an empty host", "https://:443/"),
    refusedURL("refuses a port that is blocked", "https://localhost:6667/"),
    refusedURL("refuses a port beyond 65535", "https://localhost:65536/"),
    refusedURL("refuses a scheme that nobody knows", "unheard:x"),
    {
      name: "refuses credentials in the URL",
      expected: REFUSED,
      observe: ({ fetch, url }) =>
        outcome(async () =>
          (await fetch(url.replace("//", "//user:secret@"))).status
        ),
    },
    {
      name: "takes a URL",
      expected: "ok",
      async observe({ fetch, url }) {
        return await (await fetch(new URL(url))).text();
      },
    },
    {
      name: "takes an object that can say a URL",
      expected: "ok",
      async observe({ fetch, url }) {
        const input = { toString: () => url } as unknown as string;
        return await (await fetch(input)).text();
      },
    },
    {
      name: "takes host names in upper case",
      expected: "ok",
      async observe({ fetch, url }) {
        return await (await fetch(url.replace("localhost", "LOCALHOST")))
          .text();
      },
    },
    {
      name: "takes an address for a host",
      expected: "ok",
      async observe({ fetch, otherUrl }) {
        return await (await fetch(otherUrl)).text();
      },
    },
    {
      name: "takes an address written as a number",
      expected: "ok",
      async observe({ fetch, other }) {
        return await (await fetch(`https://2130706433:${other.port}`)).text();
      },
    },
    {
      name: "takes method and headers of a Request",
      expected: ["PUT", "1"],
      async observe({ fetch, url, server }) {
        const request = new Request(url, {
          method: "PUT",
          headers: { "x-one": "1" },
        });
        await (await fetch(request)).text();
        return [server.requests[0].method, server.requests[0].header("x-one")];
      },
    },
    {
      name: "takes options over a Request's",
      expected: ["DELETE", null, "2"],
      async observe({ fetch, url, server }) {
        const request = new Request(url, {
          method: "PUT",
          headers: { "x-one": "1" },
        });
        const init = { method: "DELETE", headers: { "x-two": "2" } };
        await (await fetch(request, init)).text();
        const [sent] = server.requests;
        return [sent.method, sent.header("x-one"), sent.header("x-two")];
      },
    },
    {
      name: "hears the signal of a Request",
      expected: { threw: "AbortError" },
      observe: ({ fetch, url, server }) =>
        outcome(async () => {
          const controller = new AbortController();
          server.on("/", () => controller.abort());
          const request = new Request(`${url}/`, { signal: controller.signal });
          return (await fetch(request)).status;
        }),
    },
    {
      name: "rejects, and does not throw, on a wrong call",
      expected: [true, "TypeError"],
      async observe({ fetch }) {
        let rejected: Promise<Response>;
        try {
          rejected = fetch("https://[");
        } catch {
          return ["threw"];
        }
        const error = await rejected.catch((reason) => reason);
        return [rejected instanceof Promise, error.name];
      },
    },
  ],
};
