// Connects to each case with Node's defaults; prints who was accepted.
import { readFileSync } from "node:fs";
import tls from "node:tls";

const accepted = [];
for (const { port, ca, host } of JSON.parse(readFileSync(process.argv[2]))) {
  accepted.push(
    await new Promise((resolve) => {
      const socket = tls.connect(
        { host: "127.0.0.1", port, ca, servername: host },
        () => {
          resolve(socket.authorized);
          socket.destroy();
        },
      );
      socket.on("error", () => resolve(false));
    }),
  );
}
console.log(JSON.stringify({ version: process.version, accepted }));
