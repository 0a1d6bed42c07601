/**
 * The demo: pinned requests over real TLS connections, and the refusals.
 *
 * @module
 */
import {
  createPinner,
  type Finding,
  fingerprint,
  parseCertificates,
  parsePolicy,
  PinMismatchError,
  PolicyError,
  type Verdict,
} from "../../mod.ts";
import {
  createFetch as createPinnedFetch,
  verdictOf,
} from "../../src/adapters/deno.ts";
import { mintChain, renewLeaf } from "../../src/testing/mod.ts";
import { escapeText } from "../../src/text.ts";
import { pathTree, type Screen, type TreeRow } from "./screen.ts";
import { type CountingServer, serve } from "./server.ts";

const HELLO = "hello, pinned world";

/** What the demo runs on; a test hands in a `createFetch` that pins nothing. */
export interface DemoOptions {
  /** Where to print. */
  readonly screen: Screen;
  /** An empty folder for `pins.json`. */
  readonly folder: string;
  /** Default: the one of the Deno adapter. */
  readonly createFetch?: typeof createPinnedFetch;
}

/** The roles on a path whose last certificate is its anchor. */
async function treeRows(verdict: Verdict): Promise<TreeRow[]> {
  const certificates = verdict.path?.certificates ?? [];
  return await Promise.all(certificates.map(async (certificate, at) => ({
    role: at === 0
      ? "leaf"
      : at === certificates.length - 1
      ? "root"
      : "intermediate",
    subject: certificate.subject,
    pin: `${await fingerprint(certificate)}`,
    matched: verdict.matched.some((match) => match.certificate === certificate),
  })));
}

/** The text of a response, and how its connection was evaluated. */
async function ask(
  fetch: (url: string) => Promise<Response>,
  server: CountingServer,
): Promise<{ text: string; verdict?: Verdict }> {
  const response = await fetch(server.url);
  return { text: await response.text(), verdict: verdictOf(response) };
}

/** What was thrown, the errors that it wraps included, outermost first. */
function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let at = error; at instanceof Error; at = at.cause) chain.push(at);
  return chain;
}

/** Runs the demo; what did not happen stands in the screen's `failures`. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { screen, folder, createFetch = createPinnedFetch } = options;
  const { paint } = screen;
  const good = await mintChain({
    hostnames: ["localhost"],
    name: "Example",
  });
  const impostorChain = await mintChain({
    hostnames: ["localhost"],
    name: "Other trusted",
  });
  // Both authorities stand in the client's store: TLS alone cannot tell.
  const ca = good.ca + impostorChain.ca;

  const file = `${folder}/pins.json`;
  await Deno.writeTextFile(file, JSON.stringify(good.policy, null, 2) + "\n");
  const policy = JSON.parse(await Deno.readTextFile(file));

  screen.title("A pinned request to a server that the policy knows");
  const written = await Deno.readTextFile(file);
  screen.block("policy", [file, ...jsonLines(written)]);
  await using server = serve(good, HELLO);
  await using fetch = createFetch(policy, { ca, onWarning: () => {} });
  const first = await ask(fetch, server);
  screen.block("GET", [server.url]);
  await showPath(first.verdict);
  screen.expect(
    first.text === HELLO && first.verdict?.reason === "pinned",
    `the answer is "${first.text}", and the verified path is ${first.verdict?.reason}`,
  );
  screen.expect(
    server.requestBytes() > 0,
    `the server reports ${server.requestBytes()} request bytes`,
  );

  await showImpostor();
  await showRenewal();
  await showRootOnly();
  showTypo();

  function jsonLines(text: string): string[] {
    return text.trimEnd().split("\n").map(paint.dim);
  }

  async function showPath(verdict: Verdict | undefined): Promise<void> {
    const rows = verdict === undefined ? [] : await treeRows(verdict);
    screen.block("path", pathTree(rows, paint));
  }

  async function showImpostor(): Promise<void> {
    screen.title("An impostor whose certificate this client's store trusts");
    await using impostor = serve(impostorChain, "give me your password");
    let thrown: unknown;
    try {
      await ask(fetch, impostor);
    } catch (error) {
      thrown = error;
    }
    const refusal = causes(thrown).find((e) => e instanceof PinMismatchError);
    screen.block("GET", [impostor.url]);
    screen.block("error", (refusal?.message ?? "none").split("\n"));
    screen.expect(
      refusal?.code === "ERR_CERTPIN_MISMATCH",
      `the pinned fetch refuses it with ${refusal?.code ?? "no error"}`,
    );
    screen.expect(
      impostor.requestBytes() === 0,
      `the impostor's server reports ${impostor.requestBytes()} request bytes`,
    );
    using client = Deno.createHttpClient({
      caCerts: [good.ca, impostorChain.ca],
    });
    const plain = await ask(
      (url) => globalThis.fetch(url, { client }),
      impostor,
    );
    screen.expect(
      plain.text !== "" && impostor.requestBytes() > 0,
      `without pins, the same store lets ${impostor.requestBytes()} request bytes through to it`,
    );
  }

  async function showRenewal(): Promise<void> {
    screen.title("The leaf is renewed with a new key");
    const renewed = await renewLeaf(good);
    await using next = serve(renewed, HELLO);
    const { text, verdict } = await ask(fetch, next);
    await showPath(verdict);
    const roles = (verdict?.matched ?? []).map(({ role }) => role);
    screen.expect(
      renewed.pins.leaf !== good.pins.leaf && text === HELLO &&
        verdict?.reason === "pinned" && String(roles) === "intermediate",
      "the leaf's pin is void, the intermediate's pin holds",
    );
  }

  async function showRootOnly(): Promise<void> {
    screen.title("A policy that pins only the root");
    const warnings: Finding[] = [];
    const pinner = createPinner(
      {
        version: 1,
        hosts: {
          localhost: { pins: [good.pins.root, good.pins.backup] },
        },
      },
      {
        anchors: parseCertificates(good.ca),
        onWarning: (finding) => warnings.push(finding),
      },
    );
    await using rootFetch = createFetch(pinner);
    const { text, verdict } = await ask(rootFetch, server);
    await showPath(verdict);
    screen.block(
      "warning",
      warnings.map(({ code, message }) =>
        `${paint.yellow(code)}  ${escapeText(message)}`
      ),
    );
    screen.expect(text === HELLO, "the request goes through");
    screen.expect(
      warnings.some(({ code }) => code === "root-only"),
      "it warns: whoever gets a certificate from that root matches the pin",
    );
  }

  function showTypo(): void {
    screen.title("A policy with a typo");
    const text = JSON.stringify(
      {
        version: 1,
        hosts: {
          localhost: {
            includeSubdomain: true,
            pins: [good.pins.leaf.slice(0, -2), good.pins.backup],
          },
        },
      },
      null,
      2,
    );
    let refusal: PolicyError | undefined;
    try {
      parsePolicy(text);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      refusal = error;
    }
    const problems = refusal?.problems ?? [];
    screen.block("policy", jsonLines(text));
    screen.block(
      "error",
      problems.flatMap(({ pointer, message }) => [
        paint.red(pointer),
        `  ${escapeText(message)}`,
      ]),
    );
    const places = problems.map(({ pointer }) => pointer);
    screen.expect(
      places.includes("/hosts/localhost/includeSubdomain") &&
        places.includes("/hosts/localhost/pins/0"),
      "it is refused before any connection, each mistake with its place and reason",
    );
  }
}
