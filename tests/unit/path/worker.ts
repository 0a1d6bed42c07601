/**
 * Parses and verifies in a worker, so that a guard against hangs can end work
 * that never lets go of its thread.
 */
/// <reference lib="deno.worker" />
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { resultOf } from "./support.ts";

/** What the worker is asked. */
export interface Job {
  readonly chain: readonly Uint8Array[];
  /** Left out: the chain is parsed and no more. */
  readonly anchors?: readonly Uint8Array[];
  readonly hostname: string;
}

self.onmessage = async ({ data }: MessageEvent<Job>) => {
  const { chain, anchors, hostname } = data;
  const presented = parseCertificates(chain);
  const result = anchors === undefined
    ? { path: [`${presented.length}`] }
    : await resultOf(presented, {
      hostname,
      anchors: parseCertificates(anchors),
    });
  self.postMessage(result);
};
