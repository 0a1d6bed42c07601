/** What the adapter is compared with. */
export * from "pkijs";
export { Agent } from "undici/index.js";
