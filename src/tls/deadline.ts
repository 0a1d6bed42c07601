/**
 * A signal that ends with another one, or after a while.
 *
 * @module
 */

/** Milliseconds for a connection to be opened and evaluated, as undici has it. */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Runs `open` with a signal that aborts with each of `signals`, and with
 * `late()` after `milliseconds` (0: never).
 */
export async function withDeadline<T>(
  milliseconds: number,
  late: () => Error,
  signals: readonly (AbortSignal | undefined)[],
  open: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  const timer = milliseconds > 0
    ? setTimeout(() => timeout.abort(late()), milliseconds)
    : undefined;
  try {
    return await open(
      AbortSignal.any([
        timeout.signal,
        ...signals.filter((signal) => signal !== undefined),
      ]),
    );
  } finally {
    clearTimeout(timer);
  }
}
