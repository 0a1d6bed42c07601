/**
 * Which verdict a connection or a response rests on.
 *
 * @module
 */
import type { Verdict } from "../pinner/pinner.ts";

/** Where an object holds its verdict itself. */
export const VERDICT: unique symbol = Symbol("certpin.verdict");

const verdicts = new WeakMap<object, Verdict>();

/** Remembers the verdict that a connection or response rests on. */
export function rememberVerdict(subject: object, verdict: Verdict): void {
  verdicts.set(subject, verdict);
}

/**
 * The verdict that a connection or a response rests on.
 *
 * @param connectionOrResponse What an adapter returned.
 * @returns `undefined` for anything that no adapter returned.
 */
export function verdictOf(connectionOrResponse: object): Verdict | undefined {
  return verdicts.get(connectionOrResponse) ??
    (connectionOrResponse as { readonly [VERDICT]?: Verdict })[VERDICT];
}
