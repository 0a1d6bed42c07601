/**
 * The one workshop of all tests here: opening it takes as long as building and
 * installing the package does.
 *
 * @module
 */
import { Workshop } from "./workshop.ts";

/** Open while tests run. */
export let workshop: Workshop;

Deno.test.beforeAll(async () => {
  workshop = await Workshop.open();
});
Deno.test.afterAll(async () => {
  await workshop[Symbol.asyncDispose]();
});
