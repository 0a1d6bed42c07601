/**
 * A Worker in front of an API and a database, both pinned.
 *
 * Workers cannot see the certificates of their own `fetch`, nor of TLS sockets.
 * Here certpin speaks TLS itself, over a plain socket.
 */
import { createFetch, type PinnedFetch } from "@certpin/certpin/workers";
import policy from "./pins.json" with { type: "json" };
import { queryPostgres } from "./postgres.ts";

/** What the Worker's settings give it. */
interface Environment {
  /** The roots to trust, as PEM. */
  readonly ROOTS: string;
  /** Another policy as JSON text, instead of pins.json. */
  readonly POLICY?: string;
  /** The API. */
  readonly API?: string;
  /** The database, as `postgres://user@host:port/name`. */
  readonly DATABASE?: string;
}

/** One for all requests: each uses the connections that it opened itself. */
let pinned: PinnedFetch | undefined;

export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    const pins = env.POLICY ?? policy;
    const { pathname, search } = new URL(request.url);
    try {
      if (pathname === "/database") {
        const database = env.DATABASE ?? "postgres://app@db.example.com/app";
        const rows = await queryPostgres(pins, {
          url: database,
          ca: env.ROOTS,
          sql: "SELECT 1 AS one",
        });
        return Response.json(rows);
      }
      pinned ??= createFetch(pins, { ca: env.ROOTS });
      const api = env.API ?? "https://api.example.com";
      return await pinned(new URL(pathname + search, api));
    } catch (error) {
      const { cause = error } = error as Error;
      const { code = "unknown" } = cause as { code?: string };
      console.error(cause);
      return new Response(`${code}\n`, { status: 502 });
    }
  },
};
