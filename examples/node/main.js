/**
 * A pinned fetch, and what a refusal looks like: npm install && npm start
 */
import process from "node:process";
import { createFetch, verdictOf } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const url = process.env.API ?? "https://api.example.com/";

// One for the whole program: it keeps its connections alive.
const fetch = createFetch(policy);

try {
  const response = await fetch(url);
  for (const { pin, role } of verdictOf(response).matched) {
    console.log(`${role} matches ${pin}`);
  }
  console.log(await response.text());
} catch (error) {
  if (!error.cause?.code?.startsWith("ERR_CERTPIN_")) throw error;
  console.error(`${error.cause.code}: ${error.cause.message}`);
  process.exitCode = 1;
} finally {
  await fetch.close();
}
