/**
 * What pinning adds to opening a connection.
 *
 * @module
 */
import * as tls from "node:tls";
import { createPinner } from "../mod.ts";
import { connect } from "../src/adapters/node.ts";
import { asTime, type Bench, type Context, type Row } from "./bench.ts";
import { compare, type Subject } from "./measure.ts";

const SEEN_GOAL = 1.1;
const NEVER_SEEN_GOAL = 1.6;
/** Connections of each subject in a pair. */
export const CONNECTIONS = 6;
/** Pairs that are compared, and those that go before. */
export const PAIRS = 11;
/** Pairs that go before. */
export const WARM_UPS = 2;

const AGAINST = "plain `node:tls` with the same `ca`";

function plainly(
  port: number,
  ca: string,
  nextName: () => string,
): Subject {
  const connectOnce = () =>
    new Promise<void>((resolve, reject) => {
      const socket = tls.connect({
        host: "127.0.0.1",
        port,
        servername: nextName(),
        ca,
      }, () => {
        socket.destroy();
        resolve();
      });
      socket.once("error", reject);
    });
  return {
    name: "node:tls",
    async run(count) {
      for (let at = 0; at < count; at++) await connectOnce();
    },
  };
}

/** The benchmark. */
export const benchConnect: Bench = {
  name: "connect",
  async *run(
    { port, fresh: { ca, names, pin } }: Context,
  ): AsyncGenerator<Row> {
    const pinner = createPinner({
      version: 1,
      hosts: { "*.test": { pins: [pin] } },
    }, { onWarning: () => {} });
    const pinned = (nextName: () => string): Subject => ({
      name: "connect",
      async run(count) {
        for (let at = 0; at < count; at++) {
          const socket = await connect(pinner, {
            host: "127.0.0.1",
            port,
            servername: nextName(),
            ca,
          });
          socket.destroy();
        }
      },
    });
    const [seen] = names;
    const options = { pairs: PAIRS, count: CONNECTIONS, warmUps: WARM_UPS };
    yield asTime(
      "`connect`, chain seen before",
      AGAINST,
      await compare(
        pinned(() => seen),
        plainly(port, ca, () => seen),
        options,
      ),
      SEEN_GOAL,
    );
    let next = 1;
    let nextPlain = 1;
    yield asTime(
      "`connect`, chain never seen",
      AGAINST,
      await compare(
        pinned(() => names[next++]),
        plainly(port, ca, () => names[nextPlain++]),
        options,
      ),
      NEVER_SEEN_GOAL,
    );
  },
};
