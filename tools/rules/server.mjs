// Serves each chain of a JSON file on a port of its own; prints the ports.
import { readFileSync } from "node:fs";
import tls from "node:tls";

const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));
const ports = [];
for (const { cert, key } of cases) {
  let port = 0;
  try {
    const server = tls.createServer({
      cert,
      key,
      // What is wrong with the chain is for the clients to say.
      ciphers: "DEFAULT@SECLEVEL=0",
    }, (socket) => socket.on("error", () => {}).end("x"));
    server.on("tlsClientError", () => {});
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = server.address().port;
  } catch {
    // A certificate that the server's own library does not load.
  }
  ports.push(port);
}
console.log(JSON.stringify(ports));
