/**
 * Where `createFetch` differs from a runtime's own `fetch`, and why.
 */

/** One reason, and the behaviours that it is about. */
export interface Difference {
  /** Names of behaviours; the tests fail where one does not differ any more. */
  readonly behaviours: readonly string[];
  /** Where: `node`, `deno`, `bun`, or with a version as in `node22`, `deno2.8`. */
  readonly runtimes: readonly string[];
  /** What the runtime's own `fetch` does. */
  readonly own: string;
  /** Why `createFetch` does otherwise. */
  readonly reason: string;
}

/** All of them. */
export const DIFFERENCES: readonly Difference[] = [
  {
    behaviours: [
      "sends text",
      "sends empty text",
      "makes text of other values",
      "takes the length that the caller names, if it is right",
      "sends a body with DELETE",
      "sends a body with PATCH",
    ],
    runtimes: ["bun"],
    own: "sends text without a content type",
    reason: "the standard names text/plain;charset=UTF-8",
  },
  {
    behaviours: ["sends an empty stream"],
    runtimes: ["deno", "bun"],
    own: "sends an empty stream in chunks",
    reason: "a length of 0 says the same",
  },
  {
    behaviours: ['refuses duplex: "full"'],
    runtimes: ["deno", "bun"],
    own: "ignores duplex",
    reason: "the standard knows no other value than half",
  },
  {
    behaviours: ["fails when the stream fails"],
    runtimes: ["bun"],
    own: "rejects with the stream's error itself",
    reason: "the standard rejects with a TypeError; the error is its cause",
  },
  {
    behaviours: ["refuses a length that is wrong"],
    runtimes: ["deno", "bun"],
    own: "sends the right length instead",
    reason: "a caller that is wrong about the length has lost data",
  },
  {
    behaviours: ["refuses a length that is wrong"],
    runtimes: ["node24", "node26"],
    own: "hangs",
    reason: "a request ends",
  },
  {
    behaviours: ["takes the length that the caller names, if it is right"],
    runtimes: ["node22"],
    own: "rejects, since it counts the length twice",
    reason: "a length that is right does no harm",
  },
  {
    behaviours: [
      "decodes x-gzip",
      "decodes deflate",
      "decodes deflate that lacks zlib's format",
      "fails on text that claims to be deflate",
      "fails on deflate that is cut off",
    ],
    runtimes: ["deno"],
    own: "decodes gzip and br alone, and gives the rest encoded",
    reason: "RFC 9110 names these codings, and the header asks for deflate",
  },
  {
    behaviours: [
      "decodes codings that are stacked",
      "fails on more codings than anybody stacks",
    ],
    runtimes: ["deno", "bun"],
    own: "does not decode more than one coding",
    reason: "the standard undoes all of them",
  },
  {
    behaviours: ["decodes two gzip members"],
    runtimes: ["deno"],
    own: "loses all members but the first",
    reason: "RFC 1952 allows several",
  },
  {
    behaviours: ["fails on bytes after gzip"],
    runtimes: ["deno", "bun"],
    own: "loses what comes after gzip",
    reason: "what cannot be decoded is an error",
  },
  {
    behaviours: [
      "fails on gzip that is cut off",
      "fails on deflate that is cut off",
      "fails on br that is cut off",
    ],
    runtimes: ["node"],
    own: "takes an encoded body that is cut off for a whole one",
    reason: "an attacker could choose where a body ends",
  },
  {
    behaviours: ["asks for the part of a body without a coding"],
    runtimes: ["bun"],
    own: "asks for an encoded part",
    reason: "the part of an encoded body cannot be decoded",
  },
  {
    behaviours: [
      "gives 299",
      "gives 600",
      "gives 999",
      "gives a reason of its own",
      "gives an empty reason",
      "gives a status without a reason",
      "gives a reason beyond Latin-1",
    ],
    runtimes: ["deno"],
    own: "tells the usual reason phrase, not the server's",
    reason: "the standard gives the server's",
  },
  {
    behaviours: ["gives a reason with a control character"],
    runtimes: ["deno", "bun"],
    own: "refuses the response",
    reason: "as Node: the phrase decides nothing",
  },
  {
    behaviours: ["refuses 101 where nothing was asked to change"],
    runtimes: ["deno"],
    own: "gives the response",
    reason: "nothing was upgraded; the connection speaks no HTTP any more",
  },
];
