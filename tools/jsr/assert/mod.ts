/**
 * The assertions of `@std/assert` that certpin's tests use, over `node:assert`.
 */
import { AssertionError, deepStrictEqual } from "node:assert";

export { AssertionError };

function fail_(message: string, msg?: string): never {
  throw new AssertionError({ message: msg ? `${message}: ${msg}` : message });
}

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) fail_(msg || "Expected a truthy value");
}

/** Asserts that `expr` is falsy. */
export function assertFalse(expr: unknown, msg = ""): void {
  if (expr) fail_(msg || "Expected a falsy value");
}

/** Fails. */
export function fail(msg?: string): never {
  fail_("Failed assertion", msg);
}

/** Asserts deep equality. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (cause) {
    fail_((cause as Error).message, msg);
  }
}

/** Asserts deep inequality. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch {
    return;
  }
  fail_("Expected values to differ", msg);
}

/** Asserts identity, as `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    fail_(`Expected ${String(actual)} to be ${String(expected)}`, msg);
  }
}

/** Asserts that the value is neither null nor undefined. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    fail_(`Expected a value, got ${actual}`, msg);
  }
}

/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (!actual.includes(expected)) {
    fail_(
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
    fail_(`Expected ${JSON.stringify(actual)} to match ${expected}`, msg);
  }
}

// deno-lint-ignore no-explicit-any -- the real signature
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

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
    fail_(`Expected an instance of ${expectedType.name}`, msg);
  }
}

function checkError<E extends Error>(
  error: unknown,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E {
  if (!(error instanceof Error)) {
    fail_(`Expected an Error, got ${String(error)}`, msg);
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    fail_(
      `Expected ${ErrorClass.name}, got ${error.constructor.name}: ${error.message}`,
      msg,
    );
  }
  if (msgIncludes) assertStringIncludes(error.message, msgIncludes, msg);
  return error as E;
}

/** Asserts that the function throws; returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E {
  try {
    fn();
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes, msg);
  }
  return fail_("Expected the function to throw", msg);
}

/** Asserts that the promise rejects; returns the error. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E> {
  let promise;
  try {
    promise = fn();
  } catch {
    return fail_("Expected a rejected promise, but it threw", msg);
  }
  try {
    await promise;
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes, msg);
  }
  return fail_("Expected the promise to reject", msg);
}
