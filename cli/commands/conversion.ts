/**
 * What the commands that convert policies share.
 *
 * @module
 */
import { CertpinError, parsePolicy } from "@certpin/certpin";
import { escapeText, policyRecordOf } from "@certpin/certpin/internal";
import { type FormatName, loadFormat, type Loss } from "../formats/registry.ts";
import type { Io } from "../io.ts";
import { errStyle } from "../render/style.ts";

/** Says what a format cannot say as the policy does. */
export function printLosses(
  io: Io,
  to: FormatName,
  losses: readonly Loss[],
): void {
  if (losses.length === 0) return;
  const style = errStyle(io);
  const number = losses.length === 1 ? "1 loss" : `${losses.length} losses`;
  const who = to === "policy" ? "a policy" : to;
  io.err(
    `${style.yellow(number)}: what ${who} cannot say as the source did\n`,
  );
  for (const { code, pointer, message } of losses) {
    const place = style.cyan(escapeText(pointer));
    io.err(`  ${style.bold(code)} ${place}\n    ${escapeText(message)}\n`);
  }
}

/** Whether a text of that format pins no host: its own reader tells. */
export async function pinsNoHost(
  text: string,
  name: FormatName,
): Promise<boolean> {
  try {
    const document = name === "policy"
      ? text
      : (await loadFormat(name)).read(text).document;
    return policyRecordOf(parsePolicy(document)).entries.size === 0;
  } catch (error) {
    // What is empty is no curl command, and no TLSA record.
    if (!(error instanceof CertpinError)) throw error;
    return error.code === "ERR_CERTPIN_DOCUMENT_SYNTAX";
  }
}
