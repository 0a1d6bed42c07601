/**
 * A ky instance whose every request is pinned: npm install && npm start
 */
import process from "node:process";
// @ts-ignore: from npm, see package.json
import ky from "ky";
import { createFetch } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const fetch = createFetch(policy);
const api = ky.create({ fetch, retry: 0 });

try {
  const url = process.env.API ?? "https://api.example.com/";
  console.log(await api.post(url, { json: { hello: "world" } }).text());
} catch (error) {
  console.error(error.cause?.cause?.code ?? error.cause?.code, error.message);
  process.exitCode = 1;
} finally {
  await fetch.close();
}
