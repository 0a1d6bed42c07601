/**
 * A pinned fetch, and what a refusal looks like.
 *
 * deno run --allow-net --allow-sys --allow-env main.ts
 */
import { CertpinError } from "@certpin/certpin";
import { createFetch, verdictOf } from "@certpin/certpin/deno";
import policy from "./pins.json" with { type: "json" };

const url = Deno.env.get("API") ?? "https://api.example.com/";

// One for the whole program: it keeps its connections alive.
const fetch = createFetch(policy);

try {
  const response = await fetch(url);
  const verdict = verdictOf(response);
  for (const { pin, role } of verdict?.matched ?? []) {
    console.log(`${role} matches ${pin}`);
  }
  console.log(await response.text());
} catch (error) {
  const cause = (error as Error).cause;
  if (!(cause instanceof CertpinError)) throw error;
  console.error(`${cause.code}: ${cause.message}`);
  Deno.exitCode = 1;
} finally {
  await fetch.close();
}
