import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { mergePlist } from "../../cli/formats/plist_merge.ts";
import { filePath } from "../../tools/suite/paths.ts";
import { A, B } from "./formats/samples.ts";
import { certpin, documentOf, inTemporaryFolder } from "./command.ts";
import { PolicyError } from "../../src/errors.ts";

const POLICY = {
  version: 1,
  unlisted: "allow",
  hosts: {
    "a.example": { pins: [A, B] },
  },
};
const FILES: Readonly<Record<string, string>> = {
  android: "android/network_security_config.xml",
  ios: "ios/Info.plist",
  trustkit: "ios/TrustKit.plist",
  okhttp: "android/Pins.kt",
  curl: "pins.curl.sh",
  envoy: "envoy.yaml",
  tlsa: "zone.txt",
};
const INFO = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
\t<!-- kept: <dict> -->
\t<key>CFBundleName</key>
\t<string>A &amp; B</string>
\t<key>NSAppTransportSecurity</key>
\t<dict>
\t\t<key>NSAllowsArbitraryLoads</key>
\t\t<false/>
\t</dict>
\t<key>UILaunchScreen</key>
\t<dict/>
</dict>
</plist>
`;

async function prepare(
  folder: string,
  outputs: unknown = Object.entries(FILES).map(([format, file]) => ({
    format,
    file,
  })),
): Promise<void> {
  await Deno.mkdir(`${folder}/android`);
  await Deno.mkdir(`${folder}/ios`);
  await Deno.writeTextFile(`${folder}/ios/Info.plist`, INFO);
  await Deno.writeTextFile(`${folder}/pins.json`, JSON.stringify(POLICY));
  await Deno.writeTextFile(
    `${folder}/certpin.config.json`,
    JSON.stringify({ policy: "pins.json", outputs }),
  );
}

async function readAll(folder: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const [format, file] of Object.entries(FILES)) {
    all[format] = await Deno.readTextFile(`${folder}/${file}`);
  }
  return all;
}

Deno.test("certpin sync writes every file, and twice the same", async () => {
  await inTemporaryFolder(async (folder) => {
    await prepare(folder);
    const first = await certpin(["sync", "--json"], { cwd: folder });
    assertEquals(first.code, 0, first.stderr);
    const { outputs } = documentOf(first, "sync");
    assertEquals(
      outputs.map(({ format, state }: Record<string, string>) => [
        format,
        state,
      ]),
      Object.keys(FILES).map((format) => [format, "written"]),
    );
    const files = await readAll(folder);
    for (const [format, text] of Object.entries(files)) {
      if (format === "tlsa" || format === "envoy") continue;
      assertStringIncludes(text, A.slice("sha256/".length), format);
    }
    const second = await certpin(["sync"], { cwd: folder });
    assertEquals(second.code, 0, second.stderr);
    assert(!second.stdout.includes("written"), second.stdout);
    assertEquals(await readAll(folder), files);
  });
});

Deno.test("certpin sync --check writes nothing, and ends with 1 while a file is stale", async () => {
  await inTemporaryFolder(async (folder) => {
    await prepare(folder);
    const check = () => certpin(["sync", "--check"], { cwd: folder });
    const before = await check();
    assertEquals(before.code, 1);
    assertStringIncludes(before.stderr, "certpin sync");
    assertEquals([...Deno.readDirSync(`${folder}/android`)], []);
    assertEquals((await certpin(["sync"], { cwd: folder })).code, 0);
    assertEquals((await check()).code, 0);
    const kotlin = `${folder}/${FILES.okhttp}`;
    const written = await Deno.readTextFile(kotlin);
    await Deno.writeTextFile(kotlin, written.replace(A.slice(7), B.slice(7)));
    const stale = await check();
    assertEquals(stale.code, 1);
    assertStringIncludes(stale.stdout, `stale ${FILES.okhttp}`);
    await Deno.writeTextFile(kotlin, written);
    assertEquals((await check()).code, 0);
  });
});

Deno.test("certpin sync touches nothing of an Info.plist but the pins", async () => {
  await inTemporaryFolder(async (folder) => {
    await prepare(folder, [{ format: "ios", file: "ios/Info.plist" }]);
    assertEquals((await certpin(["sync"], { cwd: folder })).code, 0);
    const merged = await Deno.readTextFile(`${folder}/ios/Info.plist`);
    const [head, tail] = INFO.split("\t\t<false/>\n");
    assert(merged.startsWith(`${head}\t\t<false/>\n\t\t<key>NSPinnedDomains`));
    assert(merged.endsWith(tail));
    const pins = merged.slice(head.length, -tail.length);
    assertStringIncludes(pins, A.slice("sha256/".length));
    await Deno.writeTextFile(
      `${folder}/pins.json`,
      JSON.stringify({
        ...POLICY,
        hosts: { "b.example": { pins: [B] } },
      }),
    );
    assertEquals((await certpin(["sync"], { cwd: folder })).code, 0);
    const replaced = await Deno.readTextFile(`${folder}/ios/Info.plist`);
    assert(replaced.startsWith(head) && replaced.endsWith(tail));
    assert(!replaced.includes("a.example"));
    assertStringIncludes(replaced, "b.example");
  });
});

Deno.test("certpin sync writes nothing at all where one file cannot be written", async () => {
  await inTemporaryFolder(async (folder) => {
    const good = { format: "okhttp", file: "android/Pins.kt" };
    await prepare(folder, [good, { format: "ios", file: "ios/Info.plist" }]);
    await Deno.writeTextFile(`${folder}/ios/Info.plist`, "bplist00 binary");
    const refused = await certpin(["sync"], { cwd: folder });
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "ios/Info.plist");
    assertEquals([...Deno.readDirSync(`${folder}/android`)], []);
    await Deno.writeTextFile(`${folder}/ios/Info.plist`, INFO);
    assertEquals((await certpin(["sync"], { cwd: folder })).code, 0);
    assertEquals([...Deno.readDirSync(`${folder}/android`)].length, 1);
  });
});

const GOOD = { format: "okhttp", file: "android/Pins.kt" };
const BAD: Readonly<Record<string, [outputs: unknown, pointer: string]>> = {
  "an unknown format": [[{ ...GOOD, format: "windows" }], "/outputs/0/format"],
  "an unknown key": [[{ ...GOOD, path: "x" }], "/outputs/0/path"],
  "no file": [[{ format: "okhttp" }], "/outputs/0/file"],
  "a file twice": [
    [GOOD, { ...GOOD, file: "./android/../android/Pins.kt" }],
    "/outputs/1/file",
  ],
  "an empty list": [[], "/outputs"],
  "no list": [{}, "/outputs"],
};

for (const [what, [outputs, pointer]] of Object.entries(BAD)) {
  Deno.test(`certpin sync refuses a configuration with ${what}, and names the place`, async () => {
    await inTemporaryFolder(async (folder) => {
      await prepare(folder, outputs);
      const refused = await certpin(["sync"], { cwd: folder });
      assertEquals(refused.code, 2);
      assertStringIncludes(refused.stderr, `${pointer}:`);
      await Deno.writeTextFile(
        `${folder}/certpin.config.json`,
        JSON.stringify({ policy: "pins.json", outputs: [GOOD] }),
      );
      assertEquals((await certpin(["sync"], { cwd: folder })).code, 0);
    });
  });
}

Deno.test("certpin sync refuses a file that would pin nothing", async () => {
  await inTemporaryFolder(async (folder) => {
    await prepare(folder, [{ format: "ios", file: "ios/Pins.plist" }]);
    const policy = (host: string) =>
      Deno.writeTextFile(
        `${folder}/pins.json`,
        JSON.stringify({ ...POLICY, hosts: { [host]: { pins: [A, B] } } }),
      );
    await policy("192.0.2.1");
    assertEquals((await certpin(["sync"], { cwd: folder })).code, 2);
    await policy("a.example");
    assertEquals((await certpin(["sync"], { cwd: folder })).code, 0);
  });
});

Deno.test("the mobile example holds what its policy says", async () => {
  const ran = await certpin(["sync", "--check"], {
    cwd: filePath("examples/mobile/"),
  });
  assertEquals(ran.code, 0, ran.stdout + ran.stderr);
});

const SOURCE = `<plist version="1.0">
  <dict>
    <key>NSAppTransportSecurity</key>
    <dict>
      <key>NSPinnedDomains</key>
      <dict>
        <key>a.example</key>
        <dict/>
      </dict>
    </dict>
  </dict>
</plist>
`;
const PATH = ["NSAppTransportSecurity", "NSPinnedDomains"];
const plist = (body: string) => `<plist version="1.0">${body}</plist>`;
const PINNED =
  "<key>NSPinnedDomains</key><dict><key>a.example</key><dict/></dict>";
const squeezed = (text: string) => text.replace(/\s*\n\s*/g, "");

const LAYOUTS: Readonly<Record<string, [before: string, after: string]>> = {
  "an empty tag": [
    "<dict/>",
    `<dict><key>NSAppTransportSecurity</key><dict>${PINNED}</dict></dict>`,
  ],
  "one line": [
    "<dict><key>a</key><true/></dict>",
    `<dict><key>a</key><true/><key>NSAppTransportSecurity</key><dict>${PINNED}</dict></dict>`,
  ],
  "an empty dictionary of security": [
    "<dict><key>NSAppTransportSecurity</key><dict/></dict>",
    `<dict><key>NSAppTransportSecurity</key><dict>${PINNED}</dict></dict>`,
  ],
  "a key in CDATA, and the same key deeper": [
    "<dict><key>x</key><dict><key>NSPinnedDomains</key><string/></dict><key><![CDATA[NSAppTransportSecurity]]></key><dict><key>NSPinnedDomains</key><true/></dict></dict>",
    `<dict><key>x</key><dict><key>NSPinnedDomains</key><string/></dict><key><![CDATA[NSAppTransportSecurity]]></key><dict>${PINNED}</dict></dict>`,
  ],
  "the end tag with a space, and a comment that looks like one": [
    "<dict><key>NSAppTransportSecurity</key><dict><!-- </dict> --></dict ></dict>",
    `<dict><key>NSAppTransportSecurity</key><dict><!-- </dict> -->${PINNED}</dict ></dict>`,
  ],
};

for (const [layout, [before, after]] of Object.entries(LAYOUTS)) {
  Deno.test(`mergePlist() puts the value into ${layout}`, () => {
    const merged = mergePlist(plist(before), SOURCE, PATH, "plist");
    assertEquals(squeezed(merged), plist(after));
    assertEquals(mergePlist(merged, SOURCE, PATH, "plist"), merged);
  });
}

Deno.test("mergePlist() refuses a key that holds something else than a dictionary", () => {
  const withValue = (value: string) =>
    plist(`<dict><key>NSAppTransportSecurity</key>${value}</dict>`);
  assertThrows(
    () => mergePlist(withValue("<true/>"), SOURCE, PATH, "plist"),
    PolicyError,
  );
  mergePlist(withValue("<dict/>"), SOURCE, PATH, "plist");
});
