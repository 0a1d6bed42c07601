/**
 * Runs the command as a user does: in a process of its own, with its streams.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "../../cli/render/output.schema.json" with { type: "json" };
import { filePath } from "../../tools/suite/paths.ts";

/** A guard against hangs, in milliseconds; no test asserts a time. */
const HANG_MILLISECONDS = 60_000;

/** What a run left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a run is given. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to an environment without colour; CERTPIN_ variables are dropped. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
}

/** Runs a program to its end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env, stdin }: RunOptions = {},
): Promise<Ran> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(HANG_MILLISECONDS),
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    const bytes = typeof stdin === "string"
      ? new TextEncoder().encode(stdin)
      : stdin;
    // A command that does not read its input closes the pipe.
    await writer.write(bytes).catch(() => {});
    await writer.close().catch(() => {});
  }
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** The environment variable that names another command than the checkout's: a JSON list of words. */
export const COMMAND_VARIABLE = "CERTPIN_TEST_COMMAND";

/** The command: of the checkout on the Deno that runs us, or the one that the environment names. */
export function commandWords(): string[] {
  const named = Deno.env.get(COMMAND_VARIABLE);
  if (named !== undefined) return JSON.parse(named);
  const main = filePath("cli/main.ts");
  return [Deno.execPath(), "run", "-A", "--no-check", "--quiet", main];
}

/** Whether the command runs on a Bun, whose TLS library knows no Ed448. */
export function lacksEd448(): boolean {
  return /(?:^|[/\\])bun(?:\.exe)?$/.test(commandWords()[0]);
}

/** Runs `certpin`. */
export function certpin(
  args: readonly string[],
  options?: RunOptions,
): Promise<Ran> {
  const [program, ...rest] = commandWords();
  return runProgram(program, [...rest, ...args], options);
}

const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  strictRequired: false,
});
ajv.addSchema(schema, "output");

/** The kinds of documents that the schema knows. */
export type DocumentName = Exclude<
  keyof typeof schema.$defs,
  "certificate" | "finding" | "error"
>;

/** Parses standard output as the one document of that kind, and holds it to its schema. */
// deno-lint-ignore no-explicit-any -- the schema has said what it is
export function documentOf(ran: Ran, name: DocumentName): any {
  const document = JSON.parse(ran.stdout);
  const validate = ajv.getSchema(`output#/$defs/${name}`);
  assert(validate, `no schema for ${name}`);
  assert(
    validate(document),
    `${JSON.stringify(validate.errors, null, 2)}\n${ran.stdout}`,
  );
  return document;
}

/** A folder that ends with the test. */
export async function inTemporaryFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "certpin-cli-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
