/**
 * A handler for Deno Deploy and other edges that run on Deno: it asks a pinned
 * API, and answers 502 where the API's server is not the one that it should be.
 *
 * deno serve -A main.ts
 */
import { CertpinError } from "@certpin/certpin";
import { createFetch } from "@certpin/certpin/deno";
import policy from "./pins.json" with { type: "json" };

const api = Deno.env.get("API") ?? "https://api.example.com/";

// One an isolate: connections live as long as it does.
const fetch = createFetch(policy);

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    try {
      return await fetch(new URL(pathname + search, api));
    } catch (error) {
      const { cause } = error as Error;
      if (!(cause instanceof CertpinError)) throw error;
      console.error(JSON.stringify(cause));
      return new Response(`${cause.code}\n`, { status: 502 });
    }
  },
} satisfies Deno.ServeDefaultExport;
