/**
 * Asks Deno, Node, Go and OpenSSL about each chain of the tests that breaks one
 * rule of a path, and writes down who accepts it: `measured.json`, of which the
 * tables in the documents are made.
 *
 *     deno run -A --no-lock tools/rules/measure.ts
 *
 * Needs `node`, `go` and `openssl` in the path.
 *
 * @module
 */
import { PathError } from "../../src/errors.ts";
import { mintChain } from "../../src/testing/mod.ts";
import {
  HOSTNAME,
  type PathCase,
} from "../../tests/conformance/core/path_case.ts";
import { PATH_CASES } from "../../tests/conformance/core/path_cases.ts";
import { verifySetting } from "../../tests/conformance/core/rules.ts";
import { CLIENTS, type Measured } from "./measured.ts";

interface Case {
  readonly rule: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly host: string;
}

/** The chains that are refused for a rule, and one that is not for control. */
async function cases(): Promise<Case[]> {
  const found: Case[] = [];
  const control: Pick<PathCase, "wrong"> = { wrong: () => ({}) };
  for (const { wrong } of [control, ...PATH_CASES]) {
    const setting = await wrong();
    // The clocks of the clients cannot be set.
    if (setting.at !== undefined) continue;
    const rule = await verifySetting(setting).then(
      () => "",
      (error) => error instanceof PathError ? error.rule : undefined,
    );
    if (rule === undefined) continue;
    const { hostname, without = 0, ...options } = setting;
    const minted = await mintChain({ hostnames: [HOSTNAME], ...options });
    const shown = [minted.leaf, ...minted.intermediates];
    found.push({
      rule,
      cert: shown.slice(0, shown.length - without).map(({ pem }) => pem)
        .join(""),
      key: minted.keyPem,
      ca: minted.ca,
      host: hostname ?? minted.hostnames[0],
    });
  }
  return found;
}

async function run(command: string, ...args: string[]) {
  const { stdout } = await new Deno.Command(command, {
    args,
    env: { GO111MODULE: "off" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { stdout: text(stdout) };
}

async function acceptedByDeno(
  { port, ca, host }: { port: number; ca: string; host: string },
): Promise<boolean> {
  const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    const conn = await Deno.startTls(tcp, { hostname: host, caCerts: [ca] });
    await conn.handshake();
    conn.close();
    return true;
  } catch {
    try {
      tcp.close();
    } catch {
      // It is the connection's already.
    }
    return false;
  }
}

async function measure(): Promise<Measured> {
  const folder = await Deno.makeTempDir();
  const all = await cases();
  await Deno.writeTextFile(`${folder}/cases.json`, JSON.stringify(all));
  const here = (file: string) => new URL(file, import.meta.url).pathname;
  const server = new Deno.Command("node", {
    args: [here("server.mjs"), `${folder}/cases.json`],
    stdout: "piped",
  }).spawn();
  try {
    let said = "";
    for await (
      const text of server.stdout.pipeThrough(new TextDecoderStream())
    ) {
      said += text;
      if (said.includes("\n")) break;
    }
    const ports: number[] = JSON.parse(said);
    const served = all.map((one, i) => ({ ...one, port: ports[i] }))
      .filter(({ port }) => port > 0);
    const file = `${folder}/served.json`;
    await Deno.writeTextFile(file, JSON.stringify(served));
    await Deno.copyFile(here("client.go.txt"), `${folder}/client.go`);
    const node = JSON.parse(
      (await run("node", here("client.mjs"), file)).stdout,
    );
    const go = JSON.parse(
      (await run("go", "run", `${folder}/client.go`, file)).stdout,
    );
    const deno: boolean[] = [];
    const openssl: boolean[] = [];
    for (const { port, ca, host } of served) {
      deno.push(await acceptedByDeno({ port, ca, host }));
      await Deno.writeTextFile(`${folder}/ca.pem`, ca);
      const isAddress = /^[\d.]+$|:/.test(host);
      const { stdout } = await run(
        "openssl",
        ...["s_client", "-connect", `127.0.0.1:${port}`],
        ...["-CAfile", `${folder}/ca.pem`, "-verify_return_error"],
        ...[isAddress ? "-verify_ip" : "-verify_hostname", host],
        ...isAddress ? [] : ["-servername", host],
      );
      openssl.push(stdout.includes("Verify return code: 0 (ok)"));
    }
    const version = (await run("openssl", "version")).stdout.split(" ")[1];
    const accepted = { deno, node: node.accepted, go: go.accepted, openssl };
    const rules: Record<string, Record<string, "all" | "some" | "none">> = {};
    for (const rule of new Set(served.map(({ rule }) => rule))) {
      rules[rule] = {};
      for (const client of CLIENTS) {
        const of = accepted[client].filter((_: boolean, i: number) =>
          served[i].rule === rule
        );
        rules[rule][client] = of.every(Boolean)
          ? "all"
          : of.some(Boolean)
          ? "some"
          : "none";
      }
    }
    const { "": control, ...measured } = rules;
    for (const client of CLIENTS) {
      if (control[client] !== "all") {
        throw new Error(`${client} does not accept the chain that is right`);
      }
    }
    return {
      versions: {
        deno: Deno.version.deno,
        node: node.version.slice(1),
        go: go.version.slice(2),
        openssl: version,
      },
      rules: measured,
    };
  } finally {
    server.kill();
    await server.status;
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  await Deno.writeTextFile(
    new URL("measured.json", import.meta.url),
    `${JSON.stringify(await measure(), null, 2)}\n`,
  );
}
