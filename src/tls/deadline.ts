/**
 * Deadlines for opening connections.
 *
 * @module
 */

/** Milliseconds to open a connection and evaluate it, as undici has it. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** The error of a connection that is not open in time. */
export function timedOut(host: string, milliseconds: number): Error {
  return Object.assign(
    new Error(`Cannot connect to ${host}: timed out after ${milliseconds} ms`),
    { code: "ETIMEDOUT" },
  );
}

/** What ends an attempt. */
export interface Ending {
  /** Milliseconds until the attempt has failed; 0 is no limit. */
  readonly milliseconds: number;
  /** Makes the error of an attempt that took too long. */
  readonly onLate: () => Error;
  /** Each of them ends the attempt when it aborts. */
  readonly signals: readonly (AbortSignal | undefined)[];
}

/**
 * Runs `open` with one signal for all that can end it.
 *
 * `AbortSignal.any()` would leave something behind on a signal that lives long;
 * here no listener and no timer outlives the attempt.
 */
export async function withDeadline<T>(
  { milliseconds, onLate, signals }: Ending,
  open: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const stops = signals.filter((signal) => signal !== undefined).map(
    (signal) => {
      const stop = () => ending.abort(signal.reason);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop);
      return () => signal.removeEventListener("abort", stop);
    },
  );
  const timer = milliseconds > 0
    ? setTimeout(() => ending.abort(onLate()), milliseconds)
    : undefined;
  try {
    return await open(ending.signal);
  } finally {
    clearTimeout(timer);
    for (const stop of stops) stop();
  }
}
