/**
 * The end of a transport: the last alert, and no longer.
 *
 * @module
 */
import { MAX_TLS_ALERT_MILLISECONDS } from "../limits.ts";
import type { ByteSource } from "./byte_source.ts";
import { type AlertName, ALERTS } from "./failure.ts";
import type { RecordWriter } from "./records.ts";

const WARNING = 1;
const FATAL = 2;

/** Sends an alert after what was written. */
export async function sendAlert(
  writer: RecordWriter,
  alert: AlertName,
): Promise<void> {
  const level = alert === "close_notify" ? WARNING : FATAL;
  await writer.inTurn(async () =>
    await writer.write(
      await writer.seal("alert", Uint8Array.of(level, ALERTS[alert])),
    )
  );
}

/** How a transport ends. */
export interface Ending {
  /** What the peer is told last. */
  readonly alert?: AlertName | undefined;
  /** Whether what was written is still to arrive, with an alert or without. */
  readonly isOrderly: boolean;
  /** Why, for a transport that is broken off. */
  readonly reason: unknown;
}

/**
 * Ends both halves of a transport; never rejects. It waits until the last bytes
 * are written, but not for a peer that does not read.
 */
export async function endTransport(
  source: ByteSource,
  writer: RecordWriter,
  { alert, isOrderly, reason }: Ending,
): Promise<void> {
  const isClosed = isOrderly && await inTime(async () => {
    if (alert) await sendAlert(writer, alert);
    await writer.flush();
    await writer.close();
  });
  // Neither is waited for: a transport may never answer.
  if (!isClosed) writer.abort(reason).catch(() => {});
  source.cancel(reason).catch(() => {});
}

/** Whether `act` succeeds within the time for a last alert. */
async function inTime(act: () => Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), MAX_TLS_ALERT_MILLISECONDS);
  });
  try {
    return await Promise.race([act().then(() => true, () => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
