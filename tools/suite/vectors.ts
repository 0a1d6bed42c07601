/**
 * The shared vectors as a script that puts them into the global object, for
 * runtimes that have no files.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import type { Vectors } from "../../tests/conformance/core/vectors.ts";
import { missingVectors, vectorsFolder } from "../../tests/conformance/skip.ts";
import { type LimboCase, readLimbo } from "../limbo/suite.ts";

/** Of how many cases of x509-limbo a sample takes one. */
const SAMPLE = 20;

interface Manifest {
  readonly chains: readonly {
    readonly host: string;
    readonly validAt: string;
    readonly chain: string;
    readonly root: string;
    readonly spkiSha256: readonly string[];
  }[];
}

async function readVectors(folder: URL, all: boolean): Promise<Vectors> {
  const real = new URL("real/", folder);
  const read = async (name: string) =>
    await Deno.readTextFile(new URL(name, real));
  const { chains }: Manifest = JSON.parse(await read("manifest.json"));
  const limbo: LimboCase[] = [];
  let seen = 0;
  for await (const one of readLimbo(new URL("limbo/limbo.ndjson.gz", folder))) {
    if (all || seen++ % SAMPLE === 0) limbo.push(one);
  }
  return {
    real: await Promise.all(chains.map(async (entry) => ({
      ...entry,
      chain: await read(entry.chain),
      root: await read(entry.root),
    }))),
    limbo,
  };
}

/** The script; empty, and said so, where the vectors are not there. */
export async function vectorsScript(all: boolean): Promise<string> {
  if (missingVectors()) return "";
  const vectors = await readVectors(pathToFileURL(vectorsFolder() + "/"), all);
  const json = JSON.stringify(JSON.stringify(vectors));
  return `globalThis.certpinVectors = JSON.parse(${json});\n`;
}
