/** Deep equality as `@std/assert` has it, getters and private state included. */

const TypedArray: abstract new () => ArrayLike<unknown> = Object.getPrototypeOf(
  Uint8Array,
);

/** Whether two values are the same, `NaN` to itself and 0 to -0. */
function same(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

function isPlainPrototype(prototype: unknown): boolean {
  return prototype === null || prototype === Object.prototype;
}

/** Every key that can be read, inherited ones included: getters live there. */
function readableKeys(value: object): Set<PropertyKey> {
  const keys = new Set<PropertyKey>();
  for (
    let at = value;
    at !== null && at !== Object.prototype && at !== Array.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const key of Reflect.ownKeys(at)) keys.add(key);
  }
  return keys;
}

/** Deep equality of two values. */
export function equal(left: unknown, right: unknown): boolean {
  const seen = new Map<object, object>();

  function elementsEqual(a: ArrayLike<unknown>, b: ArrayLike<unknown>) {
    return a.length === b.length &&
      Array.prototype.every.call(a, (element, i) => same(element, b[i]));
  }

  /** Pairs every entry of one collection with an equal one of the other. */
  function entriesEqual(
    a: readonly unknown[],
    b: readonly unknown[],
  ): boolean {
    const rest = [...b];
    return a.length === b.length && a.every((entry) => {
      const at = rest.findIndex((other) => compare(entry, other));
      if (at >= 0) rest.splice(at, 1);
      return at >= 0;
    });
  }

  function compare(a: unknown, b: unknown): boolean {
    if (same(a, b)) return true;
    if (
      typeof a !== "object" || typeof b !== "object" || a === null || b === null
    ) {
      return false;
    }
    const prototype = Object.getPrototypeOf(a);
    const other = Object.getPrototypeOf(b);
    if (
      prototype !== other &&
      !(isPlainPrototype(prototype) && isPlainPrototype(other))
    ) {
      return false;
    }
    if (a instanceof Date) {
      return same(a.getTime(), (b as Date).getTime());
    }
    if (a instanceof TypedArray) {
      return elementsEqual(a, b as ArrayLike<unknown>);
    }
    if (a instanceof ArrayBuffer) {
      return elementsEqual(
        new Uint8Array(a),
        new Uint8Array(b as ArrayBuffer),
      );
    }
    if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
    if (a instanceof WeakMap || a instanceof WeakSet) {
      throw new TypeError("Cannot compare weak collections");
    }
    if (seen.get(a) === b) return true;
    seen.set(a, b);
    if (a instanceof Set) return entriesEqual([...a], [...b as Set<unknown>]);
    if (a instanceof Map) {
      return entriesEqual([...a], [...b as Map<unknown, unknown>]);
    }
    if (Object.keys(a).length !== Object.keys(b).length) return false;
    const keys = new Set([...readableKeys(a), ...readableKeys(b)]);
    for (const key of keys) {
      if ((key in a) !== (key in b)) return false;
      if (!compare(Reflect.get(a, key), Reflect.get(b, key))) return false;
    }
    return true;
  }

  return compare(left, right);
}
