/**
 * What was measured: who accepts chains that break a rule.
 *
 * @module
 */
import measured from "./measured.json" with { type: "json" };

/** What was asked. */
export const CLIENTS = ["deno", "node", "go", "openssl"] as const;

/** One of them. */
export type Client = typeof CLIENTS[number];

/** What `measured.json` holds. */
export interface Measured {
  /** The versions that were asked. */
  readonly versions: Readonly<Record<Client, string>>;
  /** By rule: of the chains that break it, which are accepted. */
  readonly rules: Readonly<
    Record<string, Readonly<Record<string, "all" | "some" | "none">>>
  >;
}

/** What was measured. */
export const MEASURED: Measured = measured as Measured;
