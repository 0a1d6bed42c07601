/**
 * Aborting a fetch, in every phase.
 */
import { assertEquals } from "@std/assert";
import * as net from "node:net";
import type { Body } from "../harness.ts";
import { listen, shut } from "./servers.ts";
import { rejection, stage, streamOf } from "./stage.ts";

/** Registers the tests. */
export const aborts: Body = (t) => {
  t.feature(
    "abort while connecting",
    "an abort ends a fetch that connects",
    async () => {
      await using at = await stage();
      const silent = net.createServer(() => {});
      const port = await listen(silent);
      const sockets = new Set<net.Socket>();
      silent.on("connection", (socket: net.Socket) => sockets.add(socket));
      const controller = new AbortController();
      silent.once("connection", () => controller.abort(new Error("mine")));
      const error = await rejection(
        at.fetch(`https://localhost:${port}/`, { signal: controller.signal }),
      );
      assertEquals((error as Error).message, "mine");
      await at.fetch.close();
      await shut(silent, sockets);
    },
  );

  t.feature(
    "abort before headers",
    "an abort ends a fetch that waits for an answer",
    async () => {
      await using at = await stage();
      const controller = new AbortController();
      at.server.onRequest("/silent", () => controller.abort(new Error("mine")));
      const error = await rejection(
        at.fetch(`${at.url}/silent`, { signal: controller.signal }),
      );
      assertEquals((error as Error).message, "mine");
      await at.server.closed("/silent");
    },
  );

  t.feature(
    "abort in the body",
    "an abort ends a body that is being read",
    async () => {
      await using at = await stage();
      const controller = new AbortController();
      const response = await at.fetch(`${at.url}/endless`, {
        signal: controller.signal,
      });
      const reader = response.body!.getReader();
      await reader.read();
      controller.abort(new Error("mine"));
      const error = await rejection((async () => {
        while (!(await reader.read()).done);
      })());
      assertEquals((error as Error).message, "mine");
      await at.server.closed("/endless");
    },
  );

  t.feature("abort while sending", "an abort ends an upload", async () => {
    await using at = await stage();
    const controller = new AbortController();
    at.server.onRequest("/echo", () => controller.abort(new Error("mine")));
    const error = await rejection(at.fetch(`${at.url}/echo`, {
      method: "POST",
      body: streamOf(1_000_000),
      duplex: "half",
      signal: controller.signal,
    } as RequestInit));
    assertEquals((error as Error).message, "mine");
    await at.server.closed("/echo");
  });

  t.test("an abort that came first sends nothing", async () => {
    await using at = await stage();
    const signal = AbortSignal.abort(new Error("mine"));
    const error = await rejection(at.fetch(at.url, { signal }));
    assertEquals((error as Error).message, "mine");
    assertEquals(at.server.requests, 0);
  });
};
