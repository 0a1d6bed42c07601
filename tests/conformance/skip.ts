/**
 * What a test does when a tool or a data set is not there: says so, and fails
 * where everything is required. Neutral: runs on every runtime.
 *
 * @example
 * ```ts ignore
 * Deno.test({
 *   name: "fingerprint() agrees with OpenSSL",
 *   ignore: missing("openssl", hasOpenssl, "the openssl command is not installed"),
 *   fn: …
 * });
 * ```
 *
 * @module
 */

interface WithEnvironment {
  readonly process?: { readonly env?: Readonly<Record<string, string>> };
}

/** An environment variable, where the runtime has such a thing. */
export function environment(name: string): string | undefined {
  return (globalThis as WithEnvironment).process?.env?.[name] || undefined;
}

/** Whether a missing tool or data set is a failure (`REQUIRE_ALL=1`). */
export function requireAll(): boolean {
  return environment("REQUIRE_ALL") === "1";
}

/** Whether tests run whole instead of on a sample (`CERTPIN_TEST=all`). */
export function everything(): boolean {
  return environment("CERTPIN_TEST") === "all" || nightly();
}

/** Whether there is more than an hour (`CERTPIN_TEST=nightly`). */
export function nightly(): boolean {
  return environment("CERTPIN_TEST") === "nightly";
}

const said = new Set<string>();

/**
 * Whether the thing called `name` is missing, for a test's `ignore`.
 *
 * Prints `SKIPPED name: reason` once; throws under `REQUIRE_ALL=1`.
 */
export function missing(
  name: string,
  found: boolean,
  reason: string,
): boolean {
  if (found) return false;
  if (requireAll()) {
    throw new Error(`REQUIRE_ALL is set, but ${name} is missing: ${reason}`);
  }
  if (!said.has(name)) {
    said.add(name);
    console.log(`SKIPPED ${name}: ${reason}`);
  }
  return true;
}

/** The folder of the shared vectors, without a slash at its end. */
export function vectorsFolder(): string | undefined {
  return environment("CERTPIN_VECTORS")?.replace(/[/\\]+$/, "");
}

/** Whether the shared vectors are missing; see {@linkcode missing}. */
export function missingVectors(): boolean {
  return missing(
    "vectors",
    vectorsFolder() !== undefined,
    "CERTPIN_VECTORS does not name their folder",
  );
}
