/**
 * What `permissions_test.ts` runs with few permissions: connects, and prints
 * one line of JSON.
 */
import {
  connectTls,
  createFetch,
  verdictOf,
} from "../../../src/adapters/deno.ts";

const [way, port, policy, ca] = Deno.args;

async function attempt() {
  if (way === "createFetch") {
    await using fetch = createFetch(policy, { ca });
    const response = await fetch(`https://localhost:${port}/`);
    await response.text();
    return verdictOf(response);
  }
  using conn = await connectTls(policy, {
    hostname: "localhost",
    port: Number(port),
    ca,
    onWarning: () => {},
  });
  return verdictOf(conn);
}

/** A message with those of its causes. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { code } = error as { code?: string };
  return `${error.name} ${code ?? ""} ${error.message} ${
    describe(error.cause)
  }`;
}

try {
  const verdict = await attempt();
  console.log(JSON.stringify({
    reason: verdict?.reason,
    anchored: verdict?.path?.anchored,
    warnings: verdict?.warnings.map(({ code }) => code),
    severities: verdict?.warnings.map(({ severity }) => severity),
  }));
} catch (error) {
  console.log(JSON.stringify({ error: describe(error) }));
}
