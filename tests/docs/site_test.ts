/**
 * The page, built and used in a real Chromium.
 *
 * With `CERTPIN_SCREENSHOTS=1` (`deno task site:screenshots`) the pictures of
 * the documentation are written anew.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { CHROMIUM, launchChromium } from "../../tools/chromium.ts";
import { buildSite } from "../../tools/site.ts";
import { mintChain } from "../../src/testing/mod.ts";
import { environment, missing } from "../conformance/skip.ts";

const PICTURES = new URL("../../docs/site/", import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
};
/** Longest that the page may take for one step, in milliseconds: a guard against hangs. */
const STEP_MS = 20_000;
/** Most bytes that the page may have in all, as served, before compression. */
const MAX_PAGE_BYTES = 1_000_000;

interface Served extends AsyncDisposable {
  readonly url: string;
  /** Every request so far: method and path. */
  readonly requests: string[];
  /** Bytes sent so far. */
  bytes: number;
}

async function serveSite(): Promise<Served> {
  const folder = new URL(
    `file://${await Deno.makeTempDir({ prefix: "certpin-site-" })}/`,
  );
  await buildSite(folder);
  const requests: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      requests.push(`${request.method} ${pathname}${search}`);
      const name = pathname === "/" ? "index.html" : pathname.slice(1);
      try {
        const body = await Deno.readFile(new URL(name, folder));
        served.bytes += body.length;
        const type = TYPES[name.split(".").pop()!] ?? "text/plain";
        return new Response(body, { headers: { "content-type": type } });
      } catch {
        return new Response("not found", { status: 404 });
      }
    },
  );
  const served: Served = {
    url: `http://127.0.0.1:${server.addr.port}/`,
    requests,
    bytes: 0,
    [Symbol.asyncDispose]: async () => {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
  return served;
}

interface Opened {
  readonly page: Page;
  /** Messages of the console, and errors that nobody caught. */
  readonly complaints: string[];
}

async function open(
  browser: Browser,
  url: string,
  options: { colorScheme?: "light" | "dark"; width?: number } = {},
): Promise<Opened> {
  const { colorScheme = "light", width = 1280 } = options;
  const context = await browser.newContext({
    colorScheme,
    reducedMotion: "reduce",
    viewport: { width, height: 900 },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_MS);
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(url);
  await page.waitForSelector("html[data-ready]");
  return { page, complaints };
}

/** What axe finds wrong, one line a violation. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`))",
  );
}

async function fill(page: Page, chain: string, roots = ""): Promise<void> {
  await page.fill("#chain", chain);
  if (!await page.isVisible("#roots")) await page.click("summary");
  await page.fill("#roots", roots);
  await page.click("#chain-form button[type=submit]");
}

async function text(page: Page, selector: string): Promise<string> {
  await page.waitForSelector(selector);
  return await page.innerText(selector);
}

Deno.test({
  name: "the page",
  ignore: missing(
    "site",
    CHROMIUM !== undefined,
    "no Chromium is installed",
  ),
  sanitizeResources: false,
  sanitizeOps: false,
  fn: async (t) => {
    await using site = await serveSite();
    const browser = await launchChromium();
    try {
      await t.step(
        "shows path, pins and policy, and requests nothing",
        async () => {
          const { chain, pem, ca, pins } = await mintChain({
            hostnames: ["api.example.com"],
          });
          assertEquals(chain.length, 2);
          const { page, complaints } = await open(browser, site.url);
          const before = site.requests.length;
          await fill(page, pem, ca);
          assertEquals(
            await text(page, "#chain-result .notice"),
            "A valid path for api.example.com",
          );
          const drawn = await text(page, "#chain-result .path");
          for (const pin of [pins.leaf, pins.root]) assert(drawn.includes(pin));
          const roles = await page.locator("#chain-result .path .role")
            .allInnerTexts();
          assertEquals(roles, ["root", "intermediate", "leaf"]);
          for (
            const [button, expected] of [
              ["Android", "<pin-set"],
              ["iOS", "NSPinnedDomains"],
              ["TrustKit", "TSKPinnedDomains"],
              ["OkHttp", "CertificatePinner"],
              ["curl", "pinnedpubkey"],
              ["Envoy", "verify_certificate_spki"],
              ["certpin", '"version": 1'],
            ]
          ) {
            await page.getByRole("button", { name: button, exact: true })
              .click();
            const file = page.getByRole("region", { name: `${button} file` });
            await file.waitFor();
            const written = await file.innerText();
            assert(written.includes(expected), written);
          }
          const findings = await text(page, "#chain-result .findings");
          assert(findings.includes("backup-gap"), findings);
          assertEquals(site.requests.length, before);
          assertEquals(complaints, []);
          await page.context().close();
        },
      );

      await t.step(
        "refuses a chain under a root that is not trusted",
        async () => {
          const { pem, ca } = await mintChain({ hostnames: ["a.example.com"] });
          const other = await mintChain({ hostnames: ["a.example.com"] });
          const { page } = await open(browser, site.url);
          await fill(page, pem, other.ca);
          const refused = await text(page, "#chain-result .notice.bad");
          assert(refused.includes("ERR_CERTPIN_PATH_"), refused);
          await fill(page, pem, ca);
          await page.waitForSelector("#chain-result .notice.good");
          await page.context().close();
        },
      );

      await t.step("says what it assumes where no root is given", async () => {
        const { pem } = await mintChain({ hostnames: ["a.example.com"] });
        const { page } = await open(browser, site.url);
        await fill(page, pem);
        await page.waitForSelector("#chain-result .notice.good");
        const said = await text(page, "#chain-result .notice.note");
        assert(said.includes("No trusted roots were given"), said);
        await page.context().close();
      });

      await t.step("takes several DER files", async () => {
        const { chain } = await mintChain({ hostnames: ["a.example.com"] });
        const { page } = await open(browser, site.url);
        await page.setInputFiles(
          "#chain-files",
          chain.map((der, place) => ({
            name: `${place}.der`,
            mimeType: "application/pkix-cert",
            buffer: Buffer.from(der),
          })),
        );
        await page.waitForSelector("#chain-result .notice.good");
        const boxes = await page.$$("#chain-result .path li");
        assertEquals(boxes.length, 2);
        await page.context().close();
      });

      await t.step("shows foreign text as text", async () => {
        const { pem, ca } = await mintChain({
          hostnames: ["a.example.com"],
          name: "<img src=x onerror=alert(1)>\u202e",
        });
        const { page, complaints } = await open(browser, site.url);
        await fill(page, pem, ca);
        const drawn = await text(page, "#chain-result .path");
        assert(drawn.includes("<img src=x"), drawn);
        assert(!drawn.includes("\u202e"));
        assertEquals(await page.$$("#chain-result .path img"), []);
        assertEquals(complaints, []);
        await page.context().close();
      });

      await t.step("checks a policy, and says each problem", async () => {
        const { page } = await open(browser, site.url);
        await page.click("#tab-policy");
        await page.fill("#policy", '{"version": 2, "hosts": {}, "colour": 1}');
        await page.click("#policy-form button[type=submit]");
        const problems = await text(page, "#policy-result .notice.bad");
        assert(problems.includes("/version"), problems);
        assert(problems.includes("/colour"), problems);
        const { policy } = await mintChain({ hostnames: ["a.example.com"] });
        await page.fill("#policy", JSON.stringify(policy));
        await page.click("#policy-form button[type=submit]");
        await page.waitForSelector("#policy-result table");
        assertEquals(await page.$$("#policy-result .notice.bad"), []);
        const drilled = await text(page, "#policy-result .card:last-child");
        assert(drilled.startsWith("Drill of"), drilled);
        assert(drilled.includes("AWS ACM"), drilled);
        await page.context().close();
      });

      await t.step("is used with the keyboard alone", async () => {
        const { page } = await open(browser, site.url);
        await page.focus("#tab-chain");
        await page.keyboard.press("ArrowRight");
        assert(await page.isVisible("#panel-policy"));
        assert(!await page.isVisible("#panel-chain"));
        await page.keyboard.press("ArrowLeft");
        await page.focus("#example");
        await page.keyboard.press("Enter");
        await page.waitForSelector("#chain-result .notice.good");
        await page.context().close();
      });

      for (
        const [name, colorScheme, width] of [
          ["light", "light", 1280],
          ["dark", "dark", 1280],
          ["phone", "light", 390],
        ] as const
      ) {
        await t.step(`has no violation that axe knows: ${name}`, async () => {
          const { page, complaints } = await open(browser, site.url, {
            colorScheme,
            width,
          });
          assertEquals(await violations(page), []);
          await page.click("#example");
          await page.waitForSelector("#chain-result .findings");
          await page.waitForSelector("#chain-result pre");
          assertEquals(await violations(page), []);
          const [inner, outer] = await page.evaluate<number[]>(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
          );
          assertEquals(inner, outer, "the page scrolls sideways");
          if (environment("CERTPIN_SCREENSHOTS") === "1") {
            await Deno.mkdir(PICTURES, { recursive: true });
            const png = await page.screenshot({ fullPage: true });
            await Deno.writeFile(new URL(`${name}.png`, PICTURES), png);
          }
          await page.click("#tab-policy");
          assertEquals(await violations(page), []);
          assertEquals(complaints, []);
          await page.context().close();
        });
      }

      await t.step("is small, and asks for its own files alone", async () => {
        const [before, requested] = [site.bytes, site.requests.length];
        const { page } = await open(browser, site.url);
        const bytes = site.bytes - before;
        const requests = site.requests.slice(requested);
        console.log(
          `the page: ${requests.length} requests, ${bytes} bytes, 0 axe violations`,
        );
        assert(bytes < MAX_PAGE_BYTES, `${bytes}`);
        for (const request of requests) {
          assert(
            /^GET \/([\w-]+\.(js|css|svg))?$/.test(request),
            request,
          );
        }
        await page.context().close();
      });
    } finally {
      await browser.close();
    }
  },
});
