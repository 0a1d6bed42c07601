/**
 * `deno task bench`: measures, prints a table, writes `bench/RESULTS.md`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { fingerprint, parseCertificates } from "../mod.ts";
import { mintCertificate, mintChain, mintKey } from "../src/testing/mod.ts";
import { bundle } from "../tools/bundle.ts";
import { formatted } from "../tools/docs/main.ts";
import { programPath } from "../tools/suite/npx.ts";
import { ROOT } from "../tools/suite/paths.ts";
import {
  type BenchRuntime,
  type Context,
  type Identity,
  isMet,
  type Row,
  RUNTIMES,
} from "./bench.ts";
import { CONNECTIONS, PAIRS, WARM_UPS } from "./connect.ts";
import { benchEdge } from "./edge.ts";
import { benchLimbo } from "./limbo.ts";
import { benchMesh } from "./mesh.ts";
import {
  type BenchRow,
  goalOf,
  section,
  shown,
  withSection,
} from "./results.ts";
import { startServer } from "./server.ts";

const HELP = `Measures certpin against what it stands on, in one run.

Usage: deno task bench [options] [benchmark ...]

Benchmarks: fetch connect check bulk cold hosts memory; on Deno also edge, mesh, limbo.
With names, only these run, and bench/RESULTS.md stays as it is.

Options:
  --runtime NAME  deno (default), node or bun, which npx brings
  --json          print one JSON document, the table on standard error
  --strict        exit with status 1 where a goal is missed or a benchmark skipped
  --help          print this

limbo reads the x509-limbo cases from the folder that CERTPIN_VECTORS names.
`;

const NAMES = [
  "fetch",
  "connect",
  "check",
  "bulk",
  "cold",
  "hosts",
  "memory",
  "edge",
  "mesh",
  "limbo",
];

/** Where the results are kept. */
const RESULTS = new URL("RESULTS.md", import.meta.url);

function usage(message: string): never {
  console.error(`${message}\n\n${HELP}`);
  Deno.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      args: Deno.args,
      allowPositionals: true,
      options: {
        runtime: { type: "string", default: "deno" },
        json: { type: "boolean" },
        strict: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}

/** Chains that share a root and an intermediate's key, and nothing else. */
async function mintFresh() {
  const root = await mintCertificate({ subject: "root", ca: true });
  const key = await mintKey();
  const identities: Identity[] = [];
  let pin = "";
  const wanted = CONNECTIONS * (PAIRS + WARM_UPS) + 1;
  for (let at = 0; at < wanted; at++) {
    const name = `host-${at}.test`;
    const issuer = await mintCertificate({
      subject: "intermediate",
      ca: true,
      key,
      issuer: root,
    });
    const leaf = await mintCertificate({ hostnames: [name], issuer });
    pin ||= `${await fingerprint(parseCertificates(issuer.der)[0])}`;
    identities.push({
      name,
      cert: leaf.pem + issuer.pem,
      key: leaf.key.pem,
    });
  }
  return { identities, pin, ca: root.pem };
}

/** What a cold start imports, for a runtime. */
async function importsFor(
  runtime: BenchRuntime,
  folder: string,
): Promise<Record<string, string>> {
  const start = "./cold_start_";
  const imports: Record<string, string> = {};
  for (const name of ["core", "pkijs", "adapter", "both"]) {
    const url = new URL(`${start}${name}.ts`, import.meta.url);
    if (runtime === "deno") imports[name] = fileURLToPath(url);
    else {
      imports[name] = `${folder}/${name}.mjs`;
      const text = await bundle(`bench/cold_start_${name}.ts`, "node");
      await Deno.writeTextFile(imports[name], text);
    }
  }
  return imports;
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly version: string;
}

async function commandFor(
  runtime: BenchRuntime,
  folder: string,
): Promise<Command> {
  if (runtime === "deno") {
    return {
      program: Deno.execPath(),
      args: [
        "run",
        "-A",
        "--no-check",
        "--v8-flags=--expose-gc",
        fileURLToPath(new URL("run.ts", import.meta.url)),
      ],
      version: `Deno ${Deno.version.deno}`,
    };
  }
  const npmPackage = runtime === "node" ? "node@24" : "bun@1.4";
  const print = ["-p", "process.execPath"];
  const program = await programPath(npmPackage, runtime, print);
  if (program === undefined) {
    throw new Error(`npx does not bring ${npmPackage}`);
  }
  const file = `${folder}/run.mjs`;
  await Deno.writeTextFile(file, await bundle("bench/run.ts", "node"));
  const { stdout } = await new Deno.Command(program, {
    args: ["-p", "process.versions.bun ?? process.versions.node"],
  }).output();
  const version = new TextDecoder().decode(stdout).trim();
  return {
    program,
    args: runtime === "node" ? ["--expose-gc", file] : [file],
    version: `${runtime === "node" ? "Node" : "Bun"} ${version}`,
  };
}

async function* lines(stream: ReadableStream<Uint8Array>) {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + piece).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

/** Runs the benchmarks that run within a runtime. */
async function measure(
  runtime: BenchRuntime,
  names: readonly string[],
  folder: string,
  onRow: (row: BenchRow) => void,
): Promise<string> {
  const chain = await mintChain({ hostnames: ["127.0.0.1"] });
  const { identities, pin, ca } = await mintFresh();
  const main = { name: "127.0.0.1", cert: chain.pem, key: chain.keyPem };
  await using server = await startServer(folder, [main, ...identities]);
  const context: Context = {
    runtime,
    chain: { policy: chain.policy, ca: chain.ca },
    fresh: { names: identities.map(({ name }) => name), pin, ca },
    port: server.port,
    imports: await importsFor(runtime, folder),
  };
  const file = `${folder}/context.json`;
  await Deno.writeTextFile(file, JSON.stringify(context));
  const { program, args, version } = await commandFor(runtime, folder);
  const child = new Deno.Command(program, {
    args: [...args, file, ...names],
    cwd: ROOT,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  for await (const line of lines(child.stdout)) {
    if (line.startsWith("{")) onRow(JSON.parse(line));
  }
  const { success } = await child.status;
  if (!success) throw new Error(`The benchmarks failed on ${version}`);
  return version;
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) return console.log(HELP);
  const runtime = values.runtime as BenchRuntime;
  if (!RUNTIMES.includes(runtime)) usage(`No such runtime: ${runtime}`);
  const unknown = positionals.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) usage(`No such benchmark: ${unknown}`);
  const print = values.json ? console.error : console.log;
  const rows: BenchRow[] = [];
  const onRow = (row: BenchRow) => {
    rows.push(row);
    const { bench, what, against, value, spread, unit } = row;
    const range = spread?.map((end) => shown(end, unit)).join(" to ") ?? "";
    print(
      `${bench.padEnd(8)} ${shown(value, unit).padStart(8)}  ${
        range.padEnd(16)
      } ${goalOf(row)}: ${
        isMet(row) ? "met" : "MISSED"
      }  ${what}, against ${against}`,
    );
  };
  const isWanted = (name: string) =>
    positionals.length === 0 || positionals.includes(name);
  const skipped: string[] = [];
  const folder = await Deno.makeTempDir({ prefix: "certpin-bench-" });
  let version = "";
  try {
    const inside = positionals.filter((name) =>
      !["edge", "mesh", "limbo"].includes(name)
    );
    if (positionals.length === 0 || inside.length > 0) {
      version = await measure(runtime, inside, folder, onRow);
    }
    const add = (bench: string, found: readonly Row[]) =>
      found.forEach((row) => onRow({ bench, ...row }));
    if (runtime === "deno" && isWanted("edge")) {
      const found = await benchEdge(folder);
      if (found) add("edge", found);
      else {
        skipped.push("edge");
        print("SKIPPED edge: npx does not bring workerd");
      }
    }
    if (runtime === "deno" && isWanted("mesh")) add("mesh", await benchMesh());
    if (runtime === "deno" && isWanted("limbo")) {
      const vectors = Deno.env.get("CERTPIN_VECTORS");
      if (vectors) add("limbo", await benchLimbo(vectors));
      else {
        skipped.push("limbo");
        print(
          "SKIPPED limbo: CERTPIN_VECTORS does not name the folder of the vectors",
        );
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  if (positionals.length === 0) {
    const date = new Date().toISOString().slice(0, 10);
    const machine = `${navigator.hardwareConcurrency} cores`;
    const now = await Deno.readTextFile(RESULTS).catch(() => undefined);
    const text = section(runtime, version, date, machine, rows);
    const page = await formatted(withSection(now, runtime, text));
    await Deno.writeTextFile(RESULTS, page);
  }
  if (values.json) {
    console.log(JSON.stringify({ version, rows, skipped }, null, 2));
  }
  const short = skipped.length > 0 || !rows.every(isMet);
  if (values.strict && short) Deno.exitCode = 1;
}

await main();
