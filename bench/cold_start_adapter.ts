/** What a cold start of an adapter does. */
import { createDispatcher } from "../src/adapters/node.ts";

const pin = `sha256/${"A".repeat(43)}=`;

/** A first pinner, and what stands on undici. */
export const dispatcher = createDispatcher(
  { version: 1, hosts: { "api.example.com": { pins: [pin] } } },
  { onWarning: () => {} },
);
