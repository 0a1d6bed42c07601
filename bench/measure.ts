/**
 * Measuring: side by side, interleaved, in one run.
 *
 * Times of a busy machine mean little; ratios of things that took turns mean
 * more. So every comparison runs its subjects round by round, each round in
 * another order, and reports the median of the rounds and the ratio to the
 * first subject's.
 *
 * @module
 */

/** Something to measure. */
export interface Subject {
  /** What it is, for people. */
  readonly name: string;
  /** Does it once. */
  run(): Promise<unknown>;
}

/** What came of one subject. */
export interface Measurement {
  /** The subject. */
  readonly name: string;
  /** Median over the rounds, milliseconds for one run. */
  readonly medianMs: number;
  /** Its median against that of the first subject. */
  readonly ratio: number;
}

/** A figure that a benchmark is to keep. */
export interface Goal {
  /** What is measured. */
  readonly name: string;
  /** In milliseconds. */
  readonly measuredMs: number;
  /** Most that it may be, in milliseconds. */
  readonly limitMs: number;
}

/** What a benchmark gives. */
export interface Report {
  /** A word to pick the benchmark by. */
  readonly name: string;
  /** What it shows. */
  readonly title: string;
  /** Compared subjects, the yardstick first; may be empty. */
  readonly measurements: readonly Measurement[];
  /** Figures to keep; may be empty. */
  readonly goals: readonly Goal[];
  /** Why nothing was measured. */
  readonly skipped?: string;
}

/** The value in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Measures subjects in turns. The first one is the yardstick. */
export async function compare(
  subjects: readonly Subject[],
  { rounds, runs }: {
    /** Rounds that count; two more go before them to warm up. */
    readonly rounds: number;
    /** Runs of each subject in a round. */
    readonly runs: number;
  },
): Promise<Measurement[]> {
  const warmUps = 2;
  const times = subjects.map((): number[] => []);
  for (let round = -warmUps; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const at = (turn + round + warmUps) % subjects.length;
      const start = performance.now();
      for (let i = 0; i < runs; i++) await subjects[at].run();
      if (round >= 0) times[at].push((performance.now() - start) / runs);
    }
  }
  const medians = times.map(median);
  return subjects.map(({ name }, at) => ({
    name,
    medianMs: medians[at],
    ratio: medians[at] / medians[0],
  }));
}
