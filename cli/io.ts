/**
 * The outside world of the command: streams, terminal and environment. Over
 * `node:` built-ins, which Deno, Node and Bun all have.
 *
 * @module
 */
import process from "node:process";

/** What a command may touch besides files and the network. */
export interface Io {
  /** Writes to standard output: the result, and nothing else. */
  out(text: string): void;
  /** Writes to standard error: errors, warnings and progress. */
  err(text: string): void;
  /** Environment variables; undefined also where reading is not permitted. */
  env(name: string): string | undefined;
  /** All of standard input, up to `most` bytes and one more. */
  readStdin(most: number): Promise<Uint8Array>;
  /** Asks on the terminal without echo; undefined without a terminal, null after Ctrl-C. */
  askHidden(question: string): Promise<string | null | undefined>;
  /** Whether results go to a terminal. */
  readonly outIsTerminal: boolean;
  /** Whether errors and progress go to a terminal. */
  readonly errIsTerminal: boolean;
  /** Width of the terminal in columns; 80 without a terminal. */
  readonly columns: number;
}

function readEnv(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    // Deno without --allow-env.
    return undefined;
  }
}

async function readAll(most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > most) break;
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Longest line taken from a terminal, in UTF-16 code units. */
const MAX_ANSWER_LENGTH = 4_096;

/** Reads one line in raw mode, so that nothing of it is shown; null after Ctrl-C or Ctrl-D. */
function readHiddenLine(question: string): Promise<string | null> {
  const { stdin } = process;
  return new Promise((resolve) => {
    let line = "";
    const end = (answer: string | null) => {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
      process.stderr.write("\n");
      resolve(answer);
    };
    const onData = (data: Uint8Array | string) => {
      const text = typeof data === "string"
        ? data
        : new TextDecoder().decode(data);
      for (const key of text) {
        if (key === "\r" || key === "\n") return end(line);
        if (key === "\u0003" || key === "\u0004") {
          return end(null);
        }
        if (key === "\u007f" || key === "\b") {
          line = [...line].slice(0, -1).join("");
        } else if (key >= " " && line.length < MAX_ANSWER_LENGTH) line += key;
      }
    };
    // Before the question: who answers at once is not shown either.
    stdin.setRawMode(true);
    process.stderr.write(question);
    stdin.on("data", onData);
    stdin.resume();
  });
}

/** The real streams. */
export function processIo(): Io {
  const { stdin, stdout, stderr } = process;
  // A reader that has seen enough (`| head`) is not an error.
  stdout.on("error", (error: Error & { code?: string }) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    env: readEnv,
    readStdin: readAll,
    askHidden: async (question) => {
      if (!stdin.isTTY || !stderr.isTTY) return undefined;
      return await readHiddenLine(question);
    },
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    columns: stdout.columns > 0 ? stdout.columns : 80,
  };
}
