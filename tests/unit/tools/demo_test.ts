/** The demo as a person runs it, and that it can fail. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createFetch } from "../../../src/adapters/deno.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import { runDemo } from "../../../tools/demo/demo.ts";
import { Screen } from "../../../tools/demo/screen.ts";
import { ROOT } from "../../../tools/suite/paths.ts";

const ESCAPE = "\x1b";

/** What the demo claims, in its order. */
const CLAIMS = [
  /✔ the answer is "hello, pinned world", and the verified path is pinned/,
  /✔ the server reports [1-9]\d* request bytes/,
  /✔ the pinned fetch refuses it with ERR_CERTPIN_MISMATCH/,
  /✔ the impostor's server reports 0 request bytes/,
  /✔ without pins, the same store lets [1-9]\d* request bytes through/,
  /✔ the leaf's pin is void, the intermediate's pin holds/,
  /✔ the request goes through/,
  /✔ it warns/,
  /✔ it is refused before any connection/,
];

async function demo(
  env: Record<string, string>,
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tools/demo/main.ts"],
    cwd: ROOT,
    env,
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("the demo shows all that it claims, without colours in a pipe", async () => {
  const { code, text } = await demo({});
  let from = 0;
  for (const claim of CLAIMS) {
    const found = claim.exec(text.slice(from));
    assert(found, `${claim} in its place:\n${text}`);
    from += found.index;
  }
  assertEquals(text.match(/✔/g)?.length, CLAIMS.length);
  assert(!text.includes("✘"));
  assert(!text.includes(ESCAPE));
  assertMatch(text, /warning +root-only /);
  assertMatch(text, /\/hosts\/localhost\/pins\/0/);
  assertEquals(code, 0);
});

async function runWith(
  createOther: typeof createFetch,
): Promise<{ failures: readonly string[]; lines: readonly string[] }> {
  const folder = await Deno.makeTempDir();
  const lines: string[] = [];
  const screen = new Screen(true, (line) => lines.push(line));
  try {
    await runDemo({ screen, folder, createFetch: createOther });
  } catch (error) {
    screen.failures.push(String(error));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return { failures: screen.failures, lines };
}

Deno.test("the demo paints where it is told to", async () => {
  const { failures, lines } = await runWith(createFetch);
  assertEquals(failures, []);
  assert(lines.some((line) => line.includes(`${ESCAPE}[32m✔`)));
});

Deno.test("the demo fails with a fetch that pins nothing", async () => {
  const anything: typeof createFetch = (_policy, options) => {
    const caCerts = String(options?.ca).split(
      /(?<=-----END CERTIFICATE-----\n)/,
    )
      .filter((pem) => pem !== "");
    const client = Deno.createHttpClient({ caCerts });
    const close = () => Promise.resolve(client.close());
    return Object.assign(
      (input: string | URL | Request, init?: RequestInit) =>
        fetch(input, { ...init, client } as RequestInit),
      { close, [Symbol.asyncDispose]: close },
    );
  };
  const { failures } = await runWith(anything);
  assert(failures.some((text) => text.includes("refuses it with no error")));
  assert(failures.length > 1);
});

Deno.test("the demo fails with a fetch that refuses everything", async () => {
  const other = await mintChain();
  const { failures } = await runWith((_policy, options) =>
    createFetch(other.policy, options)
  );
  assert(failures.length > 0);
});
