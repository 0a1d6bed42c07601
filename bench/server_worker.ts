/**
 * A TLS server in a thread of its own, so that it takes no time from what is
 * measured.
 *
 * @module
 */
/// <reference lib="deno.worker" />

self.onmessage = ({ data }: MessageEvent<{ cert: string; key: string }>) => {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: data.cert,
    key: data.key,
    onListen: ({ port }) => self.postMessage(port),
  }, () => new Response("hello"));
  void server;
};
