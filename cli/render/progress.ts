/**
 * One line that says how far a command has come; on a terminal alone.
 *
 * @module
 */
import type { Io } from "../io.ts";
import { errStyle } from "./style.ts";

const FRAMES = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];
const FRAME_MILLISECONDS = 80;
const CLEAR_LINE = "\r\u001b[K";

/** Shows progress until it is stopped. */
export interface Progress {
  /** One more is done. */
  done(): void;
  /** Takes the line away. */
  stop(): void;
}

/** Starts a line such as `checking 12 of 60`; silent where standard error is no terminal. */
export function startProgress(io: Io, verb: string, total: number): Progress {
  if (!io.errIsTerminal || io.env("TERM") === "dumb") {
    return { done: () => {}, stop: () => {} };
  }
  const style = errStyle(io);
  let finished = 0;
  let frame = 0;
  const draw = () => {
    const spinner = style.cyan(FRAMES[frame++ % FRAMES.length]);
    io.err(`${CLEAR_LINE}${spinner} ${verb} ${finished} of ${total}`);
  };
  draw();
  const timer = setInterval(draw, FRAME_MILLISECONDS);
  return {
    done: () => void finished++,
    stop: () => {
      clearInterval(timer);
      io.err(CLEAR_LINE);
    },
  };
}

/** Runs `work` over all items, at most `width` at a time; results in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]);
    }
  };
  await Promise.all(
    Array.from({ length: Math.min(width, items.length) }, worker),
  );
  return results;
}
