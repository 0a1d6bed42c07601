/** x509-limbo: verdicts, both drivers, and the list of exceptions. */
import { assert, assertEquals } from "@std/assert";
import { runWithNodeCrypto } from "../../../src/tls/node_crypto.ts";
import { runWithWebCrypto } from "../../../src/crypto/webcrypto.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";
import {
  disagreements,
  readExceptions,
} from "../../../tools/limbo/exceptions.ts";
import {
  evaluate,
  type LimboCase,
  type LimboResult,
  readLimbo,
} from "../../../tools/limbo/suite.ts";
import {
  everything,
  missingVectors,
  vectorsFolder,
} from "../../conformance/skip.ts";

/** Of so many cases, a sample takes one. */
const SAMPLE = 4;

/** The cases to run: all in the whole suite, else a sample and every exception. */
async function cases(): Promise<LimboCase[]> {
  const listed = new Set((await readExceptions()).map(({ id }) => id));
  const chosen: LimboCase[] = [];
  let at = 0;
  const file = `${vectorsFolder()}/limbo/limbo.ndjson.gz`;
  for await (const limbo of readLimbo(file)) {
    if (limbo.validation_kind !== "SERVER") continue;
    const isInSample = at++ % SAMPLE === 0;
    if (everything() || isInSample || listed.has(limbo.id)) chosen.push(limbo);
  }
  return chosen;
}

/** What counts of a result: not how long it took. */
function verdict({ id, outcome, code }: LimboResult): unknown {
  return { id, outcome, code };
}

Deno.test({
  name:
    "verifyPath() evaluates x509-limbo as it should, and alike over WebCrypto and node:crypto",
  ignore: missingVectors(),
  fn: async () => {
    const results: LimboResult[] = [];
    for (const limbo of await cases()) {
      const result = await evaluate(limbo, runWithWebCrypto);
      results.push(result);
      assertEquals(
        verdict(await evaluate(limbo, runWithNodeCrypto)),
        verdict(result),
      );
    }
    assert(results.length > 600, `${results.length}`);
    const exceptions = await readExceptions();
    assertEquals(disagreements(results, exceptions), []);
    const known = new Set(results.map(({ id }) => id));
    assertEquals(exceptions.filter(({ id }) => !known.has(id)), []);
    const count = (stratum: string) =>
      exceptions.filter(({ id }) =>
        results.find((result) => result.id === id)!.stratum === stratum
      ).length;
    assertEquals(count("anchored"), 0);
    assert(count("pedantic") <= 5);
  },
});

const RESULT: LimboResult = {
  id: "some::case",
  stratum: "pedantic",
  namespace: "some",
  outcome: "right",
  code: undefined,
  milliseconds: 1,
};
const WRONG: LimboResult = { ...RESULT, outcome: "false accept" };
const LISTED = [{ id: RESULT.id, reason: "Because." }];

Deno.test("disagreements() finds what is neither right nor listed with its reason", () => {
  assertEquals(disagreements([RESULT], []), []);
  assertEquals(disagreements([WRONG], LISTED), []);
  const found: [readonly LimboResult[], typeof LISTED][] = [
    // Wrong, and not listed.
    [[WRONG], []],
    [[{ ...RESULT, outcome: "false reject" }], []],
    [[{ ...RESULT, outcome: "over budget" }], []],
    [[WRONG], [{ id: "another::case", reason: "Because." }]],
    // Listed, and right meanwhile.
    [[RESULT], LISTED],
    // Listed without a reason.
    [[WRONG], [{ id: RESULT.id, reason: " " }]],
    // Listed, though everybody else gets it right.
    [[{ ...WRONG, stratum: "anchored" }], LISTED],
  ];
  for (const [results, exceptions] of found) {
    assertEquals(disagreements(results, exceptions).length, 1);
  }
});

/** A case from a minted chain. */
function caseOf(
  id: string,
  minted: MintedChain,
  changed: Partial<LimboCase> = {},
): LimboCase {
  return {
    id,
    validation_kind: "SERVER",
    trusted_certs: [minted.ca],
    untrusted_intermediates: minted.intermediates.map(({ pem }) => pem),
    peer_certificate: minted.leaf.pem,
    validation_time: null,
    expected_result: "SUCCESS",
    expected_peer_name: { kind: "DNS", value: minted.hostnames[0] },
    max_chain_depth: null,
    ...changed,
  };
}

async function limboCommand(
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--no-lock",
      "tools/limbo/main.ts",
      ...args,
    ],
    cwd: new URL("../../../", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

async function write(
  file: string,
  cases: readonly LimboCase[],
  compressed: boolean,
): Promise<string> {
  const text = cases.map((one) => JSON.stringify(one)).join("\n") + "\n";
  const plain = new Blob([text]).stream();
  await Deno.writeFile(
    file,
    compressed ? plain.pipeThrough(new CompressionStream("gzip")) : plain,
  );
  return file;
}

Deno.test("deno task limbo counts by namespace, and fails on what is not explained", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const minted = await mintChain({ hostnames: ["a.example"] });
    const good = [
      caseOf("first::good", minted),
      caseOf("second::refused", minted, {
        expected_result: "FAILURE",
        expected_peer_name: { kind: "DNS", value: "b.example" },
      }),
      caseOf("second::depth", minted, { max_chain_depth: 1 }),
      caseOf("second::client", minted, {
        validation_kind: "CLIENT",
        expected_result: "FAILURE",
      }),
    ];
    const bad = [
      ...good,
      caseOf("second::accepted", minted, { expected_result: "FAILURE" }),
      caseOf("second::rejected", minted, { untrusted_intermediates: [] }),
      caseOf("second::over", minted, { max_chain_depth: 0 }),
    ];
    const fine = await write(`${folder}/good.ndjson.gz`, good, true);
    const first = await limboCommand([fine]);
    assertEquals([first.code, first.stderr], [0, ""]);
    assert(/all \/ second +2 +0 +0 +0\n/.test(first.stdout), first.stdout);
    const flawed = await write(`${folder}/bad.ndjson`, bad, false);
    const second = await limboCommand([flawed, "--json"]);
    assertEquals(second.code, 1);
    assert(/all \/ second +2 +1 +1 +1\n/.test(second.stderr), second.stderr);
    const { results, problems } = JSON.parse(second.stdout);
    assertEquals(results.length, 6);
    assertEquals(problems, [
      "second::accepted: false accept",
      "second::rejected: false reject (ERR_CERTPIN_PATH_NO_ISSUER)",
      "second::over: over budget (ERR_CERTPIN_LIMIT_CHAIN_LENGTH)",
    ]);
    const empty = await write(`${folder}/empty.ndjson`, [good[3]], false);
    for (
      const args of [[], [fine, flawed], ["--no"], [empty], [`${folder}/x`]]
    ) {
      assertEquals((await limboCommand(args)).code, 2, args.join(" "));
    }
    assertEquals((await limboCommand(["--help"])).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
