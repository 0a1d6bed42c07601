/**
 * Reads a signed policy from a URL: bounded, in time and in bytes, and from
 * nowhere else.
 *
 * @module
 */
import { UpdateError } from "../errors.ts";
import { MAX_SIGNED_POLICY_BYTES } from "../limits.ts";
import { malformed } from "./claims.ts";

/** What fetches: the global `fetch`, a pinned one, or any other of its shape. */
export type UpdateFetch = (
  input: string,
  init?: RequestInit,
) => Promise<Response>;

function sizeError(): UpdateError {
  return new UpdateError(
    "ERR_CERTPIN_UPDATE_SIZE",
    `Refusing the signed policy: more than ${MAX_SIGNED_POLICY_BYTES} bytes`,
  );
}

/** What went wrong on the way. */
export function fetchError(why: string, cause?: unknown): UpdateError {
  return new UpdateError(
    "ERR_CERTPIN_UPDATE_FETCH",
    `Cannot fetch the signed policy: ${why}`,
    { cause },
  );
}

/** Rejects with the signal's reason; whoever ignores the signal is not waited for. */
export async function orAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => {});
  }
}

function requireAnswer(response: Response): void {
  const { status, redirected, type } = response;
  if (
    redirected || type === "opaqueredirect" || (status >= 300 && status < 400)
  ) throw fetchError("redirects are not followed");
  if (status !== 200) throw fetchError(`the status is ${status}`);
  // Of an encoded body the length says nothing; the bytes are counted below.
  const length = Number(response.headers.get("content-length"));
  if (length > MAX_SIGNED_POLICY_BYTES) throw sizeError();
}

async function readBody(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await orAborted(reader.read(), signal);
      if (done) break;
      length += value.byteLength;
      if (length > MAX_SIGNED_POLICY_BYTES) throw sizeError();
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/**
 * Fetches a signed policy.
 *
 * @throws {UpdateError} `ERR_CERTPIN_UPDATE_FETCH`, `ERR_CERTPIN_UPDATE_SIZE`,
 * `ERR_CERTPIN_UPDATE_MALFORMED`
 */
export async function download(
  url: string,
  fetch: UpdateFetch,
  signal: AbortSignal,
): Promise<string> {
  let bytes: Uint8Array = new Uint8Array();
  try {
    const response = await orAborted(
      fetch(url, {
        // Not "error", which some runtimes do not know.
        redirect: "manual",
        headers: { accept: "application/jose, */*;q=0.5" },
        signal,
      }),
      signal,
    );
    try {
      requireAnswer(response);
    } catch (error) {
      response.body?.cancel().catch(() => {});
      throw error;
    }
    if (response.body) bytes = await readBody(response.body, signal);
  } catch (error) {
    if (error instanceof UpdateError) throw error;
    throw fetchError(error instanceof Error ? error.message : "failed", error);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw malformed("it is not text", cause);
  }
}
