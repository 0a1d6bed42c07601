/** What `onReport` is given. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { applyUpdate, type Report } from "../../../src/pinner/pinner.ts";
import { parsePolicy } from "../../../src/policy/policy.ts";
import { VERSION } from "../../../src/version.ts";
import {
  HOST,
  minted,
  NOW,
  peerOf,
  pinnerOf,
  pins,
  policyOf,
} from "./scene.ts";

function reporting(policy: Parameters<typeof pinnerOf>[0], options = {}) {
  const reports: Report[] = [];
  const onReport = (report: Report) => void reports.push(report);
  return { reports, pinner: pinnerOf(policy, { onReport, ...options }) };
}

Deno.test("onReport is given every block and every softened hit, and nothing else", async () => {
  const { reports, pinner } = reporting(policyOf());
  await pinner.check(peerOf());
  pinner.update(policyOf({ pins: [pins.root] }));
  await pinner.check(peerOf());
  assertEquals(reports, []);

  pinner.update(policyOf({ pins: [pins.backup], mode: "report-only" }));
  const softened = await pinner.check(peerOf({ port: 8443 }));
  await pinner.check(peerOf({ chain: [] }));
  await pinner.check(peerOf({ hostname: "a b" }));
  await pinner.check(peerOf({ hostname: "elsewhere.example" }));
  assertEquals(
    reports.map((report) => [
      report.hostname,
      report.mode,
      report.reason,
      report.code.replace("ERR_CERTPIN_", ""),
      report["served-certificate-chain"].length,
      report["validated-certificate-chain"].length,
    ]),
    [
      [HOST, "report-only", "report-only", "MISMATCH", 2, 3],
      [HOST, "report-only", "invalid-chain", "PATH_EMPTY_CHAIN", 0, 0],
      ["a b", undefined, "invalid-chain", "PATH_HOSTNAME", 0, 0],
      ["elsewhere.example", undefined, "unlisted", "UNLISTED", 2, 0],
    ],
  );
  const [report] = reports;
  assertStrictEquals(report.verdict, softened);
  assertStrictEquals(report.error, softened.error);
  assert(Object.isFrozen(report));
});

Deno.test("a report in JSON has the members of RFC 7469, section 3, and ours", async () => {
  const expiresAt = new Date(NOW.getTime() + 1).toISOString();
  const { reports, pinner } = reporting(
    policyOf({
      pins: [pins.backup, "sha384/" + "A".repeat(64)],
      includeSubdomains: true,
      expiresAt,
    }),
    { onWarning: () => {} },
  );
  await pinner.check(peerOf({ port: 8443 }));
  const json = JSON.parse(JSON.stringify(reports[0]));
  const { "validated-certificate-chain": path, ...rest } = json;
  assertEquals(rest, {
    "date-time": NOW.toISOString(),
    hostname: HOST,
    port: 8443,
    "effective-expiration-date": expiresAt,
    "include-subdomains": true,
    "noted-hostname": HOST,
    "served-certificate-chain": rest["served-certificate-chain"],
    "known-pins": [
      `pin-sha256="${pins.backup.replace("sha256/", "")}"`,
      "sha384/" + "A".repeat(64),
    ],
    mode: "enforce",
    reason: "mismatch",
    code: "ERR_CERTPIN_MISMATCH",
    "library-version": VERSION,
  });
  assertEquals(rest["served-certificate-chain"].join(""), minted.pem);
  assertEquals(path.join(""), minted.pem + minted.ca);
});

Deno.test("a report names the sequence of the policy that its updater put in force", async () => {
  const { reports, pinner } = reporting(policyOf({ pins: [pins.backup] }));
  await pinner.check(peerOf());
  applyUpdate(pinner, parsePolicy(policyOf({ pins: [pins.backup] })), {
    sequence: 7,
    floor: 0,
    deadline: Infinity,
  });
  await pinner.check(peerOf());
  assertEquals(
    reports.map((report) => report["policy-sequence"]),
    [undefined, 7],
  );
});

Deno.test("a report of a peer that was never looked at leaves out pins without a digest", async () => {
  const certificate = minted.leaf.pem;
  const { reports, pinner } = reporting(
    policyOf({ pins: [{ certificate }, pins.backup] }),
  );
  const known = pinner.check(peerOf({ chain: [] })).then(() =>
    reports[0]["known-pins"]
  );
  assert((await known).length <= 2);
  assertEquals((await known).at(-1)?.slice(0, 10), "pin-sha256");
});

Deno.test("a report tells no time where the clock failed", async () => {
  const { reports, pinner } = reporting(policyOf(), {
    now: () => new Date(NaN),
  });
  await pinner.check(peerOf());
  assertEquals(reports.map((report) => report["date-time"]), [undefined]);
  assert(!("date-time" in JSON.parse(JSON.stringify(reports[0]))));
});

Deno.test("the version in reports is the package's", async () => {
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)),
  );
  assertEquals(VERSION, version);
});
