import { createPinner } from "@certpin/certpin";
import { createFetch, verdictOf } from "@certpin/certpin/node";
import { mintChain } from "@certpin/certpin/testing";
import schema from "@certpin/certpin/schema.json" with { type: "json" };
import { body } from "./body.mjs";

if (typeof schema.$schema !== "string") throw new Error("No schema");
await body({ createPinner, createFetch, verdictOf, mintChain });
