/**
 * Runs the collector, and asks it which share of clients knows the new pin.
 */
import { assert, assertEquals } from "@std/assert";
import { createReporter } from "../../../src/reports/mod.ts";
import { applyUpdate, createPinner } from "../../../src/pinner/pinner.ts";
import { parsePolicy } from "../../../src/policy/policy.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import { ROOT } from "../../../tools/suite/paths.ts";

const HOST = "api.example.com";
const TOKEN = "a secret";

/** Starts the example on a free port. */
async function startCollector() {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-lock", "--no-check", "--no-prompt", "--allow-net"],
      ...["--allow-env", "--allow-read", "--allow-write", "main.ts"],
    ],
    cwd: new URL("examples/collector/", ROOT),
    env: { PORT: "0", REPORTS_TOKEN: TOKEN, NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let said = "";
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const out = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await Promise.race([reader.read(), out.read()]);
    said += value ?? "";
    const port = /:(\d+)\//.exec(said)?.[1];
    if (port !== undefined) {
      return {
        url: `http://127.0.0.1:${port}`,
        async [Symbol.asyncDispose]() {
          child.kill();
          await child.status;
          await reader.cancel();
          await out.cancel();
        },
      };
    }
    assert(!done, said);
  }
}

Deno.test("the collector tells which share of clients knows the new pin", async () => {
  await using collector = await startCollector();
  const reports = `${collector.url}/reports`;
  const minted = await mintChain({ hostnames: [HOST] });
  const { pins } = minted;
  const NEXT = pins.backup;
  const policyOf = (...known: string[]) =>
    parsePolicy({
      version: 1,
      hosts: { [HOST]: { mode: "report-only", pins: known } },
    });
  const old = "sha256/" + "A".repeat(43) + "=";
  // Three clients: one has the policy with the new pin already.
  const clients = [
    { policy: policyOf(old, NEXT), sequence: 7 },
    { policy: policyOf(old), sequence: 6 },
    { policy: policyOf(old), sequence: undefined },
  ];
  for (const { policy, sequence } of clients) {
    const reporter = createReporter(reports, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const pinner = createPinner(policy, {
      anchors: [],
      onWarning: () => {},
      onReport: reporter.report,
    });
    applyUpdate(pinner, policy, { sequence, floor: 0, deadline: Infinity });
    await pinner.check({
      hostname: HOST,
      chain: minted.chain,
      platformValidated: true,
    });
    await reporter.close();
    assertEquals(reporter.stats.sent, 1);
  }
  const ask = async (query: string) =>
    await (await fetch(`${collector.url}/share?hostname=${HOST}&${query}`))
      .json();
  const one = { reports: 3, knowing: 1, share: 1 / 3 };
  assertEquals(await ask(`pin=${encodeURIComponent(NEXT)}`), one);
  assertEquals(await ask(`pin=${NEXT}`), one);
  assertEquals(await ask("sequence=7"), one);
  assertEquals((await ask("sequence=6")).knowing, 2);
  assertEquals((await ask(`pin=${encodeURIComponent(old)}`)).share, 1);
  assertEquals((await ask(`pin=${encodeURIComponent(pins.root)}`)).share, 0);
  assertEquals(await ask("pin=%"), { reports: 3, knowing: 0, share: 0 });
});

Deno.test("the collector refuses what is not its reports", async () => {
  await using collector = await startCollector();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const post = async (body: string, more: HeadersInit = headers) => {
    const response = await fetch(`${collector.url}/reports`, {
      method: "POST",
      headers: more,
      body,
    });
    await response.body?.cancel();
    return response.status;
  };
  const good = { hostname: "a", reason: "mismatch", "known-pins": ["x"] };
  assertEquals(await post(JSON.stringify([good])), 204);
  assertEquals(await post(JSON.stringify([good]), {}), 403);
  for (const body of ["", "{", "{}", "[{}]", "[null]", '[{"known-pins":[]}]']) {
    assertEquals(await post(body), 400, body);
  }
  assertEquals(await post(`"${"x".repeat(3 * 1024 * 1024)}"`), 413);
  const hostile = { ...good, hostname: "'); drop table reports; --" };
  assertEquals(await post(JSON.stringify([hostile])), 204);
  const shown = await fetch(`${collector.url}/share?hostname=a`);
  assertEquals((await shown.json()).reports, 1);
});
