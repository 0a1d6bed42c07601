/**
 * Starts a server that people run with a minted certificate on a free port of
 * loopback; `real_kinds.ts` says which.
 *
 * @module
 */
import { run } from "../../../tools/suite/command.ts";

/** Longest wait for a server to be ready, in milliseconds: a guard against hangs. */
const MAX_START_MS = 60_000;

/** How often a start is tried: another program may take the free port first. */
const MAX_STARTS = 3;

/** `nobody` of Debian: several of these servers refuse to run as root. */
const NOBODY = 65_534;

/** Where Debian keeps servers besides `PATH`. */
const SERVER_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];

/** What a server is started with. */
export interface Place {
  /** Belongs to the server; holds `server.pem` and `server.key`. */
  readonly folder: string;
  /** Free a moment ago. */
  readonly port: number;
}

/** A command, and what it says when it listens. */
export interface Daemon {
  readonly program: string;
  readonly args: readonly string[];
  readonly ready: RegExp;
  readonly stop?: Deno.Signal;
}

/** How one kind of server is run. */
export interface Kind {
  /** What it is called, for people. */
  readonly name: string;
  /** Programs without which it cannot be run. */
  readonly programs: readonly string[];
  /** What a client prints that got its answer. */
  readonly answer?: RegExp;
  /** What the server's log says once for each client that got through. */
  readonly trace?: RegExp;
  /** Prepares the folder, and says what to start, one after the other. */
  prepare(place: Place): Promise<readonly Daemon[]>;
  /** What remains to do when all are ready. */
  finish?(place: Place): Promise<void>;
}

function folders(): string[] {
  const postgres: string[] = [];
  try {
    for (const { name } of Deno.readDirSync("/usr/lib/postgresql")) {
      postgres.push(`/usr/lib/postgresql/${name}/bin`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const path = (Deno.env.get("PATH") ?? "").split(":");
  return [...path, ...SERVER_FOLDERS, ...postgres.sort().reverse()];
}

/** The path of a program; `undefined` where it is not installed. */
export function findProgram(name: string): string | undefined {
  for (const folder of folders()) {
    try {
      if (Deno.statSync(`${folder}/${name}`).isFile) return `${folder}/${name}`;
    } catch {
      // Not there.
    }
  }
  return undefined;
}

/** A command that does not run as root. */
function unprivileged(
  program: string,
  args: readonly string[],
): [program: string, args: string[]] {
  const path = findProgram(program) ?? program;
  if (Deno.uid() !== 0) return [path, [...args]];
  const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  return ["setpriv", [...ids, "--", path, ...args]];
}

/** Runs a command to its end, as the server's user. */
export async function prepareWith(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<void> {
  const { success, output } = await run(...unprivileged(program, args), {
    cwd,
    maxMilliseconds: MAX_START_MS,
  });
  if (!success) throw new Error(`${program} failed:\n${output}`);
}

/** A port of loopback that nobody listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Writes a file that only the server may read: they insist on it for keys. */
export async function writeFor(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text, { mode: 0o600 });
  if (Deno.uid() === 0) await Deno.chown(path, NOBODY, NOBODY);
}

/** A command that runs, and everything it says. */
class Running {
  #log = "";
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<unknown>;
  readonly #stop: Deno.Signal;

  private constructor(
    { program, args, stop = "SIGTERM" }: Daemon,
    folder: string,
    heard: (log: string) => void,
  ) {
    const [command, words] = unprivileged(program, args);
    this.#stop = stop;
    this.#child = new Deno.Command(command, {
      args: words,
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const drain = async (stream: ReadableStream<Uint8Array>) => {
      for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
        heard(this.#log += piece);
      }
    };
    this.#drained = Promise.all([
      drain(this.#child.stdout),
      drain(this.#child.stderr),
    ]);
  }

  /** Starts it, and waits until it listens. */
  static async start(daemon: Daemon, folder: string): Promise<Running> {
    const ready = Promise.withResolvers<boolean>();
    const running = new Running(daemon, folder, (log) => {
      if (daemon.ready.test(log)) ready.resolve(true);
    });
    const guard = setTimeout(() => ready.resolve(false), MAX_START_MS);
    running.#drained.then(() => ready.resolve(false));
    const isReady = await ready.promise;
    clearTimeout(guard);
    if (isReady) return running;
    const log = await running.stop();
    throw new Error(`${daemon.program} did not start:\n${log}`);
  }

  /** Ends it; everything it said. */
  async stop(): Promise<string> {
    try {
      this.#child.kill(this.#stop);
    } catch {
      // It has ended by itself.
    }
    await Promise.all([this.#child.status, this.#drained]);
    return this.#log;
  }
}

/** A server that runs. */
export class RealServer implements AsyncDisposable {
  private constructor(
    readonly port: number,
    readonly folder: string,
    readonly running: Running[],
  ) {}

  /** Starts one with a certificate chain and its key, both as PEM. */
  static async start(
    kind: Kind,
    pem: string,
    keyPem: string,
  ): Promise<RealServer> {
    for (let attempt = 1;; attempt++) {
      const folder = await Deno.makeTempDir({ prefix: "certpin-server-" });
      if (Deno.uid() === 0) await Deno.chown(folder, NOBODY, NOBODY);
      const server = new RealServer(freePort(), folder, []);
      try {
        await writeFor(`${folder}/server.pem`, pem);
        await writeFor(`${folder}/server.key`, keyPem);
        for (const daemon of await kind.prepare(server)) {
          server.running.push(await Running.start(daemon, folder));
        }
        await kind.finish?.(server);
        return server;
      } catch (error) {
        await server[Symbol.asyncDispose]();
        if (attempt === MAX_STARTS) throw error;
      }
    }
  }

  /** Ends it; everything it logged. */
  async stop(): Promise<string> {
    let log = "";
    // The one in front first.
    for (const running of this.running.splice(0).reverse()) {
      log += await running.stop();
    }
    return log;
  }

  /** Ends it, and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.folder, { recursive: true });
  }
}
