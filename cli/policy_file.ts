/**
 * Policies from files.
 *
 * @module
 */
import { parsePolicy, type Policy } from "@certpin/certpin";
import { canonicalHost } from "@certpin/certpin/internal";
import { about } from "./failure.ts";
import { readText } from "./files.ts";
import type { Io } from "./io.ts";
import { PORT_KEY } from "./policy_keys.ts";

/** Where to look up what a policy may say. */
export const POLICY_HINT =
  "certpin.schema.json says what a policy may hold: init writes it beside the policy";

/** A policy, and the text that it was read from. */
export interface PolicyFile {
  readonly policy: Policy;
  readonly text: string;
}

/** Whether a number names a port. */
function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 &&
    Number(value) <= 65_535;
}

/**
 * The ports that a policy notes for its hosts, by canonical hostname. Pins
 * hold for all ports: this only says where to look.
 */
export function portsOf({ text }: PolicyFile): ReadonlyMap<string, number> {
  const ports = new Map<string, number>();
  const { hosts } = JSON.parse(text) as { hosts: Record<string, object> };
  for (const [name, host] of Object.entries(hosts)) {
    const port = (host as Record<string, unknown>)[PORT_KEY];
    if (name.startsWith("*.") || !isPort(port)) continue;
    ports.set(canonicalHost(name).text, port);
  }
  return ports;
}

/** Reads and checks a policy, and keeps its text. */
export async function readPolicyFile(
  io: Io,
  source: string,
): Promise<PolicyFile> {
  const text = await readText(io, source);
  const policy = await about(
    source,
    () => parsePolicy(text),
    () => POLICY_HINT,
  );
  return { policy, text };
}
