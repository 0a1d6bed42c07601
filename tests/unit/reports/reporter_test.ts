import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  MAX_QUEUED_REPORTS,
  MAX_QUEUED_REPORTS_LENGTH,
  MAX_REMEMBERED_REPORTS,
  MAX_REMEMBERED_REPORTS_LENGTH,
  MAX_REPORT_BODY_LENGTH,
  MAX_REPORT_MS,
  REPORT_REPEAT_MS,
} from "../../../src/limits.ts";
import { createPinner, type Report } from "../../../src/pinner/pinner.ts";
import {
  createReporter,
  type ReporterOptions,
} from "../../../src/reports/mod.ts";
import { SeenReports } from "../../../src/reports/seen.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import { hurrying } from "../../conformance/updates/scene.ts";

const HOST = "api.example.com";
const minted = await mintChain({ hostnames: [HOST] });

/** A report as a pinner makes it. */
async function realReport(): Promise<Report> {
  let report: Report | undefined;
  const pinner = createPinner(minted.policy, {
    anchors: [],
    onReport: (one) => report = one,
  });
  await pinner.check({ hostname: HOST, chain: minted.chain });
  return report!;
}

const REPORT = await realReport();

/** The report, about something else. */
function reportOf(more: Partial<Report>): Report {
  const json = { ...REPORT.toJSON(), ...more };
  return { ...REPORT, ...more, toJSON: () => json };
}

interface Post {
  readonly url: string;
  readonly init: RequestInit;
  readonly reports: Record<string, unknown>[];
}

/** A collector that answers with one status after another; the last one for ever. */
function collector(statuses: readonly number[] = [204]) {
  const posts: Post[] = [];
  const queue = [...statuses];
  const fetch = (url: string, init?: RequestInit) => {
    posts.push({ url, init: init!, reports: JSON.parse(String(init!.body)) });
    const status = queue.length > 1 ? queue.shift()! : queue[0];
    if (status === 0) {
      return Promise.reject(new TypeError("connection refused"));
    }
    return Promise.resolve(new Response(null, { status }));
  };
  return { posts, fetch };
}

const URL_OF_COLLECTOR = "https://collector.example/reports";

function reporterOf(options: ReporterOptions = {}) {
  return createReporter(URL_OF_COLLECTOR, { interval: 3_600_000, ...options });
}

Deno.test("a reporter posts reports in the shape of RFC 7469, in batches", async () => {
  const { posts, fetch } = collector();
  const headers = { authorization: "Bearer x" };
  const reporter = reporterOf({ fetch, batch: 2, headers });
  for (let index = 0; index < 5; index++) {
    reporter.report(reportOf({ hostname: `${index}.example` }));
  }
  assertEquals(posts.length, 0);
  assertEquals(reporter.stats.queued, 5);
  await reporter.flush();
  assertEquals(posts.map(({ reports }) => reports.length), [2, 2, 1]);
  const [{ url, init, reports: [first] }] = posts;
  assertEquals(url, URL_OF_COLLECTOR);
  assertEquals(init.method, "POST");
  assertEquals(init.redirect, "manual");
  const sent = new Headers(init.headers);
  assertEquals(sent.get("content-type"), "application/json");
  assertEquals(sent.get("authorization"), "Bearer x");
  assertEquals(
    first,
    JSON.parse(JSON.stringify(reportOf({ hostname: "0.example" }))),
  );
  assertEquals(reporter.stats, {
    queued: 0,
    sent: 5,
    dropped: 0,
    duplicates: 0,
    unsampled: 0,
    ownEndpoint: 0,
    failures: 0,
  });
  await reporter.close();
});

Deno.test("of a hostname and a chain one report is made, of others more", async () => {
  const { posts, fetch } = collector();
  const reporter = reporterOf({ fetch });
  for (let round = 0; round < 3; round++) {
    reporter.report(REPORT);
    reporter.report(reportOf({ hostname: "b.example" }));
    reporter.report(reportOf({ "served-certificate-chain": ["other"] }));
  }
  await reporter.close();
  assertEquals(posts.map(({ reports }) => reports.length), [3]);
  assertEquals(reporter.stats.duplicates, 6);
});

Deno.test("a reporter says nothing about its own collector", async () => {
  const { posts, fetch } = collector();
  const reporter = createReporter("https://Collector.Example:8443/", { fetch });
  reporter.report(reportOf({ hostname: "collector.example" }));
  reporter.report(reportOf({ hostname: "www.collector.example" }));
  await reporter.close();
  assertEquals(posts.map(({ reports }) => reports.length), [1]);
  assertEquals(reporter.stats.ownEndpoint, 1);
});

Deno.test("sampleRate leaves out a share, each hostname and chain as a whole", async () => {
  const { fetch } = collector();
  for (
    const [sampleRate, least, most] of [[0, 0, 0], [1, 200, 200], [
      0.5,
      50,
      150,
    ]]
  ) {
    const reporter = reporterOf({ fetch, sampleRate, batch: 256 });
    for (let index = 0; index < 400; index++) {
      reporter.report(reportOf({ hostname: `${index % 200}.example` }));
    }
    await reporter.close();
    const { sent, unsampled, duplicates } = reporter.stats;
    assert(sent >= least && sent <= most, `${sampleRate}: ${sent}`);
    assertEquals([sent + unsampled, duplicates], [200, 200]);
  }
});

Deno.test("a collector that fails gets the same reports again, and ever more seldom", async () => {
  const { posts, fetch } = collector([0, 503, 429, 302, 204]);
  const delays: number[] = [];
  const original = globalThis.setTimeout;
  // The reporter's own pauses pass at once, and are written down.
  globalThis.setTimeout = ((act: () => void, wanted = 0) => {
    if (wanted === MAX_REPORT_MS) return original(act, wanted);
    delays.push(wanted);
    return original(act, 0);
  }) as typeof setTimeout;
  const alive = setInterval(() => {}, 1000);
  try {
    const reporter = reporterOf({ fetch, interval: 1000 });
    reporter.report(REPORT);
    while (reporter.stats.sent === 0) {
      await new Promise((resolve) => original(resolve, 5));
    }
    assertEquals(posts.length, 5);
    for (const { reports } of posts) {
      assertEquals(reports, [JSON.parse(JSON.stringify(REPORT))]);
    }
    assertEquals(reporter.stats.failures, 4);
    const [first, ...pauses] = delays;
    assertEquals(first, 1000);
    for (const [index, pause] of pauses.slice(0, 4).entries()) {
      const whole = 1000 * 2 ** (index + 1);
      assert(pause >= whole / 2 && pause <= whole, `${index}: ${pause}`);
    }
    await reporter.close();
  } finally {
    clearInterval(alive);
    globalThis.setTimeout = original;
  }
});

Deno.test("a collector that refuses loses the batch, and is asked for no more at once", async () => {
  const { posts, fetch } = collector([400, 204]);
  const reporter = reporterOf({ fetch, batch: 1 });
  reporter.report(REPORT);
  reporter.report(reportOf({ hostname: "b.example" }));
  await reporter.flush();
  assertEquals(posts.length, 1);
  const { dropped, queued, failures } = reporter.stats;
  assertEquals([dropped, queued, failures], [1, 1, 1]);
  await reporter.flush();
  assertEquals(reporter.stats.sent, 1);
  await reporter.close();
});

Deno.test("a collector that never answers holds nothing up for long", async () => {
  await hurrying(MAX_REPORT_MS, async () => {
    const fetch = () => new Promise<never>(() => {});
    const reporter = reporterOf({ fetch });
    reporter.report(REPORT);
    await reporter.flush();
    assertEquals([reporter.stats.failures, reporter.stats.queued], [1, 1]);
    await reporter.close();
    assertEquals([reporter.stats.dropped, reporter.stats.queued], [1, 0]);
  });
});

Deno.test("the queue drops the oldest, and counts what it dropped", async () => {
  const { posts, fetch } = collector();
  const reporter = reporterOf({ fetch, batch: MAX_QUEUED_REPORTS });
  for (let index = 0; index < MAX_QUEUED_REPORTS + 10; index++) {
    reporter.report(reportOf({ hostname: `${index}.example` }));
  }
  assertEquals(reporter.stats.queued, MAX_QUEUED_REPORTS);
  assertEquals(reporter.stats.dropped, 10);
  await reporter.close();
  const hostnames = posts.flatMap(({ reports }) =>
    reports.map(({ hostname }) => hostname)
  );
  assertEquals([hostnames[0], hostnames.length], ["10.example", 256]);
});

Deno.test("chains as long as they may be neither fill the queue nor one request", async () => {
  const { posts, fetch } = collector();
  const reporter = reporterOf({ fetch, batch: MAX_QUEUED_REPORTS });
  const long = "A".repeat(350_000);
  for (let index = 0; index < 100; index++) {
    reporter.report(
      reportOf({
        hostname: `${index}.example`,
        "served-certificate-chain": [long],
      }),
    );
  }
  const { queued, dropped } = reporter.stats;
  assert(queued * long.length <= MAX_QUEUED_REPORTS_LENGTH);
  assert(queued > 5);
  assertEquals(queued + dropped, 100);
  await reporter.close();
  for (const { init } of posts) {
    assert(String(init.body).length <= MAX_REPORT_BODY_LENGTH + 100);
  }
  assertEquals(reporter.stats.sent, queued);
});

Deno.test("after close() a report is dropped; what is no report too", async () => {
  const { posts, fetch } = collector();
  const reporter = reporterOf({ fetch });
  reporter.report(undefined as unknown as Report);
  reporter.report({} as Report);
  await reporter.close();
  reporter.report(REPORT);
  await reporter.flush();
  assertEquals(posts, []);
  assertEquals(reporter.stats.dropped, 3);
});

Deno.test("createReporter() refuses options that it cannot go by", () => {
  for (
    const url of [
      "reports",
      "ftp://a.example",
      "https://user@a.example/",
      "https://a.example:99999/",
    ]
  ) {
    assertThrows(() => createReporter(url), TypeError, undefined, url);
  }
  for (
    const options of [{ fetch: 1 }, { batchh: 1 }, { headers: { "a b": "c" } }]
  ) {
    assertThrows(() => reporterOf(options as ReporterOptions), TypeError);
  }
  for (
    const options of [
      { batch: 0 },
      { batch: MAX_QUEUED_REPORTS + 1 },
      { interval: -1 },
      { interval: Infinity },
      { sampleRate: 1.1 },
      { sampleRate: NaN },
    ]
  ) assertThrows(() => reporterOf(options), RangeError);
  reporterOf({ batch: 1, interval: 0, sampleRate: 0 });
});

Deno.test("a process ends while reports wait, and says nothing of a dead collector", async () => {
  const program = `
    import { createPinner } from "./mod.ts";
    import { createReporter } from "./src/reports/mod.ts";
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const reporter = createReporter("http://127.0.0.1:" + port, { interval: 0 });
    const pinner = createPinner({ version: 1, hosts: {} }, {
      onReport: reporter.report,
    });
    await pinner.check({ hostname: "a.example", chain: [new Uint8Array(4)] });
    while (reporter.stats.failures === 0) await new Promise((r) => setTimeout(r, 5));
    console.log(reporter.stats.queued);
  `;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    cwd: new URL("../../../", import.meta.url),
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(30_000),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, text(stderr));
  assertEquals([text(stdout), text(stderr)], ["1\n", ""]);
});

Deno.test("SeenReports forgets after a day, and is bounded by number and length", () => {
  let now = 0;
  const seen = new SeenReports(() => now);
  assert(seen.isFirst("a", ["x"]));
  assert(!seen.isFirst("a", ["x"]));
  assert(seen.isFirst("a", ["y"]));
  now = REPORT_REPEAT_MS - 1;
  assert(!seen.isFirst("a", ["x"]));
  now = REPORT_REPEAT_MS;
  assert(seen.isFirst("a", ["x"]));
  assertEquals(seen.size, 1);
  for (let index = 0; index < 2 * MAX_REMEMBERED_REPORTS; index++) {
    seen.isFirst(`${index}`, ["x"]);
    assert(seen.size <= MAX_REMEMBERED_REPORTS);
  }
  const long = "x".repeat(MAX_REMEMBERED_REPORTS_LENGTH / 4);
  for (let index = 0; index < 10; index++) {
    assert(seen.isFirst(`${index}`, [long]));
    assert(!seen.isFirst(`${index}`, [long]));
    assert(seen.length <= MAX_REMEMBERED_REPORTS_LENGTH);
  }
});
