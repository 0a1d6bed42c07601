// A server that returns what it is sent, over Bun's BoringSSL.
const [cert, key] = process.argv.slice(2, 4);
const held = new WeakMap();

/** Writes as much as the socket takes; the rest waits for its drain. */
function write(socket) {
  const waiting = held.get(socket);
  while (waiting.length > 0) {
    const written = socket.write(waiting[0]);
    if (written < waiting[0].length) {
      waiting[0] = waiting[0].subarray(Math.max(written, 0));
      return;
    }
    waiting.shift();
  }
}

const server = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  tls: { cert: Bun.file(cert), key: Bun.file(key) },
  socket: {
    open: (socket) => void held.set(socket, []),
    data(socket, chunk) {
      held.get(socket).push(chunk);
      write(socket);
    },
    drain: write,
    error() {},
  },
});
console.log(`port 127.0.0.1:${server.port}`);
