/**
 * An axios instance whose every connection is pinned: npm install && npm start
 */
import process from "node:process";
// @ts-ignore: from npm, see package.json
import axios from "axios";
import { createAgent } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const agent = createAgent(policy, { keepAlive: true });

export const api = axios.create({
  baseURL: process.env.API ?? "https://api.example.com/",
  httpsAgent: agent,
  httpAgent: agent, // a redirect to http: is refused, not followed
  proxy: false, // a proxy is given to createAgent instead
});

try {
  const { data } = await api.get("/");
  console.log(data);
} catch (error) {
  console.error(error.cause?.code ?? error.code, error.message);
  process.exitCode = 1;
} finally {
  agent.destroy();
}
