/** Random chains, evaluated by certpin and by `openssl verify -x509_strict`. */
import { assert, assertEquals } from "@std/assert";
import { parseCertificates } from "../../src/x509/certificate.ts";
import disagreements from "./openssl_disagreements.json" with {
  type: "json",
};
import { random } from "../conformance/random.ts";
import { everything } from "../conformance/skip.ts";
import { missingOpenssl, openssl } from "../unit/x509/openssl.ts";
import {
  DEFECTS,
  type RandomChain,
  randomChain,
  RARITIES,
} from "./random_chains.ts";
import { resultOf } from "../unit/path/support.ts";

const CHAINS = 300;
const SAMPLE = 60;
/** Most chains of all on which the two may differ. */
const MAX_DISAGREEMENTS = 5;

async function ours(chain: RandomChain): Promise<boolean> {
  const { minted, presented, hostname, at } = chain;
  const anchors = parseCertificates(minted.root.der);
  const certificates = parseCertificates(
    [minted.leaf, ...presented].map(({ der }) => der),
  );
  return "path" in await resultOf(certificates, { hostname, anchors, at });
}

async function theirs(chain: RandomChain, folder: string): Promise<boolean> {
  const { minted, presented, hostname, at } = chain;
  const write = async (name: string, pem: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, pem);
    return `${folder}/${name}`;
  };
  const untrusted = presented.map(({ pem }) => pem).join("");
  const isAddress = /^[\d.]+$|:/.test(hostname);
  const { success, stdout, stderr } = await openssl([
    "verify",
    "-x509_strict",
    "-purpose",
    "sslserver",
    // RSA keys of 2,048 bits, no SHA-1.
    "-auth_level",
    "2",
    isAddress ? "-verify_ip" : "-verify_hostname",
    hostname,
    "-attime",
    `${at.getTime() / 1000}`,
    "-CAfile",
    await write("root.pem", minted.ca),
    ...untrusted === ""
      ? []
      : ["-untrusted", await write("intermediates.pem", untrusted)],
    await write("leaf.pem", minted.leaf.pem),
  ]);
  // A refusal for a reason of the chain, and not of our command line.
  const isVerdict = success || /^error .* at \d+ depth lookup/m.test(stderr);
  assert(isVerdict, stdout + stderr);
  return success;
}

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ignore = await missingOpenssl();

Deno.test({
  name:
    "random chains are evaluated as openssl verify -x509_strict evaluates them, but for listed ones",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const choice = random(300);
      const differing: (string | null)[] = [];
      const defects = new Set<string | null>();
      let accepted = 0;
      const count = everything() ? CHAINS : SAMPLE;
      for (let left = count; left > 0; left--) {
        const chain = await randomChain(choice);
        defects.add(chain.defect);
        const verdict = await ours(chain);
        if (verdict) accepted++;
        if (await theirs(chain, folder) !== verdict) {
          differing.push(chain.defect);
        }
      }
      const listed: (string | null)[] = disagreements.map(({ defect }) =>
        defect
      );
      assertEquals(differing.filter((defect) => !listed.includes(defect)), []);
      assert(differing.length <= MAX_DISAGREEMENTS, `${differing}`);
      assert(accepted > count / 3 && accepted < 2 * count / 3, `${accepted}`);
      assert(defects.size > 15, `${defects.size}`);
    }),
});

Deno.test({
  name: "every defect is refused by both, and every right chain accepted",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const choice = random(1);
      for (const defect of [null, ...Object.keys(DEFECTS)]) {
        const chain = await randomChain(choice, defect);
        assertEquals(await ours(chain), defect === null, `${defect}`);
        assertEquals(await theirs(chain, folder), defect === null, `${defect}`);
      }
    }),
});

Deno.test({
  name: "every listed disagreement is one, and no other",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const choice = random(2);
      assertEquals(
        disagreements.map(({ defect }) => defect).sort(),
        Object.keys(RARITIES).sort(),
      );
      for (const { defect, openssl, section, reason } of disagreements) {
        assert(/^RFC \d+, section [\d.]+$/.test(section), section);
        assert(reason.trim() !== "");
        const chain = await randomChain(choice, defect);
        const accepts = openssl === "accepts";
        assertEquals(await theirs(chain, folder), accepts, defect);
        assertEquals(await ours(chain), !accepts, defect);
      }
    }),
});
