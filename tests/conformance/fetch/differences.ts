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
    behaviours: ["leaves patch as it is"],
    runtimes: ["bun"],
    own: "writes it in upper case",
    reason: "the standard leaves it, since servers may tell the two apart",
  },
  {
    behaviours: [
      "refuses the method CONNECT",
      "refuses the method TRACE",
      "refuses the method TRACK",
      "refuses the method trace",
      "refuses a method that is no token",
      "refuses an empty method",
    ],
    runtimes: ["bun"],
    own: "sends the method, or GET instead",
    reason: "the standard refuses it; another method is another request",
  },
  {
    behaviours: [
      "refuses a mode that nobody knows",
      "refuses the mode navigate",
      "refuses credentials that nobody knows",
      "refuses a cache mode that nobody knows",
      "refuses only-if-cached",
      "refuses a referrer policy that nobody knows",
    ],
    runtimes: ["deno2.8", "bun"],
    own: "ignores the option",
    reason: "the standard refuses it",
  },
  {
    behaviours: ["refuses a window"],
    runtimes: ["deno", "bun"],
    own: "ignores the option",
    reason: "the standard refuses it",
  },
  {
    behaviours: ["refuses credentials in the URL"],
    runtimes: ["deno", "bun"],
    own: "makes an authorization header of them",
    reason: "the standard refuses them: URLs end up in logs",
  },
  {
    behaviours: ["trims a value"],
    runtimes: ["node"],
    own: "keeps what stands after the value",
    reason: "the standard takes spaces and tabs off",
  },
  {
    behaviours: [
      "refuses a transfer coding",
      "refuses an upgrade",
      "refuses keep-alive",
      "refuses expect",
    ],
    runtimes: ["deno", "bun"],
    own: "sends or drops the header",
    reason: "it speaks of the connection, which the caller does not hold",
  },
  {
    behaviours: [
      "sends the cache mode no-store",
      "sends the cache mode no-cache",
      "asks caches to look again with a condition",
    ],
    runtimes: ["deno", "bun"],
    own: "sends no header for it",
    reason: "the standard tells caches on the way",
  },
  {
    behaviours: ["sends no Host that the caller gives"],
    runtimes: ["bun"],
    own: "sends it",
    reason: "the standard sends the URL's, which is the one that is pinned",
  },
  {
    behaviours: [
      "refuses set() on a response's headers",
      "refuses append() on a response's headers",
      "refuses delete() on a response's headers",
    ],
    runtimes: ["bun"],
    own: "changes them",
    reason: "the standard makes them immutable",
  },
  {
    behaviours: ["reads a Location as UTF-8"],
    runtimes: ["deno"],
    own: "reads it as Latin-1",
    reason: "servers send UTF-8, and browsers read it",
  },
  {
    behaviours: ["refuses credentials in a redirect to another origin"],
    runtimes: ["deno", "bun"],
    own: "follows, and shows them in the URL",
    reason: "the standard refuses them",
  },
  {
    behaviours: ["gives a redirect without a Location"],
    runtimes: ["deno"],
    own: "loses the body",
    reason: "the standard gives the response as it is",
  },
  {
    behaviours: [
      "gives no fragment in the URL",
      "says basic as its type",
      "says where it came from after two redirects",
    ],
    runtimes: ["bun"],
    own: "shows the fragment, and says default",
    reason: "the standard shows none, and says basic",
  },
  {
    behaviours: ["refuses the 21st redirect"],
    runtimes: ["bun"],
    own: "follows more",
    reason: "the standard ends after 20",
  },
  {
    behaviours: ["goes over one connection through a redirect"],
    runtimes: ["node"],
    own: "opens another connection",
    reason: "the first one is still good",
  },
  {
    behaviours: [
      "takes a buffer to read into",
      "takes a buffer to read into, with a signal",
    ],
    runtimes: ["bun"],
    own: "refuses such a reader",
    reason: "the standard makes bodies streams of bytes",
  },
  {
    behaviours: ["fails on a length beside chunks"],
    runtimes: ["deno", "bun"],
    own: "ignores the length",
    reason: "who smuggles responses sends both (RFC 9112, section 6.3)",
  },
  {
    behaviours: [
      "refuses a body that does not match",
      "counts the strongest digests alone",
      "refuses integrity without a body",
    ],
    runtimes: ["deno", "bun"],
    own: "ignores integrity",
    reason: "who asks for it needs it",
  },
  {
    behaviours: ["asks again on a connection that the server had closed"],
    runtimes: ["deno", "node"],
    own: "fails",
    reason: "such a request may be sent twice (RFC 9110, section 9.2.2)",
  },
  {
    behaviours: ["cancels the stream that is being sent"],
    runtimes: ["node"],
    own: "leaves it open",
    reason: "nobody reads it any more",
  },
  {
    behaviours: ["says a cause where nobody listens"],
    runtimes: ["deno2.8", "bun"],
    own: "says none",
    reason: "the cause tells what failed",
  },
  {
    behaviours: [
      "fails on a stream that gives something else than bytes",
    ],
    runtimes: ["deno2.8"],
    own: "hangs",
    reason: "a request ends",
  },
  {
    behaviours: ["takes the coding's name in any case"],
    runtimes: ["deno2.8"],
    own: "knows it in lower case alone",
    reason: "RFC 9110 does not tell them apart",
  },
  {
    behaviours: ["takes an empty body for nothing encoded"],
    runtimes: ["deno2.8"],
    own: "fails",
    reason: "servers name a coding for empty bodies too",
  },
  {
    behaviours: ["keeps the header of what it has decoded"],
    runtimes: ["deno2.8"],
    own: "drops the header",
    reason: "the standard keeps it",
  },
  {
    behaviours: ["keeps a query that is empty"],
    runtimes: ["node22"],
    own: "drops the question mark",
    reason: "it is part of the URL",
  },
  {
    behaviours: ["fails a body that nobody reads yet"],
    runtimes: ["node22"],
    own: "fails it with an AbortError",
    reason: "the standard fails it with the signal's reason",
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
    runtimes: ["deno2.9"],
    own: "loses all members but the first",
    reason: "RFC 1952 allows several",
  },
  {
    behaviours: ["fails on bytes after gzip"],
    runtimes: ["deno2.9", "bun"],
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
