/**
 * A Worker served by workerd, for tests that run outside it.
 */
import { bundle } from "../../../tools/bundle.ts";
import { programPath } from "../../../tools/suite/npx.ts";

/** The workerd that is tested; `undefined` where npx does not bring it. */
export const workerdPath: string | undefined = await programPath(
  "workerd@1.20261117.1",
  "node",
  [
    "-p",
    `require("node:path").join(process.env.PATH.split(require("node:path").delimiter)[0], "workerd")`,
  ],
);

/** A Worker to serve. */
export interface WorkerOptions {
  /** Its file. */
  readonly entry: string;
  /** Classes of Durable Objects, each bound by its name. */
  readonly objects?: Readonly<Record<string, string>>;
  /** Text bindings. */
  readonly texts?: Readonly<Record<string, string>>;
  /** PEM of what the runtime's own TLS trusts. */
  readonly trusted?: string;
}

/** A Worker that is served until it is disposed of. */
export interface ServedWorker extends AsyncDisposable {
  readonly url: string;
  /** Of the runtime's process. */
  readonly pid: number;
  /** Bytes of its bundle. */
  readonly code: string;
  /** Posts JSON to a path. */
  post(path: string, body: unknown): Promise<Response>;
}

function configOf(
  { objects = {}, texts = {}, trusted }: WorkerOptions,
): string {
  const bindings = [
    ...Object.entries(objects).map(([name, className]) =>
      `(name = "${name}", durableObjectNamespace = "${className}")`
    ),
    ...Object.entries(texts).map(([name, text]) =>
      `(name = "${name}", text = ${JSON.stringify(text)})`
    ),
  ];
  const namespaces = Object.values(objects).map((className) =>
    `(className = "${className}", uniqueKey = "${className}")`
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = "2026-11-01",
      bindings = [${bindings}],
      durableObjectNamespaces = [${namespaces}],
      durableObjectStorage = (inMemory = void),
    )),
    (name = "internet", network = (
      allow = ["public", "private", "local"],
      tlsOptions = (trustedCertificates = [${
    trusted === undefined ? "" : JSON.stringify(trusted)
  }]),
    )),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
`;
}

/** Reads the port from the lines that workerd prints when it listens. */
async function readPort(stdout: ReadableStream<Uint8Array>): Promise<number> {
  let text = "";
  for await (const piece of stream(stdout)) {
    text += piece;
    const [, port] = /"event":"listen".*?"port":(\d+)/.exec(text) ?? [];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`workerd did not start:\n${text}`);
}

async function* stream(bytes: ReadableStream<Uint8Array>) {
  const reader = bytes.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** Bundles a Worker and serves it. */
export async function serveWorker(
  options: WorkerOptions,
): Promise<ServedWorker> {
  const folder = await Deno.makeTempDir({ prefix: "certpin-worker-" });
  const code = await bundle(options.entry, "sandbox");
  await Deno.writeTextFile(`${folder}/worker.js`, code);
  await Deno.writeTextFile(`${folder}/config.capnp`, configOf(options));
  const child = new Deno.Command(workerdPath!, {
    args: ["serve", "config.capnp", "--control-fd=1"],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const url = `http://127.0.0.1:${await readPort(child.stdout)}`;
  return {
    url,
    pid: child.pid,
    code,
    post: async (path, body) =>
      await fetch(url + path, { method: "POST", body: JSON.stringify(body) }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
