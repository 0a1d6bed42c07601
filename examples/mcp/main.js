/**
 * An MCP client over pinned HTTP: npm install && npm start
 */
import process from "node:process";
// @ts-ignore: from npm, see package.json
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-ignore: from npm, see package.json
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { createFetch } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const fetch = createFetch(policy);
const client = new Client({ name: "example", version: "1.0.0" });

try {
  const url = new URL("mcp", process.env.API ?? "https://api.example.com/");
  await client.connect(new StreamableHTTPClientTransport(url, { fetch }));
  const { tools } = await client.listTools();
  console.log(tools.map(({ name }) => name));
} catch (error) {
  console.error(error.cause?.code ?? error.code, error.message);
  process.exitCode = 1;
} finally {
  await client.close();
  await fetch.close();
}
