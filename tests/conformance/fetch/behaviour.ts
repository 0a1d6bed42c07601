/**
 * What a behaviour of `fetch` is, and how it is looked at.
 */
import type { RuntimeName } from "../harness.ts";
import type { RawServer } from "./raw_server.ts";

/** The part of `fetch` that every runtime has. */
export type FetchLike = (
  input: string | URL | Request,
  init?: RequestInit,
) => Promise<Response>;

/** What a behaviour is looked at with. */
export interface Scene {
  /** `createFetch`'s, or the runtime's own. */
  readonly fetch: FetchLike;
  /** The server's origin, `https://localhost:…`. */
  readonly url: string;
  readonly server: RawServer;
  /** Another server, and so another origin. */
  readonly other: RawServer;
  /** The other server's origin. */
  readonly otherUrl: string;
  readonly runtime: RuntimeName;
}

/** One thing that a `fetch` does. */
export interface Behaviour {
  /** A sentence without its subject: "follows a 302". */
  readonly name: string;
  /** What `createFetch` gives, on every runtime unless a function says otherwise. */
  readonly expected: unknown;
  /** Where it can be looked at. Default: everywhere. */
  readonly runtimes?: readonly RuntimeName[];
  /** Sets the server up, fetches, and says what came, as plain data. */
  observe(scene: Scene): Promise<unknown>;
}

/** A part of the table. */
export interface BehaviourGroup {
  readonly title: string;
  readonly behaviours: readonly Behaviour[];
}

/** An error as plain data: what the caller can branch on. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { threw: String(error) };
  return { threw: error.name };
}

/** What an attempt gives, or how it fails. */
export async function outcome(
  attempt: () => Promise<unknown>,
): Promise<unknown> {
  try {
    return await attempt();
  } catch (error) {
    return describeError(error);
  }
}

/** A behaviour that is seen in the text of a response. */
export function textOf(
  fetch: FetchLike,
  url: string,
  init?: RequestInit,
): Promise<unknown> {
  return outcome(async () => await (await fetch(url, init)).text());
}

/** Waits one turn of the event loop and a little more. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
