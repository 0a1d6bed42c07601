/**
 * Statuses and reason phrases.
 */
import { type Behaviour, type BehaviourGroup, outcome } from "./behaviour.ts";

function status(
  name: string,
  line: string,
  expected: unknown,
  more = "content-length: 2\r\n\r\nhi",
): Behaviour {
  return {
    name,
    expected,
    observe: ({ fetch, url, server }) =>
      outcome(async () => {
        server.on(
          "/",
          (_, reply) => reply.write(`HTTP/1.1 ${line}\r\n${more}`),
        );
        const response = await fetch(`${url}/`);
        const { status, statusText, ok } = response;
        return [status, statusText, ok, await response.text()];
      }),
  };
}

/** The group. */
export const statuses: BehaviourGroup = {
  title: "Statuses",
  behaviours: [
    status("gives 200", "200 OK", [200, "OK", true, "hi"]),
    status("gives 299", "299 Fine", [299, "Fine", true, "hi"]),
    status("gives 404", "404 Not Found", [404, "Not Found", false, "hi"]),
    status("gives 503", "503 Service Unavailable", [
      503,
      "Service Unavailable",
      false,
      "hi",
    ]),
    status("gives 600", "600 Odd", [600, "Odd", false, "hi"]),
    status("gives 999", "999 Request denied", [
      999,
      "Request denied",
      false,
      "hi",
    ]),
    status("gives a reason of its own", "200 As Said", [
      200,
      "As Said",
      true,
      "hi",
    ]),
    status("gives an empty reason", "200 ", [200, "", true, "hi"]),
    status("gives a status without a reason", "200", [200, "", true, "hi"]),
    status(
      "gives a reason beyond Latin-1",
      "200 \u00e2\u009c\u0093",
      [200, "\u2713", true, "hi"],
    ),
    status(
      "gives a reason with a control character",
      "200 a\x01b",
      [200, "a\x01b", true, "hi"],
    ),
    status("refuses a status of four digits", "2000 OK", {
      threw: "TypeError",
    }),
    status("refuses a status of two digits", "20 OK", { threw: "TypeError" }),
    status("has no body for 204", "204 No Content", [
      204,
      "No Content",
      true,
      "",
    ], "\r\n"),
    status("has no body for 304", "304 Not Modified", [
      304,
      "Not Modified",
      false,
      "",
    ], "\r\n"),
    status(
      "has no body for 205",
      "205 Reset Content",
      [205, "Reset Content", true, ""],
      "content-length: 0\r\n\r\n",
    ),
    status(
      "waits past 103 for the response",
      "103 Early Hints",
      [200, "OK", true, "hi"],
      "link: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
    ),
    status(
      "refuses 101 where nothing was asked to change",
      "101 Switching Protocols",
      { threw: "TypeError" },
      "upgrade: other\r\nconnection: upgrade\r\n\r\n",
    ),
    {
      name: "gives the connection back after 999",
      expected: ["hi", "hi", 1],
      async observe({ fetch, url, server }) {
        server.on(
          "/",
          (_, reply) => reply.respond({ status: "999 Odd", body: "hi" }),
        );
        const texts: unknown[] = [];
        for (let round = 0; round < 2; round++) {
          texts.push(await (await fetch(`${url}/`)).text());
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return [...texts, server.connections];
      },
    },
    {
      name: "has a null body for 204, and for HEAD",
      expected: [true, true, false],
      async observe({ fetch, url, server }) {
        server.on(
          "/none",
          (_, reply) => reply.write("HTTP/1.1 204 None\r\n\r\n"),
        );
        server.on(
          "/head",
          (_, reply) =>
            reply.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        );
        const none = await fetch(`${url}/none`);
        const head = await fetch(`${url}/head`, { method: "HEAD" });
        const some = await fetch(`${url}/`);
        await some.text();
        return [none.body === null, head.body === null, some.body === null];
      },
    },
    {
      name: "makes a network-like Response of the global class",
      expected: ["Response", true, true],
      async observe({ fetch, url }) {
        const response = await fetch(`${url}/`);
        await response.text();
        return [
          response.constructor.name,
          response instanceof Response,
          response.constructor === Response,
        ];
      },
    },
  ],
};
