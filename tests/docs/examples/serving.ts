/**
 * Starts a handler as its platform does, on a free port of loopback.
 *
 * @module
 */

/** A handler that runs. */
export interface Served extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
}

/** `deno serve`. */
export async function serveExample(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<Served> {
  const args = ["serve", "-A", "--no-lock", "--no-check"];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args, "--host", "127.0.0.1", "--port", "0", file],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const [heard, rest] = child.stderr.tee();
  const drained = rest.pipeTo(new WritableStream()).catch(() => {});
  let text = "";
  let found: RegExpExecArray | null = null;
  for await (const piece of heard.pipeThrough(new TextDecoderStream())) {
    text += piece;
    found = /127\.0\.0\.1:(\d+)/.exec(text);
    if (found) break;
  }
  const end = async () => {
    try {
      child.kill();
    } catch {
      // It has ended by itself.
    }
    await Promise.all([child.status, drained]);
  };
  if (!found) {
    await end();
    throw new Error(`It told no port:\n${text}`);
  }
  return {
    url: `http://127.0.0.1:${found[1]}/`,
    [Symbol.asyncDispose]: end,
  };
}
