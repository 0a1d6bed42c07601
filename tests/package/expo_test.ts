/**
 * The Expo config plugin, as an application has it: a project made here, Expo
 * from npm, the command's package as it is built, and `expo prebuild`, which
 * writes both native projects.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readPlist } from "../../cli/formats/plist.ts";
import { buildNpm } from "../../tools/build_npm.ts";
import { type Ran, run } from "../../tools/suite/command.ts";
import { npm, programPath } from "../../tools/suite/npx.ts";
import { A, B } from "../cli/formats/samples.ts";
import { everything } from "../conformance/skip.ts";

// What Expo's packages were on one day: they are released by the dozen, and
// not all of them at the same moment.
const BEFORE = "2026-10-20";
const PACKAGES = ["expo@57", "react@19.2", "react-native@0.86"];
/** Longest that one command may take, in milliseconds: a guard against hangs. */
const MAX_MS = 5 * 60_000;

const digest = (pin: string) => pin.slice("sha256/".length);
const policy = (host: object) =>
  JSON.stringify({
    version: 1,
    unlisted: "allow",
    hosts: { "api.example.com": { pins: [A, B], ...host } },
  });
const appJson = (options: unknown) =>
  JSON.stringify({
    expo: {
      name: "app",
      slug: "app",
      android: { package: "com.example.app" },
      ios: {
        bundleIdentifier: "com.example.app",
        infoPlist: { NSCameraUsageDescription: "to test merging" },
      },
      plugins: [["@certpin/cli/expo", options]],
    },
  });

Deno.test({
  name: "expo prebuild writes the pins into both native projects",
  ignore: !everything(),
  async fn(t) {
    const folder = await Deno.makeTempDir({ prefix: "certpin-expo-" });
    const write = (name: string, text: string) =>
      Deno.writeTextFile(`${folder}/${name}`, text);
    const read = (name: string) => Deno.readTextFile(`${folder}/${name}`);
    const node = await programPath("node@24", "node", [
      "-p",
      "process.execPath",
    ]);
    assert(node !== undefined, "npx does not bring node@24");
    const prebuild = async (): Promise<Ran> =>
      await run(node, [
        "node_modules/expo/bin/cli",
        "prebuild",
        "--no-install",
      ], {
        cwd: folder,
        env: { CI: "1", EXPO_NO_TELEMETRY: "1", EXPO_OFFLINE: "1" },
        maxMilliseconds: MAX_MS,
      });
    try {
      const { library, command } = await buildNpm();
      await write("package.json", '{"name": "app", "private": true}');
      await write("index.js", "");
      await write("app.json", appJson({ policy: "./pins.json" }));
      await write("pins.json", policy({}));
      for (
        const args of [
          [`--before=${BEFORE}`, "--legacy-peer-deps", ...PACKAGES],
          [library, command],
        ]
      ) {
        const installed = await npm(
          ["install", "--ignore-scripts", "--legacy-peer-deps", ...args],
          folder,
        );
        assert(installed.success, installed.output);
      }

      await t.step("and leaves the rest of them as it is", async () => {
        const ran = await prebuild();
        assert(ran.success, ran.output);
        const res = (sourceSet: string) =>
          read(
            `android/app/src/${sourceSet}/res/xml/network_security_config.xml`,
          );
        for (const pin of [A, B]) {
          assertStringIncludes(await res("main"), digest(pin));
          assertStringIncludes(await res("debug"), digest(pin));
        }
        const cleartext = 'base-config cleartextTrafficPermitted="true"';
        assert(!(await res("main")).includes(cleartext));
        assertStringIncludes(await res("debug"), cleartext);
        assertStringIncludes(
          await read("android/app/src/main/AndroidManifest.xml"),
          'android:networkSecurityConfig="@xml/network_security_config"',
        );
        const plist = readPlist(await read("ios/app/Info.plist"), "Info.plist");
        assertEquals(plist.NSCameraUsageDescription, "to test merging");
        const security = plist.NSAppTransportSecurity as Record<
          string,
          unknown
        >;
        assertEquals(security.NSAllowsArbitraryLoads, false);
        assertEquals(security.NSPinnedDomains, {
          "api.example.com": {
            NSIncludesSubdomains: false,
            NSPinnedCAIdentities: [A, B].map((pin) => ({
              "SPKI-SHA256-BASE64": digest(pin),
            })),
          },
        });
      });

      const refused: readonly [what: string, host: object, expected: string][] =
        [
          ["has no backup", { pins: [A] }, "no-backup-pin"],
          [
            "has expired",
            { expiresAt: "2020-01-01T00:00:00Z" },
            "(expired)",
          ],
          [
            "has an unknown key",
            { colour: 1 },
            "/hosts/api.example.com/colour",
          ],
        ];
      for (const [what, host, expected] of refused) {
        await t.step(`and stops where the policy ${what}`, async () => {
          await write("pins.json", policy(host));
          const ran = await prebuild();
          assert(!ran.success, ran.output);
          assertStringIncludes(ran.output, "certpin: cannot use ./pins.json");
          assertStringIncludes(ran.output, expected);
        });
      }

      await t.step("and refuses an unknown option", async () => {
        await write("pins.json", policy({}));
        await write("app.json", appJson({ policy: "./pins.json", path: "x" }));
        const ran = await prebuild();
        assert(!ran.success, ran.output);
        assertStringIncludes(ran.output, 'unknown option "path"');
        await write("app.json", appJson({ policy: "./pins.json" }));
        const control = await prebuild();
        assert(control.success, control.output);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
