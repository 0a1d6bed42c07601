/**
 * Starts handlers as their platforms do, on free ports of loopback.
 *
 * @module
 */

/** A handler that runs. */
export interface Served extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
}

/** Starts a program, and waits for the line that tells its port. */
async function start(
  command: Deno.Command,
  from: "stdout" | "stderr",
  port: RegExp,
): Promise<Served> {
  const child = command.spawn();
  const other = from === "stdout" ? child.stderr : child.stdout;
  const ignored = other.pipeTo(new WritableStream()).catch(() => {});
  const [heard, rest] = child[from].tee();
  const drained = rest.pipeTo(new WritableStream()).catch(() => {});
  let text = "";
  let found: RegExpExecArray | null = null;
  for await (const piece of heard.pipeThrough(new TextDecoderStream())) {
    text += piece;
    found = port.exec(text);
    if (found) break;
  }
  const end = async () => {
    try {
      child.kill();
    } catch {
      // It has ended by itself.
    }
    await Promise.all([child.status, drained, ignored]);
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

/** `deno serve`. */
export async function serveExample(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<Served> {
  const args = ["serve", "-A", "--no-lock", "--no-check"];
  return await start(
    new Deno.Command(Deno.execPath(), {
      args: [...args, "--host", "127.0.0.1", "--port", "0", file],
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }),
    "stderr",
    /127\.0\.0\.1:(\d+)/,
  );
}

/** The version that the suite tests too. */
const WORKERD = "workerd@1.20261117.1";

/** A Worker in workerd, with text bindings. */
export async function serveWorkerd(
  programPath: (
    npmPackage: string,
    program: string,
    evaluate: readonly string[],
  ) => Promise<string | undefined>,
  script: string,
  bindings: Readonly<Record<string, string>>,
): Promise<Served> {
  const path = await programPath(WORKERD, "node", [
    "-p",
    `require("node:path").join(process.env.PATH.split(require("node:path").delimiter)[0], "workerd")`,
  ]);
  if (path === undefined) throw new Error(`npx does not bring ${WORKERD}`);
  const folder = await Deno.makeTempDir({ prefix: "certpin-worker-" });
  await Deno.writeTextFile(`${folder}/worker.js`, script);
  const texts = Object.entries(bindings).map(([name, text]) =>
    `(name = "${name}", text = ${JSON.stringify(text)})`
  );
  await Deno.writeTextFile(
    `${folder}/config.capnp`,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "worker.js")],
    bindings = [${texts.join(", ")}],
    compatibilityDate = "2026-11-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  );
  const served = await start(
    new Deno.Command(path, {
      args: ["serve", "--control-fd=1", "config.capnp"],
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }),
    "stdout",
    /"port":(\d+)/,
  );
  return {
    url: served.url,
    [Symbol.asyncDispose]: async () => {
      await served[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
