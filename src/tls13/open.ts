/**
 * Opens a connection: handshake, verdict, streams.
 *
 * @module
 */
import { ByteSource } from "./byte_source.ts";
import { Connection } from "./connection.ts";
import { alertFor } from "./failure.ts";
import { Handshake } from "./handshake.ts";
import type { Profile } from "./profile.ts";
import { RecordReader, RecordWriter } from "./records.ts";
import { endTransport } from "./transport.ts";
import type { ByteStream, TlsOptions, TlsStream } from "./types.ts";

/** Opens TLS over a connected stream, offering what the profile says. */
export async function open(
  stream: ByteStream,
  options: TlsOptions,
  profile: Profile,
): Promise<TlsStream> {
  const { signal } = options;
  const source = new ByteSource(stream.readable);
  const writer = new RecordWriter(stream.writable);
  let hasStarted = false;
  try {
    signal?.throwIfAborted();
    const records = new RecordReader(source);
    const handshake = new Handshake(records, writer, profile, options);
    hasStarted = true;
    const session = await unlessAborted(
      Promise.race([handshake.run(), writer.failed]),
      signal,
    );
    return new Connection(
      { source, records, writer },
      session,
      profile.recordsPerKey,
    );
  } catch (error) {
    const alert = hasStarted && !signal?.aborted ? alertFor(error) : undefined;
    const isOrderly = alert !== undefined;
    await endTransport(source, writer, { alert, isOrderly, reason: error });
    throw error;
  }
}

/** The result, or the reason of an abort that comes first. */
async function unlessAborted<T>(
  result: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (!signal) return await result;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([result, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
    // After an abort, its failure concerns nobody.
    result.catch(() => {});
  }
}
