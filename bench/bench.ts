/**
 * What a benchmark is given, and what it gives.
 *
 * @module
 */
import type { MintedChain } from "../src/testing/mod.ts";
import type { Ratio } from "./measure.ts";

/** The runtimes that are measured. */
export const RUNTIMES = ["deno", "node", "bun"] as const;

/** A runtime that is measured. */
export type BenchRuntime = typeof RUNTIMES[number];

/** Certificate and key of a name, as PEM. */
export interface Identity {
  readonly name: string;
  readonly cert: string;
  readonly key: string;
}

/** What a benchmark is run with. */
export interface Context {
  readonly runtime: BenchRuntime;
  /** What the server presents for 127.0.0.1. */
  readonly chain: Pick<MintedChain, "policy" | "ca">;
  /** Names with a chain of their own each, all under one pinned key. */
  readonly fresh: {
    readonly names: readonly string[];
    readonly pin: string;
    readonly ca: string;
  };
  /** Of the server, on 127.0.0.1. */
  readonly port: number;
  /** JavaScript files by what they import, for cold starts. */
  readonly imports: Readonly<Record<string, string>>;
}

/** One line of the results. */
export interface Row {
  readonly what: string;
  readonly against: string;
  readonly value: number;
  /** The middle half of the pairs. */
  readonly spread?: readonly [number, number];
  readonly unit: "x" | "ms";
  readonly goal: number;
  /** Whether more than the goal is better, or less. */
  readonly better: "more" | "less";
}

/** A benchmark. */
export interface Bench {
  /** A word to pick it by. */
  readonly name: string;
  /** Default: all of them. */
  readonly runtimes?: readonly BenchRuntime[];
  run(context: Context): AsyncGenerator<Row>;
}

/** Whether a row keeps its goal. */
export function isMet({ value, goal, better }: Row): boolean {
  return better === "more" ? value >= goal : value <= goal;
}

/** A row that says how many times as fast something is. */
export function asRate(
  what: string,
  against: string,
  { median, spread: [low, high] }: Ratio,
  goal: number,
): Row {
  return {
    what,
    against,
    value: 1 / median,
    spread: [1 / high, 1 / low],
    unit: "x",
    goal,
    better: "more",
  };
}

/** A row that says how many times as long something takes. */
export function asTime(
  what: string,
  against: string,
  { median, spread }: Ratio,
  goal: number,
): Row {
  return {
    what,
    against,
    value: median,
    spread,
    unit: "x",
    goal,
    better: "less",
  };
}
