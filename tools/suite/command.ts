/**
 * Runs a command and keeps what it prints.
 *
 * @module
 */

/** Longest that one command may take, in milliseconds: a guard against hangs. */
const MAX_COMMAND_MILLISECONDS = 45 * 60 * 1000;

/** What a command left behind. */
export interface Ran {
  readonly success: boolean;
  /** Standard output, then standard error. */
  readonly output: string;
  readonly stdout: string;
}

/** Where and with what a command runs. */
export interface CommandOptions {
  readonly cwd?: string | URL;
  readonly env?: Readonly<Record<string, string>>;
  /** Shows the output while it comes. */
  readonly verbose?: boolean;
  /** Longest that it may take. Default {@linkcode MAX_COMMAND_MILLISECONDS}. */
  readonly maxMilliseconds?: number;
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  show: ((text: string) => void) | undefined,
): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text += piece;
    show?.(piece);
  }
  return text;
}

const encoder = new TextEncoder();

/** Runs `program` to its end; never throws because it failed. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env, verbose, maxMilliseconds = MAX_COMMAND_MILLISECONDS }:
    CommandOptions = {},
): Promise<Ran> {
  let child;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      cwd,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const output = `No such command: ${program}\n`;
    return { success: false, output, stdout: "" };
  }
  let late = "";
  const guard = setTimeout(() => {
    late = `\nStopped after ${maxMilliseconds} ms\n`;
    child.kill("SIGKILL");
  }, maxMilliseconds);
  const show = verbose
    ? (text: string) => void Deno.stderr.writeSync(encoder.encode(text))
    : undefined;
  const [stdout, stderr, { success }] = await Promise.all([
    collect(child.stdout, show),
    collect(child.stderr, show),
    child.status,
  ]);
  clearTimeout(guard);
  return { success, stdout, output: stdout + stderr + late };
}

/** Runs the Deno that runs us. */
export async function deno(
  args: readonly string[],
  options?: CommandOptions,
): Promise<Ran> {
  return await run(Deno.execPath(), args, options);
}
