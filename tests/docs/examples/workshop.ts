/**
 * A folder in which snippets and examples run as a user's programs would: with
 * certpin under its own name, a policy in `pins.json`, and servers to talk to.
 *
 * @module
 */
import { buildNpm } from "../../../tools/build_npm.ts";
import { type Ran, run } from "../../../tools/suite/command.ts";
import { npm, programPath } from "../../../tools/suite/npx.ts";
import { filePath, filesUnder, ROOT } from "../../../tools/suite/paths.ts";
import { mintChain, type MintedChain } from "../../../src/testing/mod.ts";

/** What programs are run with. */
export type Runtime = "deno" | "node" | "bun";

/** Arguments that make a runtime run a file of its folder. */
export const ARGS: Readonly<Record<Runtime, readonly string[]>> = {
  deno: ["run", "-A", "--no-lock", "--no-check"],
  node: [],
  bun: ["run"],
};

/** What one front of the relay saw. */
export interface Counts {
  /** TCP connections. */
  readonly connections: number;
  /** TLS handshakes that were completed. */
  readonly handshakes: number;
  /** Bytes received after the handshake. */
  readonly bytes: number;
}

/** The two fronts of a service. */
export type Front = "good" | "impostor";

/** Longest that one program may run, in milliseconds: a guard against hangs. */
const MAX_PROGRAM_MS = 60_000;

const SERVERS = new URL("tests/docs/examples/servers/", ROOT);

/** A service behind two TLS servers; see `servers/relay.mjs`. */
export class Relay implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(
    child: Deno.ChildProcess,
    lines: AsyncIterator<string>,
    readonly ports: Readonly<Record<Front, number>>,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.#input = child.stdin.getWriter();
  }

  /** Starts one; `folder` holds keys, certificates and packages. */
  static async start(
    node: string,
    folder: string,
    service: string,
  ): Promise<Relay> {
    const child = new Deno.Command(node, {
      args: ["relay.mjs", service],
      cwd: folder,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = linesOf(child.stdout);
    const first = await lines.next();
    if (first.done) throw new Error(`The relay of ${service} did not start`);
    return new Relay(child, lines, JSON.parse(first.value));
  }

  /** What each front has seen so far. */
  async counts(): Promise<Readonly<Record<Front, Counts>>> {
    await this.#input.write(new TextEncoder().encode("counts\n"));
    return JSON.parse((await this.#lines.next()).value);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#lines.return?.();
    await this.#child.status;
  }
}

async function* linesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** `dependencies` of every package.json of the examples and the servers. */
async function dependencies(): Promise<Record<string, string>> {
  const wanted: Record<string, string> = {};
  const files = [
    ...await filesUnder("examples/"),
    "tests/docs/examples/package.json",
  ]
    .filter((path) => path.endsWith("/package.json"));
  for (const path of files) {
    const { dependencies } = JSON.parse(
      await Deno.readTextFile(new URL(path, ROOT)),
    );
    for (const [name, range] of Object.entries<string>(dependencies ?? {})) {
      if ((wanted[name] ?? range) !== range) {
        throw new Error(`${path} wants another ${name} than the others`);
      }
      wanted[name] = range;
    }
  }
  return wanted;
}

/** The folder. */
export class Workshop implements AsyncDisposable {
  readonly #programs = new Map<Runtime, Promise<string>>();

  private constructor(
    readonly folder: string,
    /** What the policy allows. */
    readonly good: MintedChain,
  ) {}

  /** Makes one; takes as long as building and installing the package does. */
  static async open(): Promise<Workshop> {
    const folder = await Deno.makeTempDir({ prefix: "certpin-workshop-" });
    const [good, impostor] = [await mintChain(), await mintChain()];
    const workshop = new Workshop(folder, good);
    for (const [name, chain] of Object.entries({ good, impostor })) {
      await workshop.write(`node/${name}.pem`, chain.pem);
      await workshop.write(`node/${name}.key`, chain.keyPem);
    }
    for (const place of ["node", "deno"]) {
      await workshop.write(`${place}/pins.json`, JSON.stringify(good.policy));
      await workshop.write(`${place}/ca.pem`, good.ca + impostor.ca);
    }
    // What this machine trusts besides, Deno needs to download its tools.
    const extra = Deno.env.get("NODE_EXTRA_CA_CERTS");
    const trusted = extra ? await Deno.readTextFile(extra) : "";
    await workshop.write("store.pem", good.ca + impostor.ca + trusted);
    await workshop.#makeDenoFolder();
    await workshop.#makeNodeFolder();
    return workshop;
  }

  /** Deno finds the checkout by certpin's name, as the README tells newcomers. */
  async #makeDenoFolder(): Promise<void> {
    const { name, version, links = [] } = JSON.parse(
      await Deno.readTextFile(new URL("deno.json", ROOT)),
    );
    const imports = {
      [name]: `jsr:${name}@${version}`,
      "#pins": "./pins.json",
    };
    await this.write(
      "deno/deno.json",
      JSON.stringify({ imports, links: [".", ...links].map(filePath) }),
    );
  }

  /** Node and Bun find it in `node_modules`, as after `npm install`. */
  async #makeNodeFolder(): Promise<void> {
    const wanted = await dependencies();
    const { library, command } = await buildNpm();
    wanted["@certpin/certpin"] = `file:${library}`;
    wanted["@certpin/cli"] = `file:${command}`;
    await this.write(
      "node/package.json",
      JSON.stringify({
        private: true,
        type: "module",
        imports: { "#pins": "./pins.json" },
        dependencies: wanted,
      }),
    );
    const folder = `${this.folder}/node`;
    const { success, output } = await npm(["install"], folder);
    if (!success) throw new Error(`npm install failed:\n${output}`);
    for (
      const name of ["relay.mjs", "services.mjs", "doubles.mjs", "echo_pb.js"]
    ) {
      await Deno.copyFile(new URL(name, SERVERS), `${folder}/${name}`);
    }
  }

  /** Writes a file; its folder is made. */
  async write(path: string, text: string): Promise<void> {
    const file = `${this.folder}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, text);
  }

  async #find(runtime: Runtime): Promise<string> {
    if (runtime === "deno") return Deno.execPath();
    const version = { node: "node@24", bun: "bun@1.4" }[runtime];
    const path = await programPath(version, runtime, [
      "-p",
      "process.execPath",
    ]);
    if (path === undefined) throw new Error(`npx does not bring ${version}`);
    return path;
  }

  /** The path of a runtime's program. */
  program(runtime: Runtime): Promise<string> {
    const known = this.#programs.get(runtime) ?? this.#find(runtime);
    this.#programs.set(runtime, known);
    return known;
  }

  /** Starts a service. */
  async relay(service: string): Promise<Relay> {
    return await Relay.start(
      await this.program("node"),
      `${this.folder}/node`,
      service,
    );
  }

  /**
   * Runs a program of the folder; both servers' roots are in its store.
   *
   * @param place Of the file, in the folder; the program starts in it.
   */
  async run(
    runtime: Runtime,
    place: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ran> {
    return await this.#run(await this.program(runtime), place, args, env);
  }

  /** The same for any program; one of the folder begins with `./`. */
  async runFile(
    place: string,
    program: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ran> {
    const path = program.startsWith("./")
      ? `${this.folder}/${place}/${program}`
      : program;
    return await this.#run(path, place, args, env);
  }

  async #run(
    program: string,
    place: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Ran> {
    return await run(program, args, {
      cwd: `${this.folder}/${place}`,
      env: { NODE_EXTRA_CA_CERTS: `${this.folder}/store.pem`, ...env },
      maxMilliseconds: MAX_PROGRAM_MS,
    });
  }

  /** Removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
