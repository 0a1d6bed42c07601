/**
 * Responses that two readers could take differently are refused, each beside
 * one that differs in one thing and is taken.
 */
import { assert, assertEquals } from "@std/assert";
import { ConnectionError } from "../../../src/errors.ts";
import {
  MAX_HTTP_CHUNK_EXTENSION_BYTES,
  MAX_HTTP_FIELDS,
  MAX_HTTP_HEAD_BYTES,
  MAX_HTTP_INTERIM_RESPONSES,
} from "../../../src/limits.ts";
import type { Harness } from "../harness.ts";
import { Origin, saying } from "./origin.ts";

interface Case {
  readonly name: string;
  readonly wrong: string;
  readonly right: string;
  readonly method?: string;
  /** The server ends the connection after the response. */
  readonly ends?: boolean;
}

const HEAD = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const GOOD = `${HEAD}Content-Length: 5\r\n\r\nhello`;
const GOOD_CHUNKED = `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`;

function fields(count: number): string {
  return "A: b\r\n".repeat(count);
}

/** A response whose head has so many bytes. */
function headOf(bytes: number): string {
  const start = "HTTP/1.1 204 No Content\r\nA: ";
  return start + "b".repeat(bytes - start.length - 4) + "\r\n\r\n";
}

function extensions(bytes: number): string {
  return `${CHUNKED}5;${"x".repeat(bytes - 1)}\r\nhello\r\n0\r\n\r\n`;
}

const AMBIGUOUS_ENDS: readonly Case[] = [
  {
    name: "Content-Length beside Transfer-Encoding",
    wrong:
      `${HEAD}Content-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    right: GOOD_CHUNKED,
  },
  {
    name: "Transfer-Encoding beside Content-Length",
    wrong:
      `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 15\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    right: GOOD_CHUNKED,
  },
  {
    name: "two lengths that differ",
    wrong: `${HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    right: GOOD,
  },
  {
    name: "two equal lengths",
    wrong: `${HEAD}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    right: GOOD,
  },
  {
    name: "two lengths in one field",
    wrong: `${HEAD}Content-Length: 5, 5\r\n\r\nhello`,
    right: GOOD,
  },
  ...["+5", "-5", "0x5", "5.0", "5 5", "", "five", "5\x0b", "1e1"].map(
    (length): Case => ({
      name: `the length ${JSON.stringify(length)}`,
      wrong: `${HEAD}Content-Length: ${length}\r\n\r\nhello`,
      right: GOOD,
    }),
  ),
  {
    name: "a length that no number holds",
    wrong: `${HEAD}Content-Length: 18446744073709551621\r\n\r\nhello`,
    right: GOOD,
  },
  ...[
    "gzip, chunked",
    "chunked, chunked",
    "identity",
    "xchunked",
    "chunked;a=b",
    '"chunked"',
    "\x0bchunked",
    "chunked\x00",
    "",
  ].map((coding): Case => ({
    name: `the transfer coding ${JSON.stringify(coding)}`,
    wrong: `${HEAD}Transfer-Encoding: ${coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    right: GOOD_CHUNKED,
  })),
  {
    name: "two transfer codings",
    wrong:
      `${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    right: GOOD_CHUNKED,
  },
  {
    name: "a transfer coding in HTTP/1.0",
    wrong: GOOD_CHUNKED.replace("HTTP/1.1", "HTTP/1.0"),
    right: GOOD_CHUNKED,
  },
  {
    name: "a body with status 204",
    wrong: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    right: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "a transfer coding with status 204",
    wrong: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    right: "HTTP/1.1 204 No Content\r\n\r\n",
  },
  {
    name: "a body in an interim response",
    wrong: `HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\nhello${GOOD}`,
    right: `HTTP/1.1 103 Early\r\n\r\n${GOOD}`,
  },
  {
    name: "another protocol that nobody asked for",
    wrong: `HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n${GOOD}`,
    right: `HTTP/1.1 100 Continue\r\n\r\n${GOOD}`,
  },
];

const LINES: readonly Case[] = [
  {
    name: "a bare LF after the status line",
    wrong: GOOD.replace("OK\r\n", "OK\n"),
    right: GOOD,
  },
  {
    name: "a bare LF after a field",
    wrong: GOOD.replace("5\r\n", "5\n"),
    right: GOOD,
  },
  {
    name: "a bare LF at the end of the head",
    wrong: GOOD.replace("\r\n\r\n", "\r\n\n"),
    right: GOOD,
  },
  {
    name: "a bare LF within a value",
    wrong: GOOD.replace("OK\r\n", "OK\r\nA: b\nContent-Length: 0\r\n"),
    right: GOOD.replace("OK\r\n", "OK\r\nA: b Content-Length: 0\r\n"),
  },
  {
    name: "a bare CR within a value",
    wrong: GOOD.replace("OK\r\n", "OK\r\nA: b\rC: d\r\n"),
    right: GOOD.replace("OK\r\n", "OK\r\nA: b C: d\r\n"),
  },
  {
    name: "a bare CR in the status line",
    wrong: GOOD.replace("OK", "O\rK"),
    right: GOOD.replace("OK", "O K"),
  },
  {
    name: "a folded field",
    wrong: GOOD.replace("OK\r\n", "OK\r\nA: b\r\n c\r\n"),
    right: GOOD.replace("OK\r\n", "OK\r\nA: b c\r\n"),
  },
  {
    name: "a field folded with a tab",
    wrong: GOOD.replace("OK\r\n", "OK\r\nA: b\r\n\tc\r\n"),
    right: GOOD.replace("OK\r\n", "OK\r\nA: b\tc\r\n"),
  },
  {
    name: "a space before the first field",
    wrong: GOOD.replace("Content", " Content"),
    right: GOOD,
  },
  {
    name: "a space before a colon",
    wrong: GOOD.replace(":", " :"),
    right: GOOD,
  },
  {
    name: "a tab before a colon",
    wrong: GOOD.replace(":", "\t:"),
    right: GOOD,
  },
  {
    name: "no colon",
    wrong: GOOD.replace("OK\r\n", "OK\r\nA\r\n"),
    right: GOOD.replace("OK\r\n", "OK\r\nA:\r\n"),
  },
  {
    name: "no field name",
    wrong: GOOD.replace("OK\r\n", "OK\r\n: b\r\n"),
    right: GOOD.replace("OK\r\n", "OK\r\nA: b\r\n"),
  },
  ...["\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\x7f"].flatMap(
    (control): Case[] => [
      {
        name: `${JSON.stringify(control)} in a value`,
        wrong: GOOD.replace("OK\r\n", `OK\r\nA: b${control}c\r\n`),
        right: GOOD.replace("OK\r\n", "OK\r\nA: b\xffc\r\n"),
      },
      {
        name: `${JSON.stringify(control)} in a name`,
        wrong: GOOD.replace("OK\r\n", `OK\r\nA${control}: b\r\n`),
        right: GOOD.replace("OK\r\n", "OK\r\nA~: b\r\n"),
      },
      {
        name: `${JSON.stringify(control)} in the reason`,
        wrong: GOOD.replace("OK", `O${control}K`),
        right: GOOD.replace("OK", "O\xe9K"),
      },
    ],
  ),
  ...['"', "(", ")", ",", "/", "{", "}", "[", "]", "@", "\xe9"].map(
    (character): Case => ({
      name: `${character} in a field name`,
      wrong: GOOD.replace("OK\r\n", `OK\r\nA${character}: b\r\n`),
      right: GOOD.replace("OK\r\n", "OK\r\nA'*: b\r\n"),
    }),
  ),
];

const STATUS_LINES: readonly Case[] = [
  ...[
    "HTTP/1.1  200 OK",
    "HTTP/1.1\t200 OK",
    "HTTP/1.1 200\tOK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 +20 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.2 200 OK",
    "HTTP/2 200 OK",
    "HTTP/2.0 200 OK",
    "HTTP/0.9 200 OK",
    "HTTP/1.1.1 200 OK",
    "HTTP/11 200 OK",
    "http/1.1 200 OK",
    " HTTP/1.1 200 OK",
    "ICY 200 OK",
    "",
    "<html>",
    "220 mail.example ESMTP",
  ].map((line): Case => ({
    name: `the status line ${JSON.stringify(line)}`,
    wrong: GOOD.replace("HTTP/1.1 200 OK", line),
    right: GOOD,
  })),
  {
    name: "an empty line before the response",
    wrong: `\r\n${GOOD}`,
    right: GOOD,
  },
  {
    name: "a body without a head, as HTTP/0.9 has it",
    wrong: "hello",
    right: "HTTP/1.0 200 OK\r\n\r\nhello",
    ends: true,
  },
];

const CHUNKS: readonly Case[] = [
  ...[
    "",
    "g",
    "-5",
    "+5",
    "0x5",
    " 5",
    "5 ",
    "5\t",
    "5 ;a",
    "5,5",
    "5\x00",
    "5;a\x00",
    "5;a\rb",
    "10000000000000005",
    "100000000000005",
    "ffffffffffffffff",
    "00000000000005",
  ].map((size): Case => ({
    name: `the chunk size ${JSON.stringify(size)}`,
    wrong: `${CHUNKED}${size}\r\nhello\r\n0\r\n\r\n`,
    right: `${CHUNKED}05;a="b"\r\nhello\r\n0\r\n\r\n`,
  })),
  {
    name: "a chunk size that ends in a bare LF",
    wrong: `${CHUNKED}5\nhello\r\n0\r\n\r\n`,
    right: GOOD_CHUNKED,
  },
  {
    name: "a bare LF after a chunk's data",
    wrong: `${CHUNKED}5\r\nhello\n0\r\n\r\n`,
    right: GOOD_CHUNKED,
  },
  {
    name: "nothing after a chunk's data",
    wrong: `${CHUNKED}5\r\nhello0\r\n\r\n`,
    right: GOOD_CHUNKED,
  },
  {
    name: "a chunk that is longer than its size",
    wrong: `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`,
    right: GOOD_CHUNKED,
  },
  {
    name: "a chunk that is shorter than its size",
    wrong: `${CHUNKED}6\r\nhello\r\n0\r\n\r\n`,
    right: GOOD_CHUNKED,
    ends: true,
  },
  {
    name: "a body without its last chunk",
    wrong: `${CHUNKED}5\r\nhello\r\n`,
    right: GOOD_CHUNKED,
    ends: true,
  },
  {
    name: "a last chunk without the end of the trailers",
    wrong: `${CHUNKED}5\r\nhello\r\n0\r\n`,
    right: GOOD_CHUNKED,
    ends: true,
  },
  {
    name: "a bare LF after the last chunk",
    wrong: `${CHUNKED}5\r\nhello\r\n0\n\r\n`,
    right: GOOD_CHUNKED,
  },
  {
    name: "a folded trailer",
    wrong: `${CHUNKED}5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n`,
    right: `${CHUNKED}5\r\nhello\r\n0\r\nA: b\r\n\r\n`,
  },
  {
    name: "a trailer with a space before its colon",
    wrong: `${CHUNKED}5\r\nhello\r\n0\r\nA : b\r\n\r\n`,
    right: `${CHUNKED}5\r\nhello\r\n0\r\nA: b\r\n\r\n`,
  },
  {
    name: "a body that is shorter than its length",
    wrong: `${HEAD}Content-Length: 6\r\n\r\nhello`,
    right: GOOD,
    ends: true,
  },
];

const FLOODS: readonly Case[] = [
  {
    name: "too many fields",
    wrong: HEAD + fields(MAX_HTTP_FIELDS) + "Content-Length: 5\r\n\r\nhello",
    right: HEAD + fields(MAX_HTTP_FIELDS - 1) +
      "Content-Length: 5\r\n\r\nhello",
  },
  {
    name: "a head that is too long",
    wrong: headOf(MAX_HTTP_HEAD_BYTES + 1),
    right: headOf(MAX_HTTP_HEAD_BYTES),
  },
  {
    name: "a status line without end",
    wrong: "HTTP/1.1 200 " + "O".repeat(MAX_HTTP_HEAD_BYTES),
    right: "HTTP/1.1 204 " + "O".repeat(MAX_HTTP_HEAD_BYTES - 17) +
      "\r\n\r\n",
  },
  {
    name: "too many interim responses",
    wrong: "HTTP/1.1 103 A\r\n\r\n".repeat(MAX_HTTP_INTERIM_RESPONSES + 1) +
      GOOD,
    right: "HTTP/1.1 103 A\r\n\r\n".repeat(MAX_HTTP_INTERIM_RESPONSES) + GOOD,
  },
  {
    name: "too many trailers",
    wrong: `${CHUNKED}5\r\nhello\r\n0\r\n${fields(MAX_HTTP_FIELDS + 1)}\r\n`,
    right: `${CHUNKED}5\r\nhello\r\n0\r\n${fields(MAX_HTTP_FIELDS)}\r\n`,
  },
  {
    name: "a chunk extension that is too long",
    wrong: extensions(MAX_HTTP_CHUNK_EXTENSION_BYTES + 1),
    right: extensions(MAX_HTTP_CHUNK_EXTENSION_BYTES),
  },
  {
    name: "chunk extensions that are too long together",
    wrong: CHUNKED +
      `1;${"x".repeat(MAX_HTTP_CHUNK_EXTENSION_BYTES / 2)}\r\na\r\n`.repeat(2) +
      "0\r\n\r\n",
    right: CHUNKED +
      `1;${"x".repeat(MAX_HTTP_CHUNK_EXTENSION_BYTES / 2)}\r\na\r\n`.repeat(1) +
      "0\r\n\r\n",
  },
];

/** The error that refused a response, or its text. */
async function ask(origin: Origin, method = "GET"): Promise<unknown> {
  const pinned = origin.fetch();
  try {
    const response = await pinned("https://origin.example/", { method });
    return await response.text();
  } catch (error) {
    return error instanceof TypeError && error.cause ? error.cause : error;
  } finally {
    pinned.close();
  }
}

async function assertTaken({ right, method, ends }: Case): Promise<void> {
  const result = await ask(saying(right, ends || undefined), method);
  assertEquals(typeof result, "string", String(result));
}

async function assertRefused(one: Case): Promise<void> {
  const origin = saying(one.wrong, one.ends || undefined);
  const result = await ask(origin, one.method);
  assert(result instanceof ConnectionError, `${one.name}: ${String(result)}`);
  assertEquals(result.code, "ERR_CERTPIN_HTTP_PROTOCOL", one.name);
  assertEquals([origin.connections, origin.ended], [1, 1]);
}

/** Each case, and the same in one-byte pieces. */
export function smuggling(t: Harness): void {
  const groups = {
    "whose end is ambiguous": AMBIGUOUS_ENDS,
    "with malformed lines": LINES,
    "with malformed status lines": STATUS_LINES,
    "with malformed chunks": CHUNKS,
    "that flood": FLOODS,
  };
  for (const [title, cases] of Object.entries(groups)) {
    t.test(`the HTTP client refuses responses ${title}`, async () => {
      for (const one of cases) {
        await assertRefused(one);
        await assertTaken(one);
      }
    });
  }

  t.test("the HTTP client reads every split of a response alike", async () => {
    const responses = [GOOD, GOOD_CHUNKED, CHUNKS[0].right, CHUNKS[25].right];
    for (const text of responses) {
      const whole = await ask(saying(text));
      assertEquals(whole, "hello");
      for (let at = 1; at < text.length; at++) {
        const pieces = [text.slice(0, at), text.slice(at)];
        assertEquals(await ask(new Origin(() => ({ pieces }))), "hello");
      }
      const bytes = [...text];
      assertEquals(await ask(new Origin(() => ({ pieces: bytes }))), "hello");
    }
  });

  t.test("the HTTP client refuses a malformed response in any pieces", async () => {
    for (const { wrong } of [...AMBIGUOUS_ENDS, ...LINES, ...CHUNKS]) {
      const origin = new Origin(() => ({ pieces: [...wrong], end: true }));
      assert(await ask(origin) instanceof ConnectionError, wrong);
    }
  });
}
