/**
 * How a command fails: what, where, and what to do about it.
 *
 * @module
 */
import { CertpinError, PolicyError } from "@certpin/certpin";
import { escapeText } from "@certpin/certpin/internal";
import type { Io } from "./io.ts";
import { errStyle } from "./render/style.ts";

/** Everything is as it should be. */
export const EXIT_OK = 0;
/** The check failed: a block, or lint errors. */
export const EXIT_FAILED = 1;
/** Wrong usage, or input that cannot be read. */
export const EXIT_USAGE = 2;

/** A failure that ends the command with {@linkcode EXIT_USAGE}. */
export class Failure extends Error {
  /** What to do about it. */
  readonly hint: string | undefined;
  /** The file, host or option that it is about. */
  readonly subject: string | undefined;

  /** Makes a failure; `cause` lends its code, and its message if no other is given. */
  constructor(message: string, options: {
    subject?: string;
    hint?: string;
    cause?: unknown;
  } = {}) {
    super(message, { cause: options.cause });
    this.name = "Failure";
    this.subject = options.subject;
    this.hint = options.hint;
  }

  /** The code of the cause, or the command's own for files and usage. */
  get code(): string {
    return this.cause instanceof CertpinError
      ? this.cause.code
      : "ERR_CERTPIN_CLI";
  }
}

/** Runs `body`, and says of its failure which file, host or option it is about. */
export async function about<T>(
  subject: string,
  body: () => T | Promise<T>,
  hintFor: (error: CertpinError) => string | undefined = () => undefined,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof CertpinError)) throw error;
    throw new Failure(error.message, {
      subject,
      cause: error,
      hint: hintFor(error),
    });
  }
}

/** Messages of several lines keep them; everything else is escaped. */
function safe(text: string): string {
  return text.split("\n").map(escapeText).join("\n");
}

/** What `--json` prints instead of a result. */
export interface FailureJson {
  /** Stable code and message; problems of a policy with their places. */
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly source?: string;
    readonly problems?: readonly unknown[];
  };
}

/** The failure as data. */
export function failureJson(failure: Failure): FailureJson {
  const { cause, code, message, subject } = failure;
  const problems = cause instanceof PolicyError ? cause.problems : undefined;
  return {
    error: {
      code,
      message: safe(message),
      ...(subject === undefined ? {} : { source: subject }),
      ...(problems === undefined ? {} : { problems }),
    },
  };
}

/** Prints a failure for a person. */
export function printFailure(io: Io, failure: Failure): void {
  const style = errStyle(io);
  const { cause, hint, subject } = failure;
  const where = subject === undefined ? "" : `${escapeText(subject)}: `;
  const lines = [`${style.red(style.bold("error:"))} ${where}`];
  if (cause instanceof PolicyError && cause.problems.some((p) => p.pointer)) {
    lines[0] += `${cause.problems.length} ${
      cause.problems.length === 1 ? "problem" : "problems"
    }`;
    for (const problem of cause.problems) {
      lines.push(
        `  ${style.cyan(escapeText(problem.pointer || "/"))}: ${
          safe(problem.message)
        }`,
      );
    }
  } else lines[0] += safe(failure.message);
  if (hint !== undefined) lines.push(`  ${style.dim("hint:")} ${hint}`);
  if (cause instanceof CertpinError) {
    lines.push(`  ${style.dim("code:")} ${cause.code}`);
  }
  io.err(lines.join("\n") + "\n");
}
