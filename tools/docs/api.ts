/**
 * The API on one page, for people (`docs/api.md`) and for language models
 * (`llms.txt`), read off the doc comments.
 *
 * @module
 */
import { deno } from "../suite/command.ts";
import { ROOT } from "../suite/paths.ts";

/** One exported symbol. */
interface Exported {
  readonly name: string;
  readonly kind: string;
  /** The first sentence of its doc comment. */
  readonly summary: string;
}

/** One entry point. */
interface EntryPoint {
  readonly specifier: string;
  readonly summary: string;
  readonly symbols: readonly Exported[];
  /** Functions with their types, one line each. */
  readonly signatures: readonly string[];
}

const KINDS = ["function", "class", "variable", "interface", "typeAlias"];
const KIND_NAMES: Readonly<Record<string, string>> = {
  variable: "constant",
  typeAlias: "type",
};

/** The first sentence of a doc comment, on one line. */
function firstSentence(doc: string | undefined): string {
  const [paragraph] = (doc ?? "").trim().split(/\n\s*\n/);
  const line = paragraph.replace(/\s+/g, " ")
    .replace(/\{@linkcode (\w+)\}/g, "`$1`");
  return /^.*?[.:](?= |$)/.exec(line)?.[0].replace(/:$/, ".") ?? line;
}

interface DocNode {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind: string;
    readonly jsDoc?: { readonly doc?: string };
  }[];
}

interface DocJson {
  readonly nodes: Readonly<
    Record<
      string,
      {
        readonly module_doc?: { readonly doc?: string };
        readonly symbols: readonly DocNode[];
      }
    >
  >;
}

async function readEntryPoint(
  specifier: string,
  file: string,
): Promise<EntryPoint> {
  const json = await deno(["doc", "--json", file], { cwd: ROOT });
  const text = await deno(["doc", file], { cwd: ROOT, env: { NO_COLOR: "1" } });
  if (!json.success || !text.success) {
    throw new Error(`deno doc ${file} failed:\n${json.output}${text.output}`);
  }
  const { nodes } = JSON.parse(json.stdout) as DocJson;
  const [module] = Object.values(nodes);
  const symbols = module.symbols.map(({ name, declarations }) => ({
    name,
    kind: declarations[0].kind,
    summary: firstSentence(
      declarations.find(({ jsDoc }) => jsDoc?.doc)?.jsDoc?.doc,
    ),
  }));
  const rank = ({ kind }: Exported) => KINDS.indexOf(kind);
  return {
    specifier,
    summary: firstSentence(module.module_doc?.doc),
    symbols: symbols.sort((a, b) =>
      rank(a) - rank(b) || (a.name < b.name ? -1 : 1)
    ),
    signatures: text.stdout.split("\n").filter((line) =>
      /^(?:async )?function\*? /.test(line)
    ),
  };
}

/** The public entry points of the library, in the order of `deno.json`. */
export async function readApi(): Promise<EntryPoint[]> {
  const { name, exports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const entries: EntryPoint[] = [];
  for (const [key, file] of Object.entries<string>(exports)) {
    if (!file.endsWith(".ts") || key.startsWith("./internal")) continue;
    entries.push(await readEntryPoint(name + key.slice(1), file));
  }
  return entries;
}

const cell = (text: string) => text.replaceAll("|", "\\|");

/** `docs/api.md`. */
export async function apiPage(): Promise<string> {
  const sections = (await readApi()).map(({ specifier, summary, symbols }) =>
    [
      `## \`${specifier}\``,
      "",
      summary,
      "",
      "| name | kind | |",
      "| --- | --- | --- |",
      ...symbols.map(({ name, kind, summary }) =>
        `| \`${name}\` | ${KIND_NAMES[kind] ?? kind} | ${cell(summary)} |`
      ),
      "",
    ].join("\n")
  );
  return [
    "# API on one page",
    "",
    "Every entry point and every name that it exports, read off the doc",
    "comments; editors and `deno doc` show the whole of each.",
    "",
    ...sections,
  ].join("\n");
}

/** `llms.txt`. */
export async function llmsText(): Promise<string> {
  const sections = (await readApi()).map((entry) =>
    [
      `## ${entry.specifier}`,
      "",
      entry.summary,
      "",
      ...entry.signatures.map((line) => `- \`${line}\``),
      ...entry.symbols.filter(({ kind }) => kind !== "function").map(
        ({ name, kind, summary }) =>
          `- ${KIND_NAMES[kind] ?? kind} \`${name}\`: ${summary}`,
      ),
      "",
    ].join("\n")
  );
  return [
    "# certpin",
    "",
    "> Certificate pinning for Deno, Node, Bun and edge runtimes: a client",
    "> accepts a server only if a pin of its policy matches a certificate on a",
    "> path that certpin has verified.",
    "",
    "- Install: `deno add jsr:@certpin/certpin`, `npm install @certpin/certpin`.",
    '- Deno: `import { createFetch } from "@certpin/certpin/deno"`; Node and Bun:',
    '  `"@certpin/certpin/node"`; Cloudflare Workers: `"@certpin/certpin/workers"`.',
    "- Write a policy with `certpin init HOST` (`npx @certpin/cli`), never by",
    "  hand. Import it as JSON and pass it as the first argument.",
    "- Never disable verification to make a test pass: mint a chain with",
    "  `mintChain()` of `@certpin/certpin/testing`, and pass its `ca`.",
    "- Pin keys (SPKI), keep a backup pin, and do not pin servers that you do not",
    "  control. A mismatch has the code `ERR_CERTPIN_MISMATCH`; fetch rejects with",
    "  a `TypeError` whose `cause` is that error.",
    "- Documentation: README.md, docs/first-policy.md, docs/what-to-pin.md,",
    "  docs/libraries.md, docs/recipes.md, docs/policy.md, docs/cli.md,",
    "  docs/updates.md, docs/edge.md, docs/refusals.md, docs/threat-model.md.",
    "",
    ...sections,
  ].join("\n");
}
