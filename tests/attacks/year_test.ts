import { assert, assertEquals } from "@std/assert";
import {
  CLIENTS,
  DAYS,
  lagsOfClients,
  mintYear,
  runYear,
  STRATEGIES,
  type YearResult,
} from "../../tools/year/simulate.ts";
import { yearFiles } from "../../tools/year/main.ts";
import { ROOT } from "../../tools/suite/paths.ts";
import { everything } from "../conformance/skip.ts";

/** Every day, or every fifth; the plan is always held to every day. */
const STEP = everything() ? 1 : 5;

const world = await mintYear();

const total = (
  { days }: YearResult,
  key: "refused" | "fooled" | "robbed",
): number => days.reduce((all, day) => all + day[key], 0);

Deno.test("every client has a lag", () => {
  const lags = lagsOfClients();
  assertEquals(lags.reduce((all, clients) => all + clients, 0), CLIENTS);
  assert(lags.at(-1)! > 0 && lags[0] > 0);
});

Deno.test("a client that follows the plan is never locked out and never fooled, on any day of the year", async () => {
  const [plan] = STRATEGIES;
  assertEquals(plan.name, "plan");
  const result = await runYear(plan, world);
  assertEquals(result.days.length, DAYS);
  for (const { day, refused, fooled } of result.days) {
    assertEquals([refused, fooled], [0, 0], `day ${day}`);
  }
  // The thief has the pinned key itself: only a newer policy ends that.
  const robbed = result.days.filter(({ robbed }) => robbed > 0);
  // For the last clients its certificate does, 60 days after the theft.
  assert(robbed.length > 0 && robbed.length <= 60, `${robbed.length}`);
  assert(robbed.at(-1)!.robbed < robbed[0].robbed);
});

Deno.test("the other ways to pin have the outages and breaches that the README warns of", async () => {
  const results = new Map<string, YearResult>();
  for (const strategy of STRATEGIES.slice(1)) {
    results.set(strategy.name, await runYear(strategy, world, STEP));
  }
  const [certificate, intermediate, root] = [
    "certificate",
    "intermediate",
    "root",
  ]
    .map((name) => results.get(name)!);
  assert(total(certificate, "refused") > total(intermediate, "refused"));
  assert(total(intermediate, "refused") > total(root, "refused"));
  assert(total(root, "refused") > 0);
  assertEquals(total(certificate, "fooled"), 0);
  assert(total(intermediate, "fooled") > 0);
  for (const { fooled } of root.days) assertEquals(fooled, CLIENTS);
});

Deno.test({
  name: "docs/year.md and its chart are what the simulation gives",
  ignore: !everything(),
  async fn() {
    const results: YearResult[] = [];
    for (const strategy of STRATEGIES) {
      results.push(await runYear(strategy, world));
    }
    for (const [path, text] of await yearFiles(results)) {
      assertEquals(await Deno.readTextFile(new URL(path, ROOT)), text, path);
    }
  },
});
