/**
 * `deno task soak`: ten minutes of requests to servers of every temper.
 *
 * @module
 */
import { soakAndCheck } from "../tests/conformance/fetch/soak.ts";

const MINUTES = Number(Deno.args[0] ?? 10);
if (!(MINUTES > 0)) {
  console.error("Usage: deno task soak [minutes]");
  Deno.exit(2);
}

/** Requests between two looks at what the process holds. */
const REQUESTS = 20_000;

const until = Date.now() + MINUTES * 60_000;
let total = 0;
while (Date.now() < until) {
  const { kinds, impostorHandshakes, heap } = await soakAndCheck({
    requests: REQUESTS,
    until,
  }, Date.now() + 60_000 < until);
  total += Object.values(kinds).reduce((sum, count) => sum + count, 0);
  const megabytes = heap.map((bytes) => (bytes / 1e6).toFixed(1)).join(", ");
  console.log(
    `${total} requests ended as they should; the impostor was reached ${impostorHandshakes} times and got 0 bytes; heap ${megabytes} MB`,
  );
}
