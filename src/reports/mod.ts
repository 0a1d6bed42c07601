/**
 * Reports: tells a collector which connections were refused, or would have been.
 *
 * @module
 */
export {
  createReporter,
  type Reporter,
  type ReporterOptions,
  type ReporterStats,
  type ReportFetch,
} from "./reporter.ts";
