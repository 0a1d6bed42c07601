/**
 * Options of dispatchers and of `createFetch`. Apart from the dispatcher, which
 * loads undici.
 *
 * @module
 */
import type { Agent } from "undici/index.js";
import { Gate } from "../tls/gate.ts";
import {
  CERTIFICATES,
  FLAG,
  MILLISECONDS,
  type OptionsOf,
  passed,
  PINNER_OPTIONS,
  type PinnerSource,
  readOptions,
  REFUSED_BY_DISPATCHER,
  resolvePinner,
  type Shape,
} from "../tls/options.ts";
import { requireRuntime } from "../tls/runtime.ts";
import { TLS_OPTIONS } from "../tls/tls_options.ts";
import { resolveTrust } from "../tls/trust.ts";
import { parseProxy, type Proxy } from "../tls/tunnel.ts";

/** Options that undici takes, and checks; all else that it knows would choose a connection. */
const UNDICI_OPTIONS = {
  bodyTimeout: passed<number>(),
  clientTtl: passed<number>(),
  connections: passed<number>(),
  eventSource: passed<unknown>(),
  h2Options: passed<unknown>(),
  headersTimeout: passed<number>(),
  keepAliveMaxTimeout: passed<number>(),
  keepAliveTimeout: passed<number>(),
  keepAliveTimeoutThreshold: passed<number>(),
  maxHeaderSize: passed<number>(),
  maxOrigins: passed<number>(),
  maxRequestsPerClient: passed<number>(),
  maxResponseSize: passed<number>(),
  pipelining: passed<number>(),
  strictContentLength: passed<boolean>(),
  webSocket: passed<unknown>(),
} as const satisfies Shape;

const OWN = {
  ca: CERTIFICATES,
  allowH2: FLAG,
  connectTimeout: MILLISECONDS,
} as const satisfies Shape;

const PROXY = { proxy: passed<string | URL>() } as const satisfies Shape;

/** What a dispatcher is made with. */
export interface DispatcherOptions {
  readonly undici: Agent.Options;
  /** Offers HTTP/2 too. */
  readonly allowH2: boolean;
  /** For `tls.connect`. */
  readonly tls: OptionsOf<typeof TLS_OPTIONS>;
  /** Proxy to tunnel through. */
  readonly proxy?: Proxy;
  /** Milliseconds; 0 waits for ever. */
  readonly connectTimeout?: number;
}

/** What differs between the functions that make a dispatcher. */
interface DispatcherRules {
  readonly refused: readonly string[];
  readonly takesProxy: boolean;
}

/** Checks the options, and makes the gate of an undici agent. */
export function prepareAgent(
  source: PinnerSource,
  options: object,
  { refused, takesProxy }: DispatcherRules,
): [gate: Gate, options: DispatcherOptions] {
  const runtime = requireRuntime();
  const read = readOptions(options, {
    pinner: PINNER_OPTIONS,
    own: OWN,
    undici: UNDICI_OPTIONS,
    tls: TLS_OPTIONS,
    proxy: takesProxy ? PROXY : {} as typeof PROXY,
  }, { refused: [...REFUSED_BY_DISPATCHER, ...refused] });
  const { ca, allowH2 = runtime === "node", connectTimeout } = read.own;
  const pinner = resolvePinner(source, read.pinner);
  const gate = new Gate(pinner, resolveTrust(pinner, ca));
  return [gate, {
    undici: read.undici as Agent.Options,
    allowH2,
    connectTimeout,
    tls: read.tls,
    proxy: parseProxy(read.proxy.proxy),
  }];
}
