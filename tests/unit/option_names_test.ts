/** Options that nobody knows are refused by name, wherever the core takes options. */
import { assert, assertEquals } from "@std/assert";
import {
  createPinner,
  fingerprint,
  lintPolicy,
  parseCertificates,
  parsePin,
  parsePolicy,
  verifyPath,
} from "../../mod.ts";
import { mintChain } from "../../src/testing/mod.ts";

const chain = await mintChain({ hostnames: ["a.example"] });
const certificates = parseCertificates(chain.chain);
const anchors = parseCertificates(chain.ca);
const policy = parsePolicy(chain.policy);

/** What takes options: with these it must work, and with one more not. */
const CALLS: Readonly<
  Record<string, readonly [call: (options: never) => unknown, right: object]>
> = {
  verifyPath: [(options) => verifyPath(certificates, options), {
    anchors,
    hostname: "a.example",
    profile: "web",
  }],
  fingerprint: [(options) => fingerprint(certificates[0], options), {
    of: "spki",
  }],
  parsePin: [(options) => parsePin(chain.pins.leaf, options), { of: "spki" }],
  lintPolicy: [(options) => lintPolicy(policy, options), { anchors }],
  createPinner: [(options) => createPinner(policy, options), { anchors }],
};

async function outcome(
  call: (options: never) => unknown,
  options: unknown,
): Promise<unknown> {
  try {
    await call(options as never);
    return undefined;
  } catch (error) {
    return error;
  }
}

for (const [name, [call, right]] of Object.entries(CALLS)) {
  Deno.test(`${name}() refuses options that it does not know, by name`, async () => {
    assertEquals(await outcome(call, right), undefined);
    assertEquals(
      await outcome(call, { ...right, unknown: undefined }),
      undefined,
    );
    const [option] = Object.keys(right);
    // A letter too many, as it is mistyped.
    const mistyped = `${option}x`;
    const error = await outcome(call, { ...right, [mistyped]: 1 });
    assert(error instanceof TypeError);
    assert(error.message.includes(`"${mistyped}"`));
    assert(error.message.includes(`did you mean "${option}"?`));
  });
}

Deno.test("verifyPath() refuses a profile that is not one", async () => {
  for (const profile of ["Private", "", null, 1]) {
    const error = await outcome(CALLS.verifyPath[0], { anchors, profile });
    assert(error instanceof TypeError, `${profile}`);
  }
});
