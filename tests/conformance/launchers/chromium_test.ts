/**
 * Runs the core's bodies in a page, and shows that the adapters refuse there.
 */
import { bundle } from "../../../tools/bundle.ts";
import { CHROMIUM, launchChromium } from "../../../tools/chromium.ts";
import { vectorsScript } from "../../../tools/suite/vectors.ts";
import { guarded } from "../harness.ts";
import { everything, missing } from "../skip.ts";
import type { SandboxResult } from "./sandbox.ts";
import { reportSteps } from "./steps.ts";

/** Longest that the page may take, in milliseconds: a guard against hangs. */
const PAGE_MS = 5 * 60 * 1000;

const isMissing = everything() &&
  missing("browser", CHROMIUM !== undefined, "no Chromium is installed");

Deno.test({
  name: "Chromium passes the tests of the core, and the adapters refuse there",
  ignore: !everything() || isMissing,
  fn: async (t) => {
    const launcher = "tests/conformance/launchers/browser.ts";
    const scripts = new Map([
      ["/vectors.js", await vectorsScript(everything())],
      ["/browser.js", await bundle(launcher, "sandbox")],
      ["/node_adapter.js", await bundle("src/adapters/node.ts", "sandbox")],
      ["/deno_adapter.js", await bundle("src/adapters/deno.ts", "sandbox")],
    ]);
    const page = `<!doctype html>
<script type="module">import "/vectors.js"; import "/browser.js";</script>`;
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => {
        const script = scripts.get(new URL(request.url).pathname);
        const type = script === undefined ? "html" : "javascript";
        return new Response(script ?? page, {
          headers: { "content-type": `text/${type}` },
        });
      },
    );
    const browser = await launchChromium();
    try {
      const tab = await browser.newPage();
      await tab.goto(`http://127.0.0.1:${server.addr.port}/`);
      const results: SandboxResult[] = await guarded(
        () => tab.evaluate("results"),
        PAGE_MS,
      );
      await reportSteps(t, results);
    } finally {
      await browser.close();
    }
  },
});
