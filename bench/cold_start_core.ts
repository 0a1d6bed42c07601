/** What a cold start of the core imports. */
export * from "../mod.ts";
