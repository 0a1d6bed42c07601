/**
 * The `openssl` command, for tests that hold certpin against it.
 */
import { missing } from "../../conformance/skip.ts";

/** What a run of the command gave. */
export interface OpensslResult {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `openssl`, with text for its standard input where given. */
export async function openssl(
  args: readonly string[],
  input = "",
): Promise<OpensslResult> {
  const child = new Deno.Command("openssl", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A command that ends early does not read on.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    success,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Whether the command is missing (OpenSSL 3 or later); see `missing`. */
export async function missingOpenssl(): Promise<boolean> {
  const version = await openssl(["version"]).then(
    ({ stdout }) => stdout,
    () => "",
  );
  return missing(
    "openssl",
    /^OpenSSL [3-9]\./.test(version),
    "the command is not installed, or older than 3.0",
  );
}
