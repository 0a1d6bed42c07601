/**
 * Variables of the environment for the time of a test.
 */
import process from "node:process";

/** Sets variables of the environment while `act` runs. */
export async function withEnvironment(
  variables: Record<string, string>,
  act: () => Promise<void>,
): Promise<void> {
  const before = Object.keys(variables).map((name) =>
    [name, process.env[name]] as const
  );
  Object.assign(process.env, variables);
  try {
    await act();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
