/**
 * The assertions of `@std/assert` that certpin's tests use. `node:assert`
 * describes differences where the runtime has it.
 */
import { equal } from "./equal.ts";

export { equal };

interface NodeAssert {
  deepStrictEqual(actual: unknown, expected: unknown): void;
}

interface WithBuiltins {
  readonly process?: {
    getBuiltinModule?(name: "node:assert"): NodeAssert | undefined;
  };
}

/** What a failed assertion throws. */
export class AssertionError extends Error {
  /** Makes the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

function refuse(message: string, msg?: string): never {
  throw new AssertionError(msg ? `${message}: ${msg}` : `${message}.`);
}

/** What `node:assert` says of two values, or something short. */
function difference(actual: unknown, expected: unknown): string {
  try {
    (globalThis as WithBuiltins).process?.getBuiltinModule?.("node:assert")
      ?.deepStrictEqual(actual, expected);
  } catch (error) {
    return (error as Error).message;
  }
  return `Expected ${String(actual)} to equal ${String(expected)}`;
}

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) refuse(msg || "Expected a truthy value");
}

/** What `assertFalse` lets pass. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** Asserts that `expr` is falsy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) refuse(msg || "Expected a falsy value");
}

/** Fails. */
export function fail(msg?: string): never {
  refuse("Failed assertion", msg);
}

/** Asserts deep equality. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) refuse(difference(actual, expected), msg);
}

/** Asserts deep inequality. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) refuse("Expected values to differ", msg);
}

/** Asserts identity, as `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    refuse(`Expected ${String(actual)} to be ${String(expected)}`, msg);
  }
}

/** Asserts that the value is neither null nor undefined. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    refuse(`Expected a value, got ${actual}`, msg);
  }
}

/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (!actual.includes(expected)) {
    refuse(
      `Expected ${JSON.stringify(actual)} to include ${
        JSON.stringify(expected)
      }`,
      msg,
    );
  }
}

/** Asserts that `actual` matches the expression. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (!expected.test(actual)) {
    refuse(`Expected ${JSON.stringify(actual)} to match ${expected}`, msg);
  }
}

/** Asserts that the value is an instance of the class. */
export function assertInstanceOf<
  // deno-lint-ignore no-explicit-any -- the real signature
  T extends abstract new (...args: any[]) => any,
>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (!(actual instanceof expectedType)) {
    refuse(`Expected an instance of ${expectedType.name}`, msg);
  }
}

// deno-lint-ignore no-explicit-any -- the real signature
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** Checks what was thrown; anything will do where no class is given. */
function checkThrown<E extends Error>(
  thrown: unknown,
  expected: ErrorClass<E> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): unknown {
  if (typeof expected !== "function") return thrown;
  if (!(thrown instanceof Error)) {
    refuse(`Expected an Error, got ${String(thrown)}`, msg);
  }
  if (!(thrown instanceof expected)) {
    refuse(
      `Expected ${expected.name}, got ${thrown.constructor.name}: ${thrown.message}`,
      msg,
    );
  }
  if (msgIncludes) assertStringIncludes(thrown.message, msgIncludes, msg);
  return thrown;
}

/** Asserts that the function throws; returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that the function throws an error of this class; returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  expected?: ErrorClass<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const note = typeof expected === "string" ? expected : msg;
  try {
    fn();
  } catch (thrown) {
    return checkThrown(thrown, expected, msgIncludes, note);
  }
  return refuse("Expected the function to throw", note);
}

/** Asserts that the promise rejects; returns what with. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Asserts that the promise rejects with an error of this class; returns it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  expected?: ErrorClass<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const note = typeof expected === "string" ? expected : msg;
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    // The same refusal as for a function that returns no promise.
  }
  if (typeof promise?.then !== "function") {
    return refuse("Expected a rejected promise, but the function threw", note);
  }
  try {
    await promise;
  } catch (thrown) {
    return checkThrown(thrown, expected, msgIncludes, note);
  }
  return refuse("Expected the promise to reject", note);
}
