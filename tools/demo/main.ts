/**
 * `deno task demo`. Exit status 0 only if everything happened that it claims.
 *
 * @module
 */
import { runDemo } from "./demo.ts";
import { Screen } from "./screen.ts";

const coloured = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
const screen = new Screen(coloured, (line) => console.log(line));
const folder = await Deno.makeTempDir({ prefix: "certpin-demo-" });
console.log(
  "certpin: certificates minted in memory, real TLS servers on loopback",
);
try {
  await runDemo({ screen, folder });
} catch (error) {
  screen.failures.push(String(error));
  console.error(error);
} finally {
  await Deno.remove(folder, { recursive: true });
}
const { failures, paint } = screen;
console.log("");
if (failures.length === 0) {
  console.log(paint.green("Everything happened as it should."));
} else {
  console.log(paint.red(`${failures.length} did not happen as it should:`));
  for (const failure of failures) console.log(`   ${failure}`);
  Deno.exitCode = 1;
}
