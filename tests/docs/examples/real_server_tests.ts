/**
 * Runs snippets of the documents against the servers that people run: with the
 * policy of the server, and with one that pins another.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { mintChain } from "../../../src/testing/mod.ts";
import { documents } from "../documents.ts";
import { blocksOf } from "../markdown.ts";
import { everything, missing } from "../../conformance/skip.ts";
import { workshop } from "./open_workshop.ts";
import { KINDS } from "./real_kinds.ts";
import { findProgram, RealServer } from "./real_servers.ts";
import { placeOf, redirected, snippetOf } from "./snippets.ts";
import { ARGS } from "./workshop.ts";

const snippets = (await documents())
  .flatMap(({ path, text }) => blocksOf(path, text))
  .map(snippetOf)
  .filter((found) => found !== undefined);

/** What a wrong pin must bring about, whatever a library makes of it. */
const REFUSED = /PinMismatchError|ERR_CERTPIN_MISMATCH/;

for (const { block, runtimes, service } of snippets) {
  const kind = KINDS[service];
  if (kind === undefined) continue;
  const { name, programs, answer, trace } = kind;
  const absent = programs.filter((program) => !findProgram(program));
  for (const runtime of runtimes) {
    Deno.test({
      name: `${placeOf(block)} talks to a real ${name} on ${runtime}, and ` +
        "refuses it when other keys are pinned",
      ignore: !everything() ||
        missing(name, absent.length === 0, `no ${absent.join(", ")}`),
      async fn() {
        const { good } = workshop;
        await using server = await RealServer.start(
          kind,
          good.pem,
          good.keyPem,
        );
        const folder = runtime === "deno" ? "deno" : "node";
        const attempt = async (pins: string) => {
          const file = `real_${service}_${pins}.${block.language}`;
          const text = redirected(block.text, server.port);
          const asked = text.replace("./pins.json", `./${pins}.json`);
          assert(asked.includes(`"./${pins}.json"`), "It reads no policy");
          await workshop.write(`${folder}/${file}`, asked);
          return await workshop.run(runtime, folder, [...ARGS[runtime], file]);
        };
        const { policy } = await mintChain();
        await workshop.write(`${folder}/other.json`, JSON.stringify(policy));
        const wrong = await attempt("other");
        const right = await attempt("pins");
        const log = await server.stop();
        assert(right.success, right.output + log);
        assertMatch(wrong.output, REFUSED);
        assert(!REFUSED.test(right.output), right.output);
        assert(answer !== undefined || trace !== undefined);
        if (answer !== undefined) {
          assertMatch(right.output, answer);
          assert(!answer.test(wrong.output), wrong.output);
        }
        // One of the two got through.
        if (trace !== undefined) {
          assertEquals([...log.matchAll(trace)].length, 1, log);
        }
      },
    });
  }
}

Deno.test("every real server has a snippet that talks to it", () => {
  const services = new Set(snippets.map(({ service }) => service));
  assertEquals(Object.keys(KINDS).filter((one) => !services.has(one)), []);
});
