/**
 * Writes the generated parts of the documentation: `deno task docs`.
 *
 * @module
 */
import { withDrawing } from "../drawing.ts";
import { deno } from "../suite/command.ts";
import { ROOT } from "../suite/paths.ts";
import { apiPage, llmsText } from "./api.ts";
import { between } from "./between.ts";
import { codesPage } from "./codes.ts";
import { withSamples } from "./samples.ts";
import { fetchPage } from "./fetch.ts";
import { withKeys } from "./policy_reference.ts";
import { withAllRules, withStricterRules, withWaivedRules } from "./rules.ts";
import { mismatchSample } from "./refusal_sample.ts";

/** One document, and how it is made from what it is now. */
export interface Generated {
  readonly path: string;
  make(now: string): Promise<string> | string;
}

/** Everything that is generated. */
export const GENERATED: readonly Generated[] = [
  { path: "docs/api.md", make: apiPage },
  { path: "llms.txt", make: llmsText },
  { path: "docs/codes.md", make: codesPage },
  { path: "docs/fetch.md", make: fetchPage },
  { path: "docs/policy.md", make: (now) => withWaivedRules(withKeys(now)) },
  { path: "docs/private-ca.md", make: withAllRules },
  { path: "SECURITY.md", make: withStricterRules },
  {
    path: "docs/refusals.md",
    make: async (now) => between("mismatch", now, await mismatchSample()),
  },
  { path: "docs/design.md", make: withDrawing },
  { path: "docs/cli.md", make: withSamples },
];

/** Markdown as `deno fmt` writes it. */
export async function formatted(text: string): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".md" });
  try {
    await Deno.writeTextFile(file, text);
    const { success, output } = await deno(["fmt", "--no-config", file]);
    if (!success) throw new Error(output);
    return await Deno.readTextFile(file);
  } finally {
    await Deno.remove(file);
  }
}

/** What a document holds now; nothing where it is not there. */
export async function current(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT)).catch(() => "");
}

if (import.meta.main) {
  for (const { path, make } of GENERATED) {
    const text = await formatted(await make(await current(path)));
    await Deno.writeTextFile(new URL(path, ROOT), text);
    console.log(path);
  }
}
