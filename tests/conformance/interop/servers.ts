/**
 * TLS servers of others, each with a chain of ours.
 */
import type { MintedChain } from "../../../src/testing/mod.ts";
import { run } from "../../../tools/suite/command.ts";
import { programPath } from "../../../tools/suite/npx.ts";

/** What a server answers with. */
export type Protocol =
  /** What it is sent. */
  | "echo"
  /** A file, to a request for it. */
  | "http"
  /** A page of its own, to any request. */
  | "page";

/** A server that runs. */
export interface Running extends AsyncDisposable {
  readonly port: number;
  /** All that it has said so far. */
  log(): string;
}

/** What a server is started with. */
export interface Material {
  readonly folder: string;
  readonly chain: MintedChain;
  /** The authority of client certificates. */
  readonly clients: MintedChain;
}

/** A server of somebody else. */
export interface Peer {
  readonly name: string;
  readonly protocol: Protocol;
  /** Whether it asks for a client certificate, and says so in its log. */
  readonly sees?: RegExp;
  /**
   * Whether it takes part in the test of 64 MiB. `lines`: it returns one line
   * of text after another, prints each, and is given 4 MiB.
   */
  readonly bulk: boolean | "lines";
  /** Whether it ends the connection at a KeyUpdate. */
  readonly refusesKeyUpdate?: boolean;
  /** Why it cannot be started here; `undefined` where it can. */
  missing(): Promise<string | undefined>;
  start(material: Material): Promise<Running>;
}

const PROGRAMS = new URL("./programs/", import.meta.url).pathname;
/** How long a server may take to start, in milliseconds: a guard. */
const START_MS = 60_000;

async function hasProgram(name: string): Promise<boolean> {
  return (await run("which", [name])).success;
}

function needs(...programs: string[]): Peer["missing"] {
  return async () => {
    for (const program of programs) {
      if (!await hasProgram(program)) return `no ${program}`;
    }
    return undefined;
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function drain(
  stream: ReadableStream<Uint8Array>,
  hear: (text: string) => void,
): Promise<void> {
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    hear(piece);
  }
}

/** Starts a program; it is ready when it says its port, or takes connections. */
async function start(
  program: string,
  args: readonly string[],
  cwd: string,
  port?: number,
): Promise<Running> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  const said = Promise.withResolvers<number>();
  said.promise.catch(() => {});
  const hear = (text: string) => {
    log += text;
    const [, told] = /^port .*:(\d+)$/m.exec(log) ?? [];
    if (told !== undefined) said.resolve(Number(told));
  };
  const drained = Promise.all([
    drain(child.stdout, hear),
    drain(child.stderr, hear),
  ]);
  drained.then(() => said.reject(new Error(`${program} ended:\n${log}`)));
  const guard = setTimeout(
    () => said.reject(new Error(`${program} does not start:\n${log}`)),
    START_MS,
  );
  const end = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await child.stdin.close().catch(() => {});
    await Promise.all([child.status, drained]);
  };
  try {
    const told = port === undefined
      ? await said.promise
      : await Promise.race([accepts(port), said.promise]);
    return { port: told, log: () => log, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  } finally {
    clearTimeout(guard);
  }
}

/** Waits until something listens on a port. */
async function accepts(port: number): Promise<number> {
  for (let waited = 0; waited < START_MS; waited += 50) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return port;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Nothing listens on port ${port}`);
}

async function prepare(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<void> {
  const { success, output } = await run(program, args, { cwd });
  if (!success) throw new Error(`${program} failed:\n${output}`);
}

/** A PKCS#12 file of the chain, as Java and NSS read keys. */
async function writePkcs12(folder: string): Promise<void> {
  await prepare("openssl", [
    ...["pkcs12", "-export", "-name", "server", "-passout", "pass:secret"],
    ...["-in", "chain.pem", "-inkey", "key.pem", "-out", "server.p12"],
  ], folder);
}

const openssl: Peer = {
  name: "OpenSSL",
  protocol: "http",
  sees: /CN\s*=\s*client\.test/,
  bulk: true,
  missing: needs("openssl"),
  async start({ folder }) {
    const port = freePort();
    return await start(
      "openssl",
      [
        ...["s_server", "-accept", `127.0.0.1:${port}`, "-tls1_3", "-WWW"],
        ...[
          "-cert",
          "chain.pem",
          "-cert_chain",
          "chain.pem",
          "-key",
          "key.pem",
        ],
        ...["-verify", "2", "-CAfile", "clients.pem"],
      ],
      folder,
      port,
    );
  },
};

const gnutls: Peer = {
  name: "GnuTLS",
  protocol: "echo",
  sees: /CN=client\.test/,
  bulk: "lines",
  missing: needs("gnutls-serv"),
  async start({ folder }) {
    const port = freePort();
    return await start(
      "gnutls-serv",
      [
        ...["--echo", "--port", `${port}`, "--x509cafile", "clients.pem"],
        ...["--x509certfile", "chain.pem", "--x509keyfile", "key.pem"],
        ...["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3"],
      ],
      folder,
      port,
    );
  },
};

const nss: Peer = {
  name: "NSS",
  protocol: "page",
  bulk: false,
  missing: needs("selfserv", "certutil", "pk12util", "openssl"),
  async start({ folder }) {
    const port = freePort();
    await writePkcs12(folder);
    await prepare(
      "certutil",
      ["-N", "-d", "sql:.", "--empty-password"],
      folder,
    );
    await prepare("pk12util", [
      ...["-i", "server.p12", "-d", "sql:.", "-W", "secret", "-K", ""],
    ], folder);
    return await start(
      "selfserv",
      [
        ...[
          "-p",
          `${port}`,
          "-d",
          "sql:.",
          "-n",
          "server",
          "-V",
          "tls1.3:tls1.3",
        ],
        ...["-e", "server", "-I", "x25519,P256,P384"],
      ],
      folder,
      port,
    );
  },
};

const go: Peer = {
  name: "Go",
  protocol: "echo",
  sees: /^client client\.test$/m,
  bulk: true,
  missing: needs("go"),
  async start({ folder }) {
    await prepare("go", ["build", "-o", `${folder}/echo`, "echo.go"], PROGRAMS);
    return await start(
      `${folder}/echo`,
      ["chain.pem", "key.pem", "clients.pem"],
      folder,
    );
  },
};

const jsse: Peer = {
  name: "JSSE",
  protocol: "echo",
  sees: /^client .*CN=client\.test/m,
  bulk: true,
  missing: needs("java", "javac", "openssl"),
  async start({ folder }) {
    await writePkcs12(folder);
    await prepare("javac", ["-d", folder, "Echo.java"], PROGRAMS);
    const args = ["-Xshare:auto", "-cp", ".", "Echo", "server.p12"];
    return await start("java", [...args, "clients.pem"], folder);
  },
};

const boringssl: Peer = {
  name: "BoringSSL",
  protocol: "echo",
  bulk: true,
  missing: async () =>
    await bun() === undefined ? "npx brings no Bun" : undefined,
  async start({ folder }) {
    const program = `${PROGRAMS}echo_bun.js`;
    return await start(
      (await bun())!,
      ["run", program, "chain.pem", "key.pem"],
      folder,
    );
  },
};

function bun(): Promise<string | undefined> {
  return programPath("bun@1.4", "bun", ["-p", "process.execPath"]);
}

/** As Debian's h2o brings it. */
const picotls: Peer = {
  name: "picotls",
  refusesKeyUpdate: true,
  protocol: "http",
  bulk: true,
  missing: needs("h2o"),
  async start({ folder }) {
    const port = freePort();
    // Started by root, it serves as nobody.
    await Deno.chmod(folder, 0o755);
    await Deno.writeTextFile(
      `${folder}/h2o.yaml`,
      `listen:
  host: 127.0.0.1
  port: ${port}
  ssl:
    certificate-file: ${folder}/chain.pem
    key-file: ${folder}/key.pem
    minimum-version: TLSv1.3
num-threads: 1
hosts:
  default:
    paths:
      "/":
        file.dir: ${folder}/files
`,
    );
    return await start("h2o", ["-c", "h2o.yaml"], folder, port);
  },
};

/** Deno's own server. */
const rustls: Peer = {
  name: "rustls",
  protocol: "echo",
  bulk: true,
  missing: () => Promise.resolve(undefined),
  start({ chain }) {
    const listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: chain.pem,
      key: chain.keyPem,
    });
    const serving = (async () => {
      for await (const conn of listener) {
        conn.readable.pipeTo(conn.writable).catch(() => {});
      }
    })().catch(() => {});
    return Promise.resolve({
      port: (listener.addr as Deno.NetAddr).port,
      log: () => "",
      async [Symbol.asyncDispose]() {
        listener.close();
        await serving;
      },
    });
  },
};

/** All of them. */
export const PEERS: readonly Peer[] = [
  openssl,
  gnutls,
  nss,
  go,
  jsse,
  rustls,
  boringssl,
  picotls,
];
