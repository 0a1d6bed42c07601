/**
 * A config plugin for Expo: pins from one policy in both native projects.
 *
 * ```json
 * { "plugins": [["@certpin/cli/expo", { "policy": "./pins.json" }]] }
 * ```
 *
 * `expo prebuild` then writes Android's `network_security_config.xml` with the
 * manifest's attribute, and `NSPinnedDomains` of iOS. A policy that has expired
 * or has no backup pin stops the build.
 *
 * Expo loads plugins with `require()`, so no module that this one imports may
 * use top-level `await`.
 *
 * @module
 */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import {
  CertpinError,
  type Finding,
  lintPolicy,
  parsePolicy,
  PolicyError,
} from "@certpin/certpin";
import { escapeText } from "@certpin/certpin/internal";
import { commandFindings } from "./commands/lint_checks.ts";
import { convert, type ForeignName } from "./formats/registry.ts";
import { isDictionary, readPlist } from "./formats/plist.ts";

/** Options of the plugin. */
export interface ExpoOptions {
  /** The policy file, from the folder of `app.json`. */
  readonly policy: string;
  /**
   * Lets debug builds of Android connect without TLS, as Metro needs it.
   * Release builds are not affected. Default true.
   */
  readonly allowCleartextInDebug?: boolean;
}

/** What Expo hands to a plugin, as far as it is used here. */
export interface ExpoConfig {
  /** The configuration's own members. */
  readonly [key: string]: unknown;
  /** Set by Expo while it evaluates plugins. */
  readonly _internal?: { readonly projectRoot?: string };
}

/** A configuration while a native project is written. */
interface ModConfig<Results> extends ExpoConfig {
  modResults: Results;
  readonly modRequest: { readonly platformProjectRoot: string };
}

type Mod<Results> = (
  config: ModConfig<Results>,
) => Promise<ModConfig<Results>>;

interface ManifestResults {
  readonly manifest: {
    readonly application?: readonly { readonly $: Record<string, string> }[];
  };
}

/** The part of `expo/config-plugins` that is used here. */
interface ConfigPlugins {
  withAndroidManifest(
    config: ExpoConfig,
    mod: Mod<ManifestResults>,
  ): ExpoConfig;
  withInfoPlist(
    config: ExpoConfig,
    mod: Mod<Record<string, unknown>>,
  ): ExpoConfig;
  withDangerousMod(
    config: ExpoConfig,
    mod: readonly [platform: "android", mod: Mod<unknown>],
  ): ExpoConfig;
}

const ATTRIBUTE = "android:networkSecurityConfig";
const RESOURCE = "@xml/network_security_config";
/** Largest policy file that is read, in bytes. */
const MAX_POLICY_BYTES = 16 * 1024 * 1024;
/** Warnings that would lock users of an application out. */
const STOPPING: ReadonlySet<string> = new Set([
  "expired",
  "expires-soon",
  "no-backup-pin",
  "backup-gap",
]);

function problem(policy: string, why: string): Error {
  return new Error(`certpin: cannot use ${policy}: ${why}`);
}

function lines(findings: readonly Finding[]): string {
  return findings.map(({ code, pointer, message, hint }) =>
    `\n  ${escapeText(pointer || "/")}: ${escapeText(message)} (${code})${
      hint === undefined ? "" : `\n    ${escapeText(hint)}`
    }`
  ).join("");
}

/** Reads the policy, and stops the build where it would lock users out. */
async function readChecked(root: string, file: string): Promise<string> {
  const path = resolve(root, file);
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > MAX_POLICY_BYTES) {
      throw new RangeError(
        `it has ${size} bytes, at most ${MAX_POLICY_BYTES} are read`,
      );
    }
    text = await readFile(path, "utf8");
  } catch (error) {
    throw problem(file, error instanceof Error ? error.message : "unreadable");
  }
  try {
    const policy = parsePolicy(text);
    const findings = [
      ...commandFindings(policy),
      ...await lintPolicy(policy),
    ].filter(({ severity, code }) =>
      severity === "error" || STOPPING.has(code)
    );
    if (findings.length > 0) {
      throw problem(
        file,
        `an application with these pins may stop working${lines(findings)}`,
      );
    }
  } catch (error) {
    if (error instanceof PolicyError) {
      const found = error.problems.map(({ pointer, message }) =>
        `\n  ${escapeText(pointer || "/")}: ${escapeText(message)}`
      );
      throw problem(file, `it has problems${found.join("")}`);
    }
    if (error instanceof CertpinError) throw problem(file, error.message);
    throw error;
  }
  return text;
}

/** Converts, and says what the format cannot say. */
async function converted(text: string, to: ForeignName): Promise<string> {
  const { text: written, losses } = await convert(text, to, "policy");
  for (const { pointer, message } of losses) {
    console.warn(
      `certpin: ${to}: ${escapeText(pointer)}: ${escapeText(message)}`,
    );
  }
  return written;
}

async function writeResource(
  root: string,
  sourceSet: "main" | "debug",
  text: string,
): Promise<void> {
  const folder = join(root, "app", "src", sourceSet, "res", "xml");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "network_security_config.xml"), text);
}

/** The same pins; hosts without pins may be reached without TLS, as Metro is. */
function forDebug(xml: string): string {
  return xml
    .replaceAll(
      "<domain-config>",
      '<domain-config cleartextTrafficPermitted="false">',
    )
    .replace(
      "<network-security-config>",
      '<network-security-config>\n  <base-config cleartextTrafficPermitted="true"/>',
    );
}

function refuseOtherConfig(value: string | undefined): void {
  if (value === undefined || value === RESOURCE) return;
  throw new Error(
    `certpin: the Android manifest names ${value} as its network security configuration already; remove that, or the certpin plugin`,
  );
}

function optionsOf(options: unknown): ExpoOptions {
  const given = options as Partial<Record<keyof ExpoOptions, unknown>> | null;
  if (typeof given !== "object" || given === null) {
    throw new TypeError(
      'certpin: expected options, such as ["@certpin/cli/expo", { "policy": "./pins.json" }]',
    );
  }
  for (const key of Object.keys(given)) {
    if (key !== "policy" && key !== "allowCleartextInDebug") {
      throw new TypeError(
        `certpin: unknown option "${
          escapeText(key)
        }": policy and allowCleartextInDebug are known`,
      );
    }
  }
  const { policy, allowCleartextInDebug = true } = given;
  if (typeof policy !== "string" || policy === "") {
    throw new TypeError(
      'certpin: expected the option "policy" to name a file, such as "./pins.json"',
    );
  }
  if (typeof allowCleartextInDebug !== "boolean") {
    throw new TypeError(
      'certpin: expected the option "allowCleartextInDebug" to be true or false',
    );
  }
  return { policy, allowCleartextInDebug };
}

/**
 * Adds a policy's pins to the native projects of an Expo application.
 *
 * @param config The application's configuration.
 * @param options Which policy.
 * @returns The configuration, with what `expo prebuild` has to do.
 * @throws {TypeError} for options that are missing or unknown. While `expo
 * prebuild` runs: an error that names the policy if it cannot be read, has
 * problems, has expired or expires within 30 days, or has no backup pin.
 */
export default function withCertpin(
  config: ExpoConfig,
  options: ExpoOptions,
): ExpoConfig {
  const { policy, allowCleartextInDebug } = optionsOf(options);
  const root = config._internal?.projectRoot ?? ".";
  // Expo is the application's own: certpin does not install it.
  const plugins: ConfigPlugins = createRequire(
    join(resolve(root), "package.json"),
  )("expo/config-plugins");
  let read: Promise<string> | undefined;
  const policyText = () => read ??= readChecked(root, policy);

  const withAttribute = plugins.withAndroidManifest(config, async (mod) => {
    await policyText();
    const application = mod.modResults.manifest.application?.[0];
    if (application === undefined) {
      throw new Error("certpin: the Android manifest has no application");
    }
    refuseOtherConfig(application.$[ATTRIBUTE]);
    application.$[ATTRIBUTE] = RESOURCE;
    return mod;
  });
  const withXml = plugins.withDangerousMod(withAttribute, [
    "android",
    async (mod) => {
      const xml = await converted(await policyText(), "android");
      const { platformProjectRoot } = mod.modRequest;
      await writeResource(platformProjectRoot, "main", xml);
      if (allowCleartextInDebug) {
        await writeResource(platformProjectRoot, "debug", forDebug(xml));
      }
      return mod;
    },
  ]);
  return plugins.withInfoPlist(withXml, async (mod) => {
    const plist = readPlist(
      await converted(await policyText(), "ios"),
      "property list",
    );
    const security = plist.NSAppTransportSecurity;
    if (!isDictionary(security)) {
      throw new TypeError("certpin: the written property list has no pins");
    }
    const before = mod.modResults.NSAppTransportSecurity;
    mod.modResults.NSAppTransportSecurity = {
      ...(isDictionary(before) ? before : {}),
      NSPinnedDomains: security.NSPinnedDomains,
    };
    return mod;
  });
}
