/**
 * The first panel: from certificates to the path, its pins and a policy.
 *
 * @module
 */
import { findPath, inspectChain } from "../cli/commands/inspection.ts";
import { propose } from "../cli/commands/proposal.ts";
import { writePem } from "../src/x509/pem.ts";
import { CertpinError } from "../src/errors.ts";
import { anchorStore } from "../src/path/anchors.ts";
import type { FoundPath } from "../src/path/search.ts";
import { lintPolicy } from "../src/policy/lint.ts";
import { parsePolicy } from "../src/policy/policy.ts";
import {
  type Certificate,
  parseCertificates,
} from "../src/x509/certificate.ts";
import { byId, foreign, notice } from "./dom.ts";
import { errorNotice, findingsCard } from "./findings.ts";
import { formatsCard } from "./formats.ts";
import { pathCard } from "./path_drawing.ts";

/** Largest file that the page reads, in bytes. */
const MAX_FILE_BYTES = 1024 * 1024;
/** How long proposed pins hold, in milliseconds. */
const EXPIRY_MS = 365 * 86_400_000;

interface ChainInput {
  readonly presented: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  /** Whether an anchor was taken from the chain itself. */
  readonly isAssumed: boolean;
  readonly hostname?: string;
  readonly at: Date;
}

/** Files that were dropped or chosen, as PEM for the text field. */
async function filesAsPem(files: readonly File[]): Promise<string> {
  const texts: string[] = [];
  for (const file of files) {
    if (file.size > MAX_FILE_BYTES) {
      throw new RangeError(
        `${file.name} has ${file.size} bytes: at most ${MAX_FILE_BYTES} are read`,
      );
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const certificates = parseCertificates(
      bytes[0] === 0x30 ? bytes : new TextDecoder().decode(bytes),
    );
    texts.push(...certificates.map(({ der }) => writePem("CERTIFICATE", der)));
  }
  return texts.join("");
}

/** The certificates at the top: those that nothing else in the chain issued. */
function topOf(chain: readonly Certificate[]): Certificate[] {
  const selfIssued = chain.filter((one) => one.selfIssued);
  if (selfIssued.length > 0) return selfIssued;
  const subjects = new Set(chain.map(({ subject }) => subject));
  return chain.filter(({ issuer }) => !subjects.has(issuer));
}

/** The name that the leaf is for, where none was typed. */
function nameOf(leaf: Certificate): string | undefined {
  const [name] = leaf.dnsNames;
  return name?.replace(/^\*\./, "www.") ?? leaf.ipAddresses[0];
}

function readForm(): ChainInput {
  const value = (id: string) => byId(id, HTMLTextAreaElement).value.trim();
  const presented = parseCertificates(value("chain"));
  const roots = value("roots");
  const isAssumed = roots === "";
  const at = byId("at", HTMLInputElement).valueAsDate ?? new Date();
  const hostname = byId("hostname", HTMLInputElement).value.trim() ||
    nameOf(presented[0]);
  return {
    presented,
    anchors: isAssumed ? topOf(presented) : parseCertificates(roots),
    isAssumed,
    ...(hostname === undefined ? {} : { hostname }),
    at,
  };
}

function anchorsNotice({ anchors, isAssumed }: ChainInput): HTMLElement[] {
  if (!isAssumed) return [];
  const names = anchors.map(({ subject }) => foreign(subject)).join("; ");
  return [
    notice(
      "note",
      "No trusted roots were given",
      `The top of the chain is taken as trusted: ${names || "(empty)"}.`,
      "This page cannot tell whether your clients trust it, nor which other paths they may build.",
    ),
  ];
}

async function policyFor(
  path: FoundPath,
  input: ChainInput,
): Promise<HTMLElement[]> {
  const { hostname, at, anchors, isAssumed } = input;
  if (hostname === undefined) return [];
  const expiry = new Date(at.getTime() + EXPIRY_MS).toISOString().slice(0, 10);
  const { host } = await propose(path, {
    backups: [],
    expiresAt: `${expiry}T00:00:00Z`,
    at,
  });
  const document = { version: 1 as const, hosts: { [hostname]: host } };
  const policy = parsePolicy(document);
  const findings = await lintPolicy(policy, {
    paths: [path],
    at,
    ...(isAssumed ? {} : { anchors }),
  });
  const { commandFindings } = await import("../cli/commands/lint_checks.ts");
  return [
    formatsCard("A policy for it", JSON.stringify(document, null, 2) + "\n"),
    findingsCard("What to know about this policy", [
      ...commandFindings(policy),
      ...findings,
    ]),
  ];
}

async function look(): Promise<HTMLElement[]> {
  let input: ChainInput;
  try {
    input = readForm();
  } catch (error) {
    return [errorNotice("Cannot read the certificates", error)];
  }
  const { presented, hostname, at } = input;
  const anchors = anchorStore(input.anchors);
  try {
    const inspection = await inspectChain({
      title: hostname ?? "chain",
      presented,
      anchors,
      at,
      ...(hostname === undefined ? {} : { hostname }),
    });
    const path = await findPath(presented, anchors, at, hostname);
    if (path instanceof CertpinError) {
      return [
        errorNotice("No valid path", path),
        ...anchorsNotice(input),
        pathCard(inspection),
      ];
    }
    const name = hostname === undefined ? "" : ` for ${foreign(hostname)}`;
    return [
      notice("good", `A valid path${name}`),
      ...anchorsNotice(input),
      pathCard(inspection),
      ...await policyFor(path, input),
    ];
  } catch (error) {
    return [errorNotice("Cannot evaluate the chain", error)];
  }
}

/** A chain that is minted in the page, to try it with. */
async function exampleChain(): Promise<{ chain: string; roots: string }> {
  const { mintChain } = await import("../src/testing/mod.ts");
  const { pem, ca } = await mintChain({
    hostnames: ["api.example.com"],
    name: "Example",
  });
  return { chain: pem, roots: ca };
}

/** Brings the panel to life. */
export function startChainPanel(): void {
  const form = byId("chain-form", HTMLFormElement);
  const chain = byId("chain", HTMLTextAreaElement);
  const result = byId("chain-result", HTMLDivElement);
  const drop = byId("drop", HTMLDivElement);
  const files = byId("chain-files", HTMLInputElement);
  let latest = 0;
  const show = async (elements: Promise<HTMLElement[]>) => {
    const turn = ++latest;
    const shown = await elements;
    // A later look has already begun: its result is the one to show.
    if (turn === latest) result.replaceChildren(...shown);
  };
  const take = async (chosen: readonly File[]) => {
    if (chosen.length === 0) return;
    try {
      chain.value = await filesAsPem(chosen);
    } catch (error) {
      return await show(
        Promise.resolve([errorNotice("Cannot read the files", error)]),
      );
    }
    await show(look());
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void show(look());
  });
  form.addEventListener("reset", () => void show(Promise.resolve([])));
  files.addEventListener("change", async () => {
    await take([...files.files ?? []]);
    files.value = "";
  });
  // Without this the browser would open a file that misses the field.
  for (const name of ["dragover", "drop"]) {
    addEventListener(name, (event) => event.preventDefault());
  }
  drop.addEventListener("dragover", () => drop.classList.add("over"));
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    void take([...event.dataTransfer?.files ?? []]);
  });
  byId("example", HTMLButtonElement).addEventListener("click", async () => {
    const example = await exampleChain();
    chain.value = example.chain;
    byId("roots", HTMLTextAreaElement).value = example.roots;
    byId("hostname", HTMLInputElement).value = "";
    byId("at", HTMLInputElement).value = "";
    await show(look());
  });
}
