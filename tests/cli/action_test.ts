/**
 * The GitHub Action, with a server whose chain moves and a double of GitHub's
 * API on loopback.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type * as net from "node:net";
import * as tls from "node:tls";
import { mintChain, type MintedChain } from "../../src/testing/mod.ts";
import { filePath } from "../../tools/suite/paths.ts";
import {
  commandWords,
  inTemporaryFolder,
  type Ran,
  runProgram,
} from "./command.ts";

interface Call {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly body?: { readonly title?: string; readonly body: string };
}

/** A server whose certificate can be replaced. */
async function serve(chain: MintedChain) {
  const context = (one: MintedChain) => ({ cert: one.pem, key: one.keyPem });
  const server = tls.createServer(context(chain), (socket) => {
    socket.on("error", () => {});
    socket.resume();
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  return {
    port: (server.address() as net.AddressInfo).port,
    show: (one: MintedChain) => server.setSecureContext(context(one)),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** What GitHub's API does with issues, as far as the action needs it. */
function serveGithub() {
  const calls: Call[] = [];
  const issues: { number: number; body: string }[] = [
    { number: 1, body: "somebody else's" },
  ];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const { method } = request;
      const text = await request.text();
      const body = text === "" ? undefined : JSON.parse(text);
      const authorization = request.headers.get("authorization");
      calls.push({ method, path: pathname + search, authorization, body });
      if (method === "POST") {
        issues.push({ number: issues.length + 1, body: body.body });
      }
      const html_url = "https://example.com/issue";
      return Response.json(method === "GET" ? issues : { html_url });
    },
  );
  return {
    calls,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("the GitHub Action tells once which chain moved, and fails for a block", async () => {
  const [old, renewed, impostor] = [
    await mintChain(),
    await mintChain(),
    await mintChain(),
  ];
  const pins = [...old.policy.hosts.localhost.pins].slice(0, 2);
  const more = renewed.policy.hosts.localhost.pins.slice(0, 1);
  const policy = {
    version: 1,
    hosts: { localhost: { pins: [...pins, ...more] } },
  };
  await inTemporaryFolder(async (cwd) => {
    await using server = await serve(old);
    await using github = serveGithub();
    await Deno.writeTextFile(`${cwd}/pins.json`, JSON.stringify(policy));
    await Deno.writeTextFile(
      `${cwd}/roots.pem`,
      old.ca + renewed.ca + impostor.ca,
    );
    const run = async (drill = false): Promise<
      Ran & Record<"summary" | "output", string>
    > => {
      for (const name of ["summary", "output"]) {
        await Deno.writeTextFile(`${cwd}/${name}`, "");
      }
      const ran = await runProgram("node", [
        filePath(".github/actions/check/check.mjs"),
      ], {
        cwd,
        env: {
          CERTPIN_COMMAND: commandWords().join(" "),
          CERTPIN_HOSTS: `localhost:${server.port}`,
          CERTPIN_ROOTS: "roots.pem",
          CERTPIN_DRILL: `${drill}`,
          CERTPIN_TOKEN: "a-secret",
          GITHUB_API_URL: github.url,
          GITHUB_REPOSITORY: "owner/name",
          GITHUB_STEP_SUMMARY: "summary",
          GITHUB_OUTPUT: "output",
        },
      });
      const read = (name: string) => Deno.readTextFile(`${cwd}/${name}`);
      const summary = await read("summary");
      const output = await read("output");
      assert(!(ran.stdout + ran.stderr + summary).includes("a-secret"));
      return { ...ran, summary, output };
    };

    const first = await run();
    assertEquals(first.code, 0, first.stderr + first.stdout);
    assertEquals(first.output, "ok=true\nmoved=\n");
    assertStringIncludes(first.summary, old.pins.leaf);
    assertEquals(github.calls, []);

    server.show(renewed);
    const second = await run();
    assertEquals(second.code, 0, second.stderr + second.stdout);
    assertEquals(second.output, `ok=true\nmoved=localhost:${server.port}\n`);
    assertEquals(github.calls.map(({ method }) => method), ["GET", "POST"]);
    const [, opened] = github.calls;
    assertEquals(opened.path, "/repos/owner/name/issues");
    assertEquals(opened.authorization, "Bearer a-secret");
    for (const { pins } of [old, renewed]) {
      assertStringIncludes(opened.body!.body, pins.leaf);
    }

    const third = await run();
    assertEquals(third.output, "ok=true\nmoved=\n");
    assertEquals(github.calls.length, 2);

    server.show(impostor);
    const blocked = await run(true);
    assertEquals(blocked.code, 1);
    assertStringIncludes(blocked.stdout, "::error::localhost: ERR_CERTPIN_");
    assertStringIncludes(blocked.summary, "Drill: ");
    assert(!third.summary.includes("Drill: "));
    assertEquals(
      github.calls.slice(2).map(({ method, path }) => [
        method,
        path.split("?")[0],
      ]),
      [
        ["GET", "/repos/owner/name/issues"],
        ["PATCH", "/repos/owner/name/issues/2"],
      ],
    );
    for (const name of ["lint", "check"]) {
      const log = JSON.parse(
        await Deno.readTextFile(`${cwd}/certpin-sarif/${name}.sarif`),
      );
      assertEquals(log.version, "2.1.0");
      const codes = log.runs[0].results.map(
        ({ ruleId }: { ruleId: string }) => ruleId,
      );
      assertEquals(
        codes.includes("ERR_CERTPIN_MISMATCH"),
        name === "check",
        codes.join(),
      );
    }
  });
});
