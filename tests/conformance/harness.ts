/**
 * What a runtime-neutral test body is given, and what a launcher must bring.
 *
 * A body is a function `(t: Harness) => void` that registers tests; it touches
 * no `Deno.test`, `node:test` or `bun:test`. A launcher for a runtime is a few
 * lines: it implements {@linkcode Runner} over that runtime's test runner,
 * makes a harness with {@linkcode createHarness} and calls the bodies.
 */

/** The runtimes that launchers exist for. */
export type RuntimeName = "deno" | "node" | "bun" | "workerd" | "browser";

/** What a launcher implements. */
export interface Runner {
  readonly runtime: RuntimeName;
  /** Of the runtime, as it prints it: `2.9.6`. */
  readonly version: string;
  /** Registers one test. */
  register(name: string, body: () => Promise<void>): void;
}

/** One cell of the table of features by runtime, as a test found it. */
export interface FeatureResult {
  readonly runtime: RuntimeName;
  readonly version: string;
  readonly feature: string;
  /** `works`, `fails`, or the defect of the runtime for which we refuse. */
  readonly outcome: string;
}

/** Says that a feature is refused here, and which defect of the runtime is why. */
export class Refused {
  constructor(readonly defect: string) {}
}

/** What a body uses. */
export interface Harness {
  readonly runtime: RuntimeName;
  readonly version: string;
  /** Registers a test; it fails when the body throws, or takes 10 s or what is said. */
  test(
    name: string,
    body: () => void | Promise<void>,
    hangMilliseconds?: number,
  ): void;
  /**
   * Registers a test that fills one cell of the feature table. The body
   * returns a {@linkcode Refused} where it has shown that we refuse.
   */
  feature(
    feature: string,
    name: string,
    body: () => void | Refused | Promise<void | Refused>,
  ): void;
}

/** A body of tests. */
export type Body = (t: Harness) => void;

/** Guard against hangs, in milliseconds; no test asserts a time. */
const HANG_MS = 10_000;

/** Rejects when `body` has not ended after {@linkcode HANG_MS}. */
export async function guarded<T>(
  body: () => T | Promise<T>,
  milliseconds: number = HANG_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      (async () => await body())(),
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`Still not done after ${milliseconds} ms`)),
          milliseconds,
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** Makes a harness; `onFeature` is called once for each feature test that ran. */
export function createHarness(
  runner: Runner,
  onFeature: (result: FeatureResult) => void = () => {},
): Harness {
  const { runtime, version } = runner;
  return {
    runtime,
    version,
    test(name, body, hangMilliseconds) {
      runner.register(name, async () => {
        await guarded(body, hangMilliseconds);
      });
    },
    feature(feature, name, body) {
      runner.register(name, async () => {
        let outcome = "fails";
        try {
          const result = await guarded(body);
          outcome = result instanceof Refused ? result.defect : "works";
        } finally {
          onFeature({ runtime, version, feature, outcome });
        }
      });
    },
  };
}
