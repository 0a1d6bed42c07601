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
import { mintChain } from "../../../src/testing/mod.ts";
import { filesUnder, ROOT } from "../../../tools/suite/paths.ts";
import { everything } from "../../conformance/skip.ts";
import { serveWorker } from "../../conformance/edge/workerd.ts";
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

/** What the Worker must answer, wherever it runs. */
async function checkWorker(url: string): Promise<void> {
  const post = async (body: unknown) => {
    const response = await fetch(url, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return { status: response.status, ...await response.json() };
  };
  const hostname = "localhost";
  const good = await post({ hostname, chain: workshop.good.pem });
  assertEquals([good.status, good.reason], [200, "pinned"]);
  const other = await post({ hostname, chain: (await mintChain()).pem });
  assertEquals([other.status, other.reason], [200, "invalid-chain"]);
  const unlisted = await post({
    hostname: "example.org",
    chain: workshop.good.pem,
  });
  assertEquals(unlisted.reason, "unlisted");
  const broken = await post({ hostname, chain: "no PEM" });
  assertEquals(
    [broken.status, broken.code],
    [400, "ERR_CERTPIN_CERTIFICATE_PEM"],
  );
}

Deno.test({
  name: "examples/worker evaluates chains in workerd",
  ignore: !everything(),
  async fn() {
    await using server = await serveWorker({
      entry: "examples/worker/main.ts",
      texts: {
        ANCHORS: workshop.good.ca,
        POLICY: JSON.stringify(workshop.good.policy),
      },
    });
    await checkWorker(server.url);
  },
});

Deno.test("examples/worker evaluates chains", async () => {
  const { default: worker } = await import("../../../examples/worker/main.ts");
  const env = {
    ANCHORS: workshop.good.ca,
    POLICY: JSON.stringify(workshop.good.policy),
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => worker.fetch(request, env),
  );
  try {
    await checkWorker(`http://127.0.0.1:${server.addr.port}/`);
  } finally {
    await server.shutdown();
  }
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
  const source = await Deno.readTextFile(new URL(import.meta.url));
  const readme = await Deno.readTextFile(new URL("examples/README.md", ROOT));
  for (const folder of folders) {
    assertStringIncludes(readme, `](${folder}/`);
    // A workflow runs on its own machines; the commands in it are tested above.
    if (folder === "github-actions") continue;
    assert(
      source.includes(`examples/${folder}`) ||
        PROGRAMS.some(({ name }) => name === folder),
      folder,
    );
  }
});
