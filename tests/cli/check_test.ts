import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mintChain } from "../../src/testing/mod.ts";
import { certpin, documentOf, inTemporaryFolder } from "./command.ts";
import { serve, serveSilence, withServers } from "./servers.ts";

/** A folder with a policy, its root and a chain. */
async function withFiles(
  files: Readonly<Record<string, string>>,
  body: (cwd: string) => Promise<void>,
): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await body(folder);
  });
}

const hosts = Array.from({ length: 60 }, (_, i) => `h${i}.example.com`);
const chain = await mintChain({ hostnames: hosts });
/** Of the same root, but with other keys: valid, and not pinned. */
const other = await mintChain({ hostnames: hosts });
const files = {
  "pins.json": JSON.stringify(chain.policy),
  "root.pem": chain.ca,
  "both.pem": chain.ca + other.ca,
  "chain.pem": chain.pem,
  "other.pem": other.pem,
};

Deno.test("certpin check evaluates 60 hosts on loopback in one run", async () => {
  const good = serve(chain);
  const unpinned = serve(other);
  await withServers(
    [good, unpinned],
    ([good, unpinned]) =>
      withFiles(files, async (cwd) => {
        const isBad = (i: number) => i % 6 === 5;
        const targets = hosts.map((host, i) =>
          `${host}:${isBad(i) ? unpinned.port : good.port}`
        );
        const ran = await certpin([
          ...["check", "pins.json", ...targets, "--root", "both.pem"],
          ...["--connect-to", "127.0.0.1", "--json"],
        ], { cwd });
        assertEquals([ran.code, ran.stderr], [1, ""]);
        const { ok, results } = documentOf(ran, "check");
        assertEquals([ok, results.length], [false, 60]);
        for (const [i, result] of results.entries()) {
          assertEquals(result.hostname, hosts[i]);
          assertEquals(
            [result.decision, result.reason, result.error?.code],
            isBad(i)
              ? ["block", "mismatch", "ERR_CERTPIN_MISMATCH"]
              : ["allow", "pinned", undefined],
          );
          assertEquals(
            result.matched.map(({ role }: { role: string }) => role),
            isBad(i) ? [] : ["leaf", "intermediate"],
          );
        }
        assertEquals([good.received(), unpinned.received()], [0, 0]);
      }),
  );
});

Deno.test("certpin check prints verdicts for people and JUnit for build servers", async () => {
  const starting = [serve(chain), serve(other)];
  await withServers(
    starting,
    ([good, unpinned]) =>
      withFiles(files, async (cwd) => {
        const ran = await certpin([
          ...["check", "pins.json", `h0.example.com:${good.port}`],
          ...[`h1.example.com:${unpinned.port}`, "--root", "both.pem"],
          ...["--connect-to", "127.0.0.1", "--junit", "out.xml"],
        ], { cwd });
        assertEquals([ran.code, ran.stderr], [1, ""]);
        assertStringIncludes(
          ran.stdout,
          `✔ h0.example.com:${good.port}  pinned`,
        );
        assertStringIncludes(ran.stdout, "✘ h1.example.com");
        // What was seen and what was wanted.
        assertStringIncludes(ran.stdout, other.pins.leaf);
        assertStringIncludes(ran.stdout, chain.pins.backup);
        assertEquals(ran.stdout.includes("\u001b"), false);
        const xml = await Deno.readTextFile(`${cwd}/out.xml`);
        assertStringIncludes(xml, '<testsuites tests="2" failures="1">');
        assertStringIncludes(xml, 'type="ERR_CERTPIN_MISMATCH"');
      }),
  );
});

Deno.test("certpin check says of a host that cannot be reached why", async () => {
  const stopped = await serve(chain);
  await stopped.stop();
  await withFiles(files, async (cwd) => {
    const ran = await certpin([
      ...["check", "pins.json", `h0.example.com:${stopped.port}`, "--json"],
      ...["--connect-to", "127.0.0.1", "--root", "root.pem"],
    ], { cwd });
    assertEquals(ran.code, 1);
    const [result] = documentOf(ran, "check").results;
    assertEquals(
      [result.decision, result.reason, result.error.code],
      ["block", "invalid-chain", "ERR_CERTPIN_HANDSHAKE"],
    );
  });
});

Deno.test("certpin check takes addresses for names, wherever it connects to", async () => {
  const addresses = ["127.0.0.1", "192.0.2.7", "2001:db8::7"];
  const minted = await mintChain({ hostnames: addresses });
  await withServers([serve(minted)], ([{ port }]) =>
    withFiles({
      "pins.json": JSON.stringify(minted.policy),
      "root.pem": minted.ca,
    }, async (cwd) => {
      const targets = addresses.map((address) =>
        `${address.includes(":") ? `[${address}]` : address}:${port}`
      );
      const ran = await certpin([
        ...["check", "pins.json", ...targets, "--connect-to", "127.0.0.1"],
        ...["--root", "root.pem", "--json"],
      ], { cwd });
      const { results } = documentOf(ran, "check");
      assertEquals(
        results.map((one: { hostname: string; reason: string }) =>
          `${one.hostname} ${one.reason}`
        ),
        addresses.map((address) => `${address} pinned`),
      );
      assertEquals(ran.code, 0);
    }));
});

Deno.test("certpin check gives each connection its time, and tries once unless it may try again", async () => {
  await withFiles(files, async (cwd) => {
    const run = async (concurrency: string, retries: string) => {
      const server = await serveSilence();
      try {
        const targets = hosts.slice(0, 6).map((host) =>
          `${host}:${server.port}`
        );
        const ran = await certpin([
          ...["check", "pins.json", ...targets, "--root", "root.pem"],
          ...["--connect-to", "127.0.0.1", "--timeout", "1", "--json"],
          ...["--concurrency", concurrency, "--retries", retries],
        ], { cwd });
        const { results } = documentOf(ran, "check");
        const codes = results.map((one: { error: { code: string } }) =>
          one.error.code
        );
        assertEquals([ran.code, [...new Set(codes)]], [1, [
          "ERR_CERTPIN_HANDSHAKE",
        ]]);
        return server.total();
      } finally {
        await server.stop();
      }
    };
    assertEquals(await run("3", "0"), 6);
    assertEquals(await run("6", "1"), 12);
  });
});

Deno.test("certpin check evaluates a chain from a file, for any date", async () => {
  await withFiles(files, async (cwd) => {
    const day = (days: number) =>
      new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    const run = (chain: string, at: string, host = "h7.example.com") =>
      certpin([
        ...["check", "pins.json", "--chain", chain, "--root", "both.pem"],
        ...["--host", host, "--at", at, "--json"],
      ], { cwd });
    const cases: [Parameters<typeof run>, string, string | undefined][] = [
      [["chain.pem", day(1)], "pinned", undefined],
      [["other.pem", day(1)], "mismatch", "ERR_CERTPIN_MISMATCH"],
      // The leaf is minted for 90 days.
      [["chain.pem", day(100)], "invalid-chain", "ERR_CERTPIN_PATH_EXPIRED"],
      [
        ["chain.pem", "2001-01-01"],
        "invalid-chain",
        "ERR_CERTPIN_PATH_NOT_YET_VALID",
      ],
      [
        ["chain.pem", day(1), "elsewhere.example"],
        "unlisted",
        "ERR_CERTPIN_UNLISTED",
      ],
    ];
    for (const [args, reason, code] of cases) {
      const ran = await run(...args);
      const [result] = documentOf(ran, "check").results;
      assertEquals([result.reason, result.error?.code], [reason, code]);
      assertEquals(ran.code, code === undefined ? 0 : 1);
      assertEquals(result.port, undefined);
    }
  });
});

Deno.test("certpin check --at tells when a pin set will have expired", async () => {
  const [host] = hosts;
  const inDays = (days: number) =>
    new Date(Date.now() + days * 86_400_000).toISOString();
  const expiring = { ...chain.policy.hosts[host], expiresAt: inDays(10) };
  const policyOf = (entry: object) =>
    JSON.stringify({ version: 1, hosts: { [host]: entry } });
  await withFiles({
    ...files,
    "pins.json": policyOf(expiring),
    "allow.json": policyOf({ ...expiring, onExpiry: "allow" }),
  }, async (cwd) => {
    const run = (policy: string, at: string) =>
      certpin([
        ...["check", policy, "--chain", "chain.pem", "--root", "root.pem"],
        ...["--host", host, "--at", at, "--json"],
      ], { cwd });
    const cases: [string, string, string, string, number][] = [
      ["pins.json", inDays(9), "pinned", "allow", 0],
      ["pins.json", inDays(11), "expired", "block", 1],
      ["allow.json", inDays(11), "expired", "allow", 0],
    ];
    for (const [policy, at, reason, decision, code] of cases) {
      const ran = await run(policy, at);
      const [result] = documentOf(ran, "check").results;
      assertEquals(
        [result.reason, result.decision, ran.code],
        [reason, decision, code],
      );
    }
  });
});

Deno.test("certpin check refuses wrong usage and broken policies with 2", async () => {
  await withFiles({
    ...files,
    "typo.json": '{"version": 1, "hosts": {"a.example": {"pin": []}}}',
  }, async (cwd) => {
    const cases: [string[], string][] = [
      [["typo.json"], "/hosts/a.example"],
      [["pins.json", "--chain", "chain.pem"], "--host"],
      [["pins.json", "--at", "tomorrow"], "2027-06-01"],
      [["pins.json", "not a host"], "no host"],
      [["missing.json"], "no such file"],
      [["pins.json", "--root", "pins.json", "h0.example.com"], "pins.json"],
    ];
    for (const [args, words] of cases) {
      const ran = await certpin(["check", ...args], { cwd });
      assertEquals([ran.code, ran.stdout], [2, ""]);
      assertStringIncludes(ran.stderr, words);
    }
    const json = await certpin(["check", "typo.json", "--json"], { cwd });
    const { error } = documentOf(json, "failure");
    assert(error.problems.length >= 2);
  });
});
