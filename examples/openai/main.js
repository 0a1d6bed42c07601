/**
 * The OpenAI SDK behind your own gateway, pinned: npm install && npm start
 */
import process from "node:process";
// @ts-ignore: from npm, see package.json
import OpenAI from "openai";
import { createFetch } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const fetch = createFetch(policy);
const openai = new OpenAI({
  baseURL: new URL("v1", process.env.API ?? "https://api.example.com/").href,
  apiKey: process.env.OPENAI_API_KEY ?? "your key",
  fetch,
  maxRetries: 0,
});

try {
  const { choices } = await openai.chat.completions.create({
    model: "gpt-5",
    messages: [{ role: "user", content: "Say hello" }],
  });
  console.log(choices[0].message.content);
} catch (error) {
  console.error(error.cause?.cause?.code, error.message);
  process.exitCode = 1;
} finally {
  await fetch.close();
}
