/**
 * A pinned fetch and a pinned socket: bun install && bun start
 */
import process from "node:process";
import { connect, createFetch } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const url = new URL(process.env.API ?? "https://api.example.com/");

// Bun's own fetch cannot be pinned: it takes no dispatcher.
const fetch = createFetch(policy);
console.log(await (await fetch(url)).text());
await fetch.close();

const socket = await connect(policy, {
  host: url.hostname,
  port: Number(url.port || 443),
});
console.log("connected with", socket.getProtocol());
socket.destroy();
