/**
 * What a command is to the parser of the command line.
 *
 * @module
 */
import type { Parser } from "@optique/core/parser";
import type { Io } from "./io.ts";

/** Runs with its options; returns the exit code. */
export type Action = (io: Io) => Promise<number>;

/** Parses a command and its options to what is to be done. */
export type CommandParser = Parser<"sync", Action, unknown>;
