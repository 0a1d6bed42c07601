/**
 * Streams that end with a signal.
 *
 * undici leaves two gaps: under Deno an abort does not reach a response's
 * body, and everywhere an aborted request goes on reading its own.
 *
 * @module
 */

/** Passes a stream on, piece by piece, until it ends or the signal aborts. */
export function relay(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let onAbort: (() => void) | undefined;
  const settle = () => {
    if (onAbort) signal.removeEventListener("abort", onAbort);
  };
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      onAbort = () => {
        controller.error(signal.reason);
        reader.cancel(signal.reason).catch(() => {});
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (signal.aborted) return;
        if (done) {
          settle();
          controller.close();
        } else controller.enqueue(value as Uint8Array<ArrayBuffer>);
      } catch (error) {
        settle();
        throw error;
      }
    },
    cancel(reason) {
      settle();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
