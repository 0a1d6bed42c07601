/**
 * Runs the command for the samples of the documentation.
 *
 * A sample stands between `<!-- sample:begin ARGUMENTS -->` and
 * `<!-- sample:end -->`; it is run in `fixtures/docs/`.
 *
 * @module
 */
import { deno } from "../suite/command.ts";
import { filePath, ROOT } from "../suite/paths.ts";

const FOLDER = new URL("fixtures/docs/", ROOT);

async function sample(commandLine: string): Promise<string> {
  const main = filePath("cli/main.ts");
  const { output } = await deno(
    ["run", "-A", "--no-lock", "--no-check", main, ...commandLine.split(" ")],
    { cwd: FOLDER },
  );
  return `\`\`\`text\n$ certpin ${commandLine}\n${output.trimEnd()}\n\`\`\``;
}

/** The document with all samples as they have to be. */
export async function withSamples(document: string): Promise<string> {
  const pattern = /(<!-- sample:begin (.+?) -->)[^]*?(<!-- sample:end -->)/g;
  let text = "";
  let from = 0;
  let count = 0;
  for (const match of document.matchAll(pattern)) {
    const [whole, begin, commandLine, end] = match;
    text += document.slice(from, match.index) +
      `${begin}\n\n${await sample(commandLine)}\n\n${end}`;
    from = match.index + whole.length;
    count++;
  }
  if (count === 0) throw new Error("There is no sample in the document");
  return text + document.slice(from);
}
