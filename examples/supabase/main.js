/**
 * A Supabase client whose requests are pinned: npm install && npm start
 */
import process from "node:process";
// @ts-ignore: from npm, see package.json
import { createClient } from "@supabase/supabase-js";
import { createFetch } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const fetch = createFetch(policy);
const supabase = createClient(
  process.env.API ?? "https://api.example.com/",
  process.env.SUPABASE_KEY ?? "your key",
  { global: { fetch }, auth: { persistSession: false } },
);

try {
  const { data } = await supabase.from("notes").select().throwOnError();
  console.log(data);
} catch (error) {
  console.error(error.cause?.code ?? error.details, error.message);
  process.exitCode = 1;
} finally {
  await fetch.close();
}
