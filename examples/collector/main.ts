/**
 * A collector for certpin's reports. It keeps what it needs to answer
 * "which share of clients knows the new pin?", and nothing else.
 *
 *   POST /reports                                        from createReporter
 *   GET  /share?hostname=api.example.com&pin=sha256/…    by pin
 *   GET  /share?hostname=api.example.com&sequence=7      by signed policy
 *
 * deno run --allow-net --allow-env --allow-read --allow-write main.ts
 */
import { DatabaseSync } from "node:sqlite";

const MAX_BODY_BYTES = 2 * 1024 * 1024;
const MAX_REPORTS = 1000;
const KEEP = "-30 days";

const token = Deno.env.get("REPORTS_TOKEN");
const database = new DatabaseSync(Deno.env.get("REPORTS_DB") ?? ":memory:");
database.exec(`create table if not exists reports (
  received text, hostname text, sequence integer, reason text, pins text
) strict`);
const insert = database.prepare(
  "insert into reports values (datetime('now'), ?, ?, ?, ?)",
);
const forget = database.prepare(
  "delete from reports where received < datetime('now', ?)",
);
// A client reports a hostname and a chain once in 24 hours.
const share = database.prepare(`select count(*) as reports,
  coalesce(sum(instr(pins, ?) > 0 or sequence >= ?), 0) as knowing
  from reports where hostname = ? and received >= datetime('now', '-1 day')`);

/** Reads the body, or nothing where it is too long. */
async function read(request: Request): Promise<string | undefined> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    chunks.push(chunk);
    if ((length += chunk.length) > MAX_BODY_BYTES) return undefined;
  }
  return await new Blob(chunks).text();
}

async function collect(request: Request): Promise<Response> {
  if (token && request.headers.get("authorization") !== `Bearer ${token}`) {
    return new Response(null, { status: 403 });
  }
  const body = await read(request);
  if (body === undefined) return new Response(null, { status: 413 });
  try {
    for (const report of JSON.parse(body).slice(0, MAX_REPORTS)) {
      const pins = report["known-pins"].map((pin: unknown) => String(pin));
      const sequence = report["policy-sequence"] ?? null;
      const { hostname, reason } = report;
      insert.run(hostname, sequence, reason, `\n${pins.join("\n")}\n`);
    }
  } catch {
    return new Response(null, { status: 400 });
  }
  forget.run(KEEP);
  return new Response(null, { status: 204 });
}

function answer({ searchParams }: URL): Response {
  const pin = searchParams.get("pin") ?? "";
  const hash = /^sha256\/([\w+/]{43}=)$/.exec(pin.replaceAll(" ", "+"))?.[1];
  const known = hash === undefined ? "\0" : `\npin-sha256="${hash}"\n`;
  const sequence = Number(searchParams.get("sequence") ?? Infinity);
  const hostname = searchParams.get("hostname");
  const found = share.get(known, sequence, hostname);
  const { reports, knowing } = found as { reports: number; knowing: number };
  const ratio = reports === 0 ? null : knowing / reports;
  return Response.json({ reports, knowing, share: ratio });
}

Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8787) }, (request) => {
  const url = new URL(request.url);
  const route = `${request.method} ${url.pathname}`;
  if (route === "POST /reports") return collect(request);
  if (route === "GET /share") return answer(url);
  return new Response(null, { status: 404 });
});
