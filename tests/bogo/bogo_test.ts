/**
 * BoringSSL's own test runner (BoGo) against the TLS 1.3 client.
 *
 * The runner is BoringSSL's and is not here. `BORINGSSL_DIR` names a checkout in
 * which `ssl/test/runner` holds it compiled, as `runner.test`. Without it, the
 * suite is skipped by name, also where everything else is required.
 */
import { assert, assertEquals } from "@std/assert";
import { environment } from "../conformance/skip.ts";

/** Fewest tests that must pass; the runner has more with each version. */
const LEAST_PASSED = 600;
/** Fewest of them whose server speaks TLS 1.3. */
const LEAST_PASSED_TLS13 = 340;
/** Shims that run at the same time. */
const WORKERS = 3;

interface RunnerOutput {
  readonly tests: Readonly<Record<string, { readonly actual: string }>>;
}

const folder = environment("BORINGSSL_DIR");
if (!folder) {
  console.log("SKIPPED bogo: BORINGSSL_DIR does not name a checkout");
}

function pathOf(name: string): string {
  return decodeURIComponent(new URL(name, import.meta.url).pathname);
}

/** Runs every test of the runner, the disabled ones too. */
async function run(
  ...extraFlags: readonly string[]
): Promise<{ passed: string[]; failed: string[]; output: string }> {
  const runnerFolder = `${folder}/ssl/test/runner`;
  const json = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const { stdout } = await new Deno.Command(`${runnerFolder}/runner.test`, {
      cwd: runnerFolder,
      args: [
        ["-shim-path", pathOf("shim.sh")],
        ["-shim-extra-flags", extraFlags.join(";")],
        ["-num-workers", `${WORKERS}`],
        ["-json-output", json],
        ["-allow-unimplemented", "-loose-errors", "-pipe"],
      ].flat(),
      env: { DENO: Deno.execPath() },
      stderr: "inherit",
    }).output();
    const { tests }: RunnerOutput = JSON.parse(await Deno.readTextFile(json));
    const withOutcome = (wanted: string) =>
      Object.keys(tests).filter((name) => tests[name].actual === wanted);
    return {
      passed: withOutcome("PASS"),
      failed: withOutcome("FAIL"),
      output: new TextDecoder().decode(stdout),
    };
  } finally {
    await Deno.remove(json);
  }
}

/** The reasons in the runner's own format, by the names of tests. */
const { DisabledTests: reasons } = JSON.parse(
  await Deno.readTextFile(pathOf("config.json")),
) as { DisabledTests: Readonly<Record<string, string>> };

Deno.test({
  name:
    "each failure of BoringSSL's runner has a reason, and each reason a failure",
  ignore: !folder,
  fn: async () => {
    const all = await run();
    const unexplained = all.failed.filter((name) => !(name in reasons));
    const details = all.output.split("\n")
      .filter((line) => !/^(PASSED|UNIMPLEMENTED)/.test(line));
    assertEquals(unexplained, [], details.join("\n"));
    assertEquals(all.passed.filter((name) => name in reasons), []);
    assert(all.passed.length >= LEAST_PASSED, `${all.passed.length} passed`);

    // What is refused for its version alone does not count here.
    const tls13 = await run("-older-is-unimplemented");
    assertEquals(tls13.failed.filter((name) => !(name in reasons)), []);
    console.log(
      `bogo: ${all.passed.length} passed, ${tls13.passed.length} of them with TLS 1.3; ${all.failed.length} failed with a reason`,
    );
    assert(
      tls13.passed.length >= LEAST_PASSED_TLS13,
      `${tls13.passed.length} passed with TLS 1.3`,
    );
  },
});

Deno.test("each test of BoringSSL's runner that is disabled has a reason", () => {
  assert(Object.keys(reasons).length > 0);
  for (const [name, reason] of Object.entries(reasons)) {
    assert(/\w+ \w+ \w+/.test(reason), name);
    // No pattern: it could disable a test that passes.
    assert(!/[*?[\]]/.test(name), name);
  }
});
