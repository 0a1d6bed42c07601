import { createPinner, fingerprint, parseCertificates } from "../mod.ts";
import { mintCertificate, mintKey } from "../src/testing/mod.ts";
import { Gate } from "../src/tls/gate.ts";
import { resolveTrust } from "../src/tls/trust.ts";
import process from "node:process";
const root = await mintCertificate({ subject: "root", ca: true }); const key = await mintKey();
const chains: Uint8Array[][] = []; let pin = "";
const N = 300;
for (let i = 0; i < N; i++) { const issuer = await mintCertificate({ subject: "intermediate", ca: true, key, issuer: root }); const leaf = await mintCertificate({ hostnames: ["a.test"], issuer }); pin ||= `${await fingerprint(parseCertificates(issuer.der)[0])}`; chains.push([leaf.der, issuer.der]); }
const pinner = createPinner({ version: 1, hosts: { "a.test": { pins: [pin] } } }, { onWarning() {} });
const gate = new Gate(pinner, resolveTrust(pinner, root.pem));
async function t(n: string, from: number, to: number, f: (c: Uint8Array[]) => unknown) { const s = performance.now(); for (let i = from; i < to; i++) await f(chains[i]); console.log(n, ((performance.now() - s) / (to - from)).toFixed(3), "ms"); }
await t("warm", 0, 60, (c) => gate.evaluate("a.test", c));
await t("async fresh", 60, 140, (c) => gate.evaluate("a.test", c));
await t("sync fresh", 140, 220, (c) => gate.evaluateNow("a.test", undefined, c));
await t("parse only", 220, 300, (c) => parseCertificates(c));
await t("async seen", 60, 140, (c) => gate.evaluate("a.test", c));
await t("async seen same", 0, 200, () => gate.evaluate("a.test", chains[0]));
await t("sync seen same", 0, 200, () => gate.evaluateNow("a.test", undefined, chains[0]));
process.exit(0);
