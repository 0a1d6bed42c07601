/**
 * The plain-text prelude of protocols that upgrade to TLS.
 *
 * @module
 */
import type { Socket } from "node:net";
import { escapeText } from "@certpin/certpin/internal";

/** The protocols that `--starttls` knows. */
export type StartTls = "smtp" | "imap" | "postgres";

/** Their default ports. */
export const STARTTLS_PORTS: Readonly<Record<StartTls, number>> = {
  smtp: 25,
  imap: 143,
  postgres: 5432,
};

/** Most bytes that a server may say before TLS. */
const MAX_PRELUDE_BYTES = 65_536;

/** Reads what a server says before TLS, byte for byte. */
class Prelude {
  readonly #socket: Socket;
  #buffer: Uint8Array = new Uint8Array(0);
  #ended: Error | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", this.#onData);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  readonly #onData = (data: Uint8Array): void => {
    const joined = new Uint8Array(this.#buffer.length + data.length);
    joined.set(this.#buffer);
    joined.set(data, this.#buffer.length);
    this.#buffer = joined;
    if (joined.length > MAX_PRELUDE_BYTES) {
      this.#ended = new Error("the server says too much before TLS");
    }
    this.#wake();
  };
  readonly #onError = (error: Error): void => {
    this.#ended ??= error;
    this.#wake();
  };
  readonly #onClose = (): void => {
    this.#onError(new Error("the server closed the connection before TLS"));
  };

  async #more(): Promise<void> {
    if (this.#ended) throw this.#ended;
    await new Promise<void>((resolve) => this.#wake = resolve);
    if (this.#ended) throw this.#ended;
  }

  async byte(): Promise<number> {
    while (this.#buffer.length === 0) await this.#more();
    const [byte] = this.#buffer;
    this.#buffer = this.#buffer.subarray(1);
    return byte;
  }

  async line(): Promise<string> {
    let end = this.#buffer.indexOf(0x0a);
    while (end === -1) {
      await this.#more();
      end = this.#buffer.indexOf(0x0a);
    }
    const line = new TextDecoder().decode(this.#buffer.subarray(0, end));
    this.#buffer = this.#buffer.subarray(end + 1);
    return line.replace(/\r$/, "");
  }

  /** Hands the socket over; what stands in the buffer was said in the clear and would be taken for TLS. */
  release(): void {
    this.#socket.off("data", this.#onData);
    this.#socket.off("error", this.#onError);
    this.#socket.off("close", this.#onClose);
    this.#socket.pause();
    if (this.#buffer.length > 0) {
      throw new Error("the server goes on in the clear where TLS begins");
    }
  }
}

function refused(line: string): never {
  throw new Error(`the server does not start TLS: ${escapeText(line)}`);
}

async function smtpReply(prelude: Prelude, code: string): Promise<void> {
  for (;;) {
    const line = await prelude.line();
    if (!line.startsWith(code)) refused(line);
    // "250-" goes on, "250 " ends.
    if (line[3] !== "-") return;
  }
}

async function smtp(socket: Socket, prelude: Prelude): Promise<void> {
  await smtpReply(prelude, "220");
  socket.write("EHLO certpin.invalid\r\n");
  await smtpReply(prelude, "250");
  socket.write("STARTTLS\r\n");
  await smtpReply(prelude, "220");
}

async function imap(socket: Socket, prelude: Prelude): Promise<void> {
  const greeting = await prelude.line();
  if (!/^\* OK\b/i.test(greeting)) refused(greeting);
  socket.write("a1 STARTTLS\r\n");
  for (;;) {
    const line = await prelude.line();
    if (/^a1 OK\b/i.test(line)) return;
    if (!line.startsWith("* ")) refused(line);
  }
}

/** The SSLRequest message: its length, and 1234 and 5679 in the place of a version. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);

async function postgres(socket: Socket, prelude: Prelude): Promise<void> {
  socket.write(SSL_REQUEST);
  const answer = String.fromCharCode(await prelude.byte());
  if (answer !== "S") refused(answer);
}

const DIALOGUES = { smtp, imap, postgres };

/**
 * Brings a fresh connection to where TLS begins.
 *
 * @throws {Error} where the server does not start TLS, or has sent more in the
 * clear, as somebody who injects commands would.
 */
export async function startTls(
  socket: Socket,
  protocol: StartTls,
): Promise<void> {
  const prelude = new Prelude(socket);
  try {
    await DIALOGUES[protocol](socket, prelude);
  } finally {
    prelude.release();
  }
}
