const { createPinner } = require("@certpin/certpin");
const { createFetch, verdictOf } = require("@certpin/certpin/node");
const { mintChain } = require("@certpin/certpin/testing");
const schema = require("@certpin/certpin/schema.json");
const { body } = require("./body.mjs");

if (typeof schema.$schema !== "string") throw new Error("No schema");
body({ createPinner, createFetch, verdictOf, mintChain });
