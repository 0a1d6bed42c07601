/** The roots that a runtime brings are trusted as they stand. */
import { assert, assertEquals } from "@std/assert";
import { rootCertificates } from "node:tls";
import { PathError } from "../../../src/errors.ts";
import { DEFAULT_LIMITS } from "../../../src/limits.ts";
import { Budget } from "../../../src/path/budget.ts";
import { ISSUER_RULES } from "../../../src/path/issuer_rules.ts";
import { NameChecker } from "../../../src/path/name_constraints.ts";
import { parseCertificates, recordOf } from "../../../src/x509/certificate.ts";

/** The rules that a root breaks as an anchor, in its own time. */
function brokenBy(pem: string, isPlatformAnchor: boolean): string[] {
  const [record] = parseCertificates(pem).map(recordOf);
  const broken: string[] = [];
  for (const rule of ISSUER_RULES) {
    try {
      rule({
        record,
        below: [record],
        isAnchor: true,
        isPlatformAnchor,
        at: record.notBefore,
        host: undefined,
        names: new NameChecker(new Budget(DEFAULT_LIMITS)),
        waivers: undefined,
      });
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      broken.push(error.rule!);
    }
  }
  return broken;
}

Deno.test("no root of the runtime's own list is refused for its shape, as some would be that a caller brings", () => {
  assert(rootCertificates.length > 100);
  const asPlatform = rootCertificates.flatMap((pem) => brokenBy(pem, true));
  assertEquals(asPlatform, []);
  const asCaller = new Set(
    rootCertificates.flatMap((pem) => brokenBy(pem, false)),
  );
  assertEquals([...asCaller], ["basic-constraints-critical"]);
});
