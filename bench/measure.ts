/**
 * Measuring: side by side, interleaved, in one run.
 *
 * Times of a busy machine mean little; ratios of things that took turns mean
 * more. So every comparison runs its two subjects in pairs, each pair in the
 * other order, takes the ratio of each pair, and reports the median of these.
 *
 * @module
 */

/** Something to measure. */
export interface Subject {
  /** What it is, for people. */
  readonly name: string;
  /** Does it `count` times. */
  run(count: number): Promise<unknown>;
  /** Milliseconds that it took by its own account, instead of the run's. */
  measure?(): number;
}

/** What a comparison gives. */
export interface Ratio {
  /** Median over the pairs. */
  readonly median: number;
  /** The smallest and the largest of the middle half of the pairs. */
  readonly spread: readonly [number, number];
  readonly pairs: number;
  /** Median milliseconds of one run of the subject, and of the yardstick. */
  readonly milliseconds: readonly [number, number];
}

/** The value in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that so much of the values are below. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  return below + (above - below) * (place - Math.floor(place));
}

/** How a comparison is run. */
export interface CompareOptions {
  /** Pairs that count. */
  readonly pairs: number;
  /** Runs of each subject in a pair. */
  readonly count: number;
  /** Pairs that go before, uncounted. Default 2. */
  readonly warmUps?: number;
}

async function timed(subject: Subject, count: number): Promise<number> {
  if (subject.measure !== undefined) return subject.measure();
  const start = performance.now();
  await subject.run(count);
  return (performance.now() - start) / count;
}

/** Compares a subject with a yardstick: how many times its time it takes. */
export async function compare(
  subject: Subject,
  yardstick: Subject,
  { pairs, count, warmUps = 2 }: CompareOptions,
): Promise<Ratio> {
  const ratios: number[] = [];
  const times: [number[], number[]] = [[], []];
  for (let pair = -warmUps; pair < pairs; pair++) {
    let ours: number, theirs: number;
    if (pair % 2 === 0) {
      ours = await timed(subject, count);
      theirs = await timed(yardstick, count);
    } else {
      theirs = await timed(yardstick, count);
      ours = await timed(subject, count);
    }
    if (pair < 0) continue;
    ratios.push(ours / theirs);
    times[0].push(ours);
    times[1].push(theirs);
  }
  return {
    median: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    pairs,
    milliseconds: [median(times[0]), median(times[1])],
  };
}
