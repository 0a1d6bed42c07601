/**
 * Runs the examples as a user would: against a server that the policy allows,
 * and against an impostor that the machine trusts.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { parsePolicy } from "../../../mod.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import { filesUnder, ROOT } from "../../../tools/suite/paths.ts";
import {
  type ServedWorker,
  serveWorker,
  workerdPath,
} from "../../conformance/edge/workerd.ts";
import { everything, missing } from "../../conformance/skip.ts";
import { KINDS } from "./real_kinds.ts";
import { findProgram, RealServer } from "./real_servers.ts";
import { serveExample } from "./serving.ts";
import type { Front, Runtime } from "./workshop.ts";
import { workshop } from "./open_workshop.ts";

/** Copies an example beside the packages of its runtime, with our policy. */
async function copy(name: string, runtime: Runtime): Promise<string> {
  const place = `${runtime === "deno" ? "deno" : "node"}/${name}`;
  for (const path of await filesUnder(`examples/${name}/`)) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    await workshop.write(
      `${place}/${path.slice(`examples/${name}/`.length)}`,
      text,
    );
  }
  return place;
}

interface Example {
  readonly name: string;
  readonly runtime: Runtime;
  readonly service: string;
  readonly args: readonly string[];
  /** The environment that sends it to a port. */
  env(port: number): Record<string, string>;
}

const api = (port: number) => ({ API: `https://localhost:${port}/` });

const PROGRAMS: readonly Example[] = [
  {
    name: "deno",
    runtime: "deno",
    service: "https",
    // As its first comment says.
    args: [
      "run",
      "--no-lock",
      "--no-check",
      "--no-prompt",
      "--allow-net",
      "--allow-sys",
      "--allow-env",
      "main.ts",
    ],
    env: api,
  },
  {
    name: "node",
    runtime: "node",
    service: "https",
    args: ["main.js"],
    env: api,
  },
  {
    name: "bun",
    runtime: "bun",
    service: "https",
    args: ["main.ts"],
    env: api,
  },
  {
    name: "axios",
    runtime: "node",
    service: "https",
    args: ["main.js"],
    env: api,
  },
  ...["openai", "stripe", "supabase", "aws", "mcp"].map((name): Example => ({
    name,
    runtime: "node",
    service: "doubles",
    args: ["main.js"],
    env: api,
  })),
  {
    name: "ky",
    runtime: "node",
    service: "https",
    args: ["main.js"],
    env: api,
  },
  {
    name: "pg",
    runtime: "node",
    service: "postgres",
    args: ["main.js"],
    env: (port) => ({ PGHOST: "localhost", PGPORT: `${port}` }),
  },
];

for (const { name, runtime, service, args, env } of PROGRAMS) {
  Deno.test({
    name: `examples/${name} runs, and refuses an impostor`,
    ignore: runtime === "bun" && !everything(),
    async fn() {
      const place = await copy(name, runtime);
      const policy = JSON.stringify(workshop.good.policy);
      await workshop.write(`${place}/pins.json`, policy);
      await using relay = await workshop.relay(service);
      const attempt = async (front: Front) => {
        const port = relay.ports[front];
        const ran = await workshop.run(runtime, place, args, env(port));
        return { ...ran, counts: (await relay.counts())[front] };
      };
      const [good, impostor] = await Promise.all([
        attempt("good"),
        attempt("impostor"),
      ]);
      assert(good.success, good.output);
      assert(good.counts.bytes > 0);
      assert(!impostor.success, impostor.output);
      assertMatch(impostor.output, /ERR_CERTPIN_MISMATCH/);
      assert(impostor.counts.connections > 0);
      assertEquals(impostor.counts.bytes, 0);
    },
  });
}

Deno.test("examples/deploy answers from the API, and 502 for an impostor", async () => {
  const place = await copy("deploy", "deno");
  await workshop.write(
    `${place}/pins.json`,
    JSON.stringify(workshop.good.policy),
  );
  await using relay = await workshop.relay("https");
  for (const front of ["good", "impostor"] as const) {
    await using server = await serveExample(
      `${workshop.folder}/${place}/main.ts`,
      {
        NODE_EXTRA_CA_CERTS: `${workshop.folder}/node/ca.pem`,
        ...api(relay.ports[front]),
      },
    );
    const response = await fetch(`${server.url}some/path?query=1`);
    const text = await response.text();
    if (front === "good") {
      assertEquals(response.status, 200);
      assertStringIncludes(text, "hello from /some/path?query=1");
    } else {
      assertEquals(response.status, 502);
      assertEquals(text, "ERR_CERTPIN_MISMATCH\n");
    }
  }
  assertEquals((await relay.counts()).impostor.bytes, 0);
});

const withoutWorkerd = missing(
  "workerd",
  workerdPath !== undefined,
  "npx does not bring workerd",
);

/** The example in workerd, with the workshop's policy. */
async function serveExampleWorker(
  texts: Readonly<Record<string, string>>,
): Promise<ServedWorker> {
  const { ca, policy } = workshop.good;
  // What a Worker trusts does not matter where the pins do not match.
  const roots = await Deno.readTextFile(`${workshop.folder}/node/ca.pem`);
  assert(roots.includes(ca));
  return await serveWorker({
    entry: "examples/worker/main.ts",
    texts: { ROOTS: roots, POLICY: JSON.stringify(policy), ...texts },
  });
}

Deno.test({
  name: "examples/worker answers from the API, and 502 for an impostor",
  ignore: withoutWorkerd,
  async fn() {
    await using relay = await workshop.relay("https");
    for (const front of ["good", "impostor"] as const) {
      const port = relay.ports[front];
      await using worker = await serveExampleWorker({
        API: `https://localhost:${port}`,
      });
      for (let round = 0; round < 2; round++) {
        const response = await fetch(`${worker.url}/some/path?query=1`);
        const text = await response.text();
        if (front === "good") {
          assertEquals(response.status, 200);
          assertStringIncludes(text, "hello from /some/path?query=1");
        } else {
          assertEquals(response.status, 502);
          assertEquals(text, "ERR_CERTPIN_MISMATCH\n");
        }
      }
    }
    const { good, impostor } = await relay.counts();
    assert(good.bytes > 0 && impostor.connections > 0);
    assertEquals([impostor.handshakes, impostor.bytes], [0, 0]);
  },
});

Deno.test({
  name: "examples/worker queries PostgreSQL, and refuses an impostor of it",
  ignore: withoutWorkerd || !everything() || missing(
    "PostgreSQL",
    KINDS.postgres.programs.every((program) => findProgram(program)),
    `no ${KINDS.postgres.programs.join(", ")}`,
  ),
  async fn() {
    const impostor = await mintChain();
    const ask = async ({ pem, keyPem }: MintedChain) => {
      const kind = KINDS.postgres;
      await using server = await RealServer.start(kind, pem, keyPem);
      await using worker = await serveExampleWorker({
        DATABASE: `postgres://app@localhost:${server.port}/app`,
        ROOTS: workshop.good.ca + impostor.ca,
      });
      const response = await fetch(`${worker.url}/database`);
      const text = await response.text();
      const log = await server.stop();
      return [response.status, text, log.search(kind.trace!) >= 0];
    };
    assertEquals(await ask(workshop.good), [200, '[["1"]]', true]);
    assertEquals(await ask(impostor), [502, "ERR_CERTPIN_MISMATCH\n", false]);
  },
});

Deno.test("examples/mobile converts to what is committed", async () => {
  const place = await copy("mobile", "node");
  const outputs = [
    "network_security_config.xml",
    "NSPinnedDomains.plist",
    "Pins.kt",
  ];
  for (const name of outputs) {
    await Deno.remove(`${workshop.folder}/${place}/${name}`);
  }
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  const node = await workshop.program("node");
  const ran = await workshop.runFile(place, npm, ["run", "pins"], {
    PATH: `${node.replace(/[/\\][^/\\]+$/, "")}${
      Deno.build.os === "windows" ? ";" : ":"
    }${Deno.env.get("PATH")}`,
  });
  assert(ran.success, ran.output);
  for (const name of outputs) {
    assertEquals(
      await Deno.readTextFile(`${workshop.folder}/${place}/${name}`),
      await Deno.readTextFile(new URL(`examples/mobile/${name}`, ROOT)),
    );
  }
});

Deno.test("examples/testing passes, and fails without pinning", async () => {
  const place = await copy("testing", "node");
  const tested = await workshop.run("node", place, ["--test"]);
  assert(tested.success, tested.output);
  assertMatch(tested.output, /pass 4/);
  const client = `${workshop.folder}/${place}/client.js`;
  const source = await Deno.readTextFile(client);
  const unpinned = source.replace(
    "createFetch(policy, options)",
    `createFetch({ version: 1, unlisted: "allow", hosts: {} }, options)`,
  );
  assert(unpinned !== source);
  await Deno.writeTextFile(client, unpinned);
  const control = await workshop.run("node", place, ["--test"]);
  assert(!control.success);
  assertMatch(control.output, /fail 1/);
});

Deno.test("every example is run here, listed in its README, and has a policy that parses", async () => {
  const folders = new Set<string>();
  for (const path of await filesUnder("examples/")) {
    const [, folder, file] = path.split("/");
    if (file === undefined) continue;
    folders.add(folder);
    if (file === "pins.json") {
      parsePolicy(await Deno.readTextFile(new URL(path, ROOT)));
    }
  }
  const sources = [import.meta.url, import.meta.resolve("./collector_test.ts")];
  const source = (await Promise.all(
    sources.map((url) => Deno.readTextFile(new URL(url))),
  )).join("");
  const readme = await Deno.readTextFile(new URL("examples/README.md", ROOT));
  for (const folder of folders) {
    assertStringIncludes(readme, `](${folder}/`);
    // A workflow runs on its own machines; the commands in it are tested above.
    if (folder === "github-actions") continue;
    // Its hooks are run by tests/cli/rotate_test.ts.
    if (folder === "renewal-gate") continue;
    assert(
      source.includes(`examples/${folder}`) ||
        PROGRAMS.some(({ name }) => name === folder),
      folder,
    );
  }
});
