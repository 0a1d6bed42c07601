/**
 * Runs the core's bodies where there are no sockets: workerd and a browser.
 *
 * @module
 */
import { bundle } from "./bundle.ts";
import { type Ran, run } from "./command.ts";
import { programPath } from "./npx.ts";
import {
  type BodyOptions,
  bundleLauncher,
  packagesFolder,
} from "./runtimes.ts";

/** The workerd that is tested. */
export const WORKERD = "workerd@1.20261117.1";

/** Arguments of node that print the path of the program beside it. */
export const WORKERD_PATH = [
  "-p",
  `require("node:path").join(process.env.PATH.split(require("node:path").delimiter)[0], "workerd")`,
];

/** Longest that the page may take, in milliseconds: a guard against hangs. */
const PAGE_MS = 5 * 60 * 1000;

/** The programs that a Chromium may be called. */
const CHROMIUMS = ["chromium", "chromium-browser", "google-chrome"];

// Without the last ones it looks up its maker's hosts at every start.
const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What the page loads. */
const SCRIPTS = [
  "/browser.js",
  "/vectors.js",
  "/node_adapter.js",
  "/deno_adapter.js",
];

// The core runs without any help; the adapters get all there is, and refuse.
const WORKERD_CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [
  (name = "core", worker = (
    modules = [
      (name = "worker", esModule = embed "workerd.js"),
      (name = "vectors.js", esModule = embed "vectors.js"),
    ],
    compatibilityDate = "2026-11-01",
  )),
  (name = "adapters", worker = (
    modules = [
      (name = "worker", esModule = embed "workerd_adapters.js"),
      (name = "vectors.js", esModule = embed "vectors.js"),
      (name = "node_adapter.js", esModule = embed "node_adapter.js"),
      (name = "deno_adapter.js", esModule = embed "deno_adapter.js"),
    ],
    compatibilityDate = "2026-11-01",
    compatibilityFlags = ["nodejs_compat"],
  )),
]);
`;

const ADAPTERS = ["src/adapters/node.ts", "src/adapters/deno.ts"];

/** Bundles the adapters as modules of their own. */
async function bundleAdapters(
  folder: string,
  platform: "workerd" | "browser",
): Promise<void> {
  for (const path of ADAPTERS) {
    const name = path.slice("src/adapters/".length, -".ts".length);
    await Deno.writeTextFile(
      `${folder}/${name}_adapter.js`,
      await bundle(path, { platform, packagesFolder: folder }),
    );
  }
}

/** Runs the bodies in workerd; `undefined` where npm does not bring it. */
export async function runInWorkerd(
  { all, verbose }: BodyOptions,
): Promise<Ran | undefined> {
  const path = await programPath(WORKERD, "node", WORKERD_PATH);
  if (path === undefined) return undefined;
  const folder = await packagesFolder([
    "tests/conformance/launchers/workerd.ts",
    ...ADAPTERS,
  ]);
  try {
    await bundleLauncher(folder, "workerd", "workerd", all);
    await bundleLauncher(folder, "workerd_adapters", "workerd", all);
    await bundleAdapters(folder, "workerd");
    await Deno.writeTextFile(`${folder}/config.capnp`, WORKERD_CONFIG);
    return await run(path, ["test", "config.capnp"], { cwd: folder, verbose });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function findChromium(): Promise<string | undefined> {
  for (const program of CHROMIUMS) {
    if ((await run(program, ["--version"])).success) return program;
  }
  return undefined;
}

/** How often a profile's removal is tried: its processes end one by one. */
const REMOVALS = 50;

async function removeProfile(profile: string): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await Deno.remove(profile, { recursive: true });
    } catch (error) {
      if (tries === REMOVALS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Serves the page, and waits for what it sends home. */
async function runPage(chromium: string, folder: string): Promise<string> {
  const result = Promise.withResolvers<string>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/result") result.resolve(await request.text());
      if (SCRIPTS.includes(pathname)) {
        return new Response(await Deno.readTextFile(folder + pathname), {
          headers: { "content-type": "text/javascript" },
        });
      }
      return new Response(
        `<!doctype html><script type="module" src="/browser.js"></script>`,
        { headers: { "content-type": "text/html" } },
      );
    },
  );
  const profile = await Deno.makeTempDir({ prefix: "certpin-chromium-" });
  const child = new Deno.Command(chromium, {
    args: [
      ...CHROMIUM_FLAGS,
      `--user-data-dir=${profile}`,
      `http://127.0.0.1:${server.addr.port}/`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const guard = setTimeout(
    () => result.resolve(`The page said nothing in ${PAGE_MS} ms`),
    PAGE_MS,
  );
  try {
    return await result.promise;
  } finally {
    clearTimeout(guard);
    child.kill();
    await child.status;
    await server.shutdown();
    await removeProfile(profile);
  }
}

/** Runs the bodies in a page; `undefined` where there is no Chromium. */
export async function runInBrowser(
  { all }: BodyOptions,
): Promise<Ran | undefined> {
  const chromium = await findChromium();
  if (chromium === undefined) return undefined;
  const folder = await packagesFolder([
    "tests/conformance/launchers/browser.ts",
    ...ADAPTERS,
  ]);
  try {
    await bundleLauncher(folder, "browser", "browser", all);
    await bundleAdapters(folder, "browser");
    const output = await runPage(chromium, folder);
    return { success: true, stdout: output, output };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
