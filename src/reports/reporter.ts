/**
 * Sends reports to a collector: few, late and without being noticed.
 *
 * Nothing here may harm the program that reports: the queue is bounded, the
 * oldest goes first, failures end in a number, and no timer keeps a process
 * alive.
 *
 * @module
 */
import { canonicalHost } from "../host.ts";
import {
  MAX_QUEUED_REPORTS,
  MAX_QUEUED_REPORTS_LENGTH,
  MAX_REPORT_BACKOFF_MS,
  MAX_REPORT_BODY_LENGTH,
  MAX_REPORT_MS,
} from "../limits.ts";
import type { Report } from "../pinner/pinner.ts";
import { checkOptionNames } from "../option_names.ts";
import { isHttpUrl } from "../text.ts";
import { laterUnref } from "../timers.ts";
import { withDeadline } from "../tls/deadline.ts";
import { SeenReports } from "./seen.ts";

/** What sends: the global `fetch`, a pinned one, or any other of its shape. */
export type ReportFetch = (
  input: string,
  init?: RequestInit,
) => Promise<Response>;

/** Options of {@linkcode createReporter}. */
export interface ReporterOptions {
  /** Sends the batches. Default: the global `fetch`. */
  fetch?: ReportFetch;
  /** Most reports in one request. Default 20. */
  batch?: number;
  /** Milliseconds between two requests, and before the first. Default 10,000. */
  interval?: number;
  /** The share of reports that are sent, from 0 to 1. Default 1. */
  sampleRate?: number;
  /** Headers of each request, such as a token of the collector. */
  headers?: HeadersInit;
}

/** What became of the reports. */
export interface ReporterStats {
  /** Waiting to be sent. */
  readonly queued: number;
  /** Taken by the collector. */
  readonly sent: number;
  /** Lost: the queue was full, the collector refused them, or the reporter was closed. */
  readonly dropped: number;
  /** Left out: the same hostname and chain was reported in the last 24 hours. */
  readonly duplicates: number;
  /** Left out by `sampleRate`. */
  readonly unsampled: number;
  /** Left out: about the collector itself. */
  readonly ownEndpoint: number;
  /** Requests that failed. */
  readonly failures: number;
}

/** Sends reports until it is closed. */
export interface Reporter extends AsyncDisposable {
  /** Takes a report, to be sent later. Never throws; give it as `onReport`. */
  readonly report: (report: Report) => void;
  /** Sends what waits, until nothing does or a request fails. Never rejects. */
  flush(): Promise<void>;
  /** Sends what waits, once, and ends the reporter. Never rejects. */
  close(): Promise<void>;
  /** What became of the reports so far. */
  readonly stats: ReporterStats;
}

/** Whether a status says that the same request may succeed later. */
function isTemporary(status: number): boolean {
  return status < 400 || status >= 500 || [408, 425, 429].includes(status);
}

type Counts = { -readonly [Name in keyof ReporterStats]: number };

interface Settings {
  readonly url: URL;
  readonly fetch: ReportFetch | undefined;
  readonly batch: number;
  readonly interval: number;
  readonly sampleRate: number;
  readonly headers: Headers;
}

class QueueingReporter implements Reporter {
  readonly report: (report: Report) => void;
  readonly #settings: Settings;
  readonly #ownHostname: string;
  readonly #seen = new SeenReports();
  readonly #counts: Counts = {
    queued: 0,
    sent: 0,
    dropped: 0,
    duplicates: 0,
    unsampled: 0,
    ownEndpoint: 0,
    failures: 0,
  };
  /** Reports as JSON, the oldest first. */
  #queue: string[] = [];
  #queuedLength = 0;
  #failuresInARow = 0;
  #cancelTimer: (() => void) | undefined;
  #sending: Promise<boolean> | undefined;
  #isClosed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#ownHostname = canonicalHost(settings.url.hostname).text;
    this.report = (report) => {
      try {
        this.#take(report);
      } catch {
        // Whatever it is, it is no report that could be sent.
        this.#counts.dropped++;
      }
    };
  }

  get stats(): ReporterStats {
    return Object.freeze({ ...this.#counts, queued: this.#queue.length });
  }

  async flush(): Promise<void> {
    while (this.#queue.length > 0 || this.#sending !== undefined) {
      if (!await this.#send()) return;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.flush();
    this.#counts.dropped += this.#queue.length;
    this.#queue = [];
    this.#queuedLength = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #take(report: Report): void {
    const counts = this.#counts;
    if (this.#isClosed) {
      counts.dropped++;
      return;
    }
    if (report.hostname === this.#ownHostname) {
      // A collector that is refused cannot be told so.
      counts.ownEndpoint++;
      return;
    }
    const chain = report["served-certificate-chain"];
    if (!this.#seen.isFirst(report.hostname, chain)) {
      counts.duplicates++;
      return;
    }
    if (Math.random() >= this.#settings.sampleRate) {
      counts.unsampled++;
      return;
    }
    this.#enqueue([JSON.stringify(report)]);
    this.#schedule();
  }

  /** Puts reports at an end of the queue, and drops the oldest of too many. */
  #enqueue(texts: readonly string[], isBefore = false): void {
    this.#queue = isBefore
      ? [...texts, ...this.#queue]
      : this.#queue.concat(texts);
    for (const { length } of texts) this.#queuedLength += length;
    while (
      this.#queue.length > MAX_QUEUED_REPORTS ||
      this.#queuedLength > MAX_QUEUED_REPORTS_LENGTH
    ) {
      this.#queuedLength -= this.#queue.shift()!.length;
      this.#counts.dropped++;
    }
  }

  #takeBatch(): string[] {
    const batch: string[] = [];
    let length = 0;
    while (batch.length < this.#settings.batch && this.#queue.length > 0) {
      length += this.#queue[0].length;
      if (batch.length > 0 && length > MAX_REPORT_BODY_LENGTH) break;
      batch.push(this.#queue.shift()!);
    }
    for (const text of batch) this.#queuedLength -= text.length;
    return batch;
  }

  #schedule(): void {
    const isIdle = this.#cancelTimer === undefined &&
      this.#sending === undefined && !this.#isClosed;
    if (!isIdle || this.#queue.length === 0) return;
    const { interval } = this.#settings;
    const backoff = this.#failuresInARow === 0 ? interval : Math.min(
      MAX_REPORT_BACKOFF_MS,
      Math.max(interval, 1000) * 2 ** this.#failuresInARow,
    ) * (0.5 + Math.random() / 2);
    this.#cancelTimer = laterUnref(() => {
      this.#cancelTimer = undefined;
      this.#send();
    }, backoff);
  }

  /** Sends one batch, or waits for the one that is under way; whether it arrived. */
  #send(): Promise<boolean> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    return this.#sending ??= this.#sendBatch().finally(() => {
      this.#sending = undefined;
      this.#schedule();
    });
  }

  async #sendBatch(): Promise<boolean> {
    const batch = this.#takeBatch();
    if (batch.length === 0) return true;
    const counts = this.#counts;
    let status: number;
    try {
      status = await this.#post(`[${batch.join(",")}]`);
    } catch {
      status = 0;
    }
    if (status >= 200 && status < 300) {
      this.#failuresInARow = 0;
      counts.sent += batch.length;
      return true;
    }
    this.#failuresInARow++;
    counts.failures++;
    if (isTemporary(status)) this.#enqueue(batch, true);
    else counts.dropped += batch.length;
    return false;
  }

  /** Posts; resolves with the status. */
  async #post(body: string): Promise<number> {
    const { url, headers, fetch = globalThis.fetch } = this.#settings;
    return await withDeadline({
      milliseconds: MAX_REPORT_MS,
      onLate: () => new Error("The collector did not answer in time"),
      signals: [],
    }, async (signal) => {
      const late = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => late.reject(signal.reason));
      const posting = fetch(url.href, {
        method: "POST",
        headers,
        body,
        // A redirect could send reports to anybody.
        redirect: "manual",
        signal,
      });
      posting.catch(() => {});
      const response = await Promise.race([posting, late.promise]);
      response.body?.cancel().catch(() => {});
      return response.redirected ? 0 : response.status;
    });
  }
}

const NAMES: Readonly<Record<keyof ReporterOptions, true>> = {
  fetch: true,
  batch: true,
  interval: true,
  sampleRate: true,
  headers: true,
};

function requireRange(
  name: string,
  value: unknown,
  least: number,
  most: number,
): void {
  if (typeof value === "number" && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot make a reporter: ${name} must be a number from ${least} to ${most}`,
  );
}

/**
 * Makes a reporter.
 *
 * Reports wait for `interval` milliseconds and leave in batches: `POST` with a
 * JSON list of reports, each in the shape of RFC 7469, section 3. Of each
 * hostname and chain one is sent in 24 hours. A collector that does not answer
 * is asked again ever more seldom; at most 256 reports wait, the oldest are
 * dropped. Nothing is sent about the collector's own hostname.
 *
 * @example
 * ```ts
 * import { createPinner } from "@certpin/certpin";
 * import { createReporter } from "@certpin/certpin/reports";
 * import { mintChain } from "@certpin/certpin/testing";
 *
 * const received: string[] = [];
 * const reporter = createReporter("https://collector.example/reports", {
 *   fetch: (_url, init) => {
 *     received.push(...JSON.parse(String(init?.body)));
 *     return Promise.resolve(new Response(null, { status: 204 }));
 *   },
 * });
 * const { policy, chain } = await mintChain({ hostnames: ["api.example.com"] });
 * const pinner = createPinner(policy, { onReport: reporter.report, anchors: [] });
 *
 * await pinner.check({ hostname: "api.example.com", chain });
 * await reporter.close();
 * console.log(received.length, reporter.stats.sent); // 1 1
 * ```
 * @param url Where the collector listens; there is no default.
 * @param options How much to send, and by what.
 * @returns The reporter; close it to send what still waits.
 * @throws {TypeError} For a URL that is not `https:` or `http:`, for an option
 * that is unknown or of the wrong type.
 * @throws {RangeError} For a number out of range.
 */
export function createReporter(
  url: string | URL,
  options: ReporterOptions = {},
): Reporter {
  const parsed = URL.parse(String(url));
  if (!isHttpUrl(parsed)) {
    throw new TypeError(
      "Cannot make a reporter: url must be an absolute URL with https: or http:, without a user",
    );
  }
  checkOptionNames("make a reporter", options, Object.keys(NAMES));
  const { fetch, batch = 20, interval = 10_000, sampleRate = 1 } = options;
  if (fetch !== undefined && typeof fetch !== "function") {
    throw new TypeError("Cannot make a reporter: fetch must be a function");
  }
  requireRange("batch", batch, 1, MAX_QUEUED_REPORTS);
  requireRange("interval", interval, 0, MAX_REPORT_BACKOFF_MS);
  requireRange("sampleRate", sampleRate, 0, 1);
  const headers = new Headers(options.headers);
  if (!headers.has("content-type")) {
    headers.set("content-type", "application/json");
  }
  return new QueueingReporter({
    url: parsed,
    fetch,
    batch: Math.floor(batch),
    interval,
    sampleRate,
    headers,
  });
}
