/**
 * Plain services behind the relay: real ones where npm has them, and the
 * openings of the protocol where it has not.
 */
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { doubles } from "./doubles.mjs";

async function https(listen) {
  return await listen(http.createServer((request, response) => {
    response.end("hello from " + request.url + "\n");
  }));
}

async function h2(listen) {
  const server = http2.createServer();
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200 });
    stream.end("hello over h2\n");
  });
  return await listen(server);
}

async function grpc() {
  const { Server, ServerCredentials } = await import("@grpc/grpc-js");
  const server = new Server();
  const pass = (bytes) => bytes;
  server.addService({
    say: {
      path: "/demo.Echo/Say",
      requestStream: false,
      responseStream: false,
      requestSerialize: pass,
      requestDeserialize: pass,
      responseSerialize: pass,
      responseDeserialize: pass,
    },
  }, { say: ({ request }, callback) => callback(null, request) });
  return await new Promise((resolve, reject) => {
    server.bindAsync(
      "127.0.0.1:0",
      ServerCredentials.createInsecure(),
      (error, port) => error ? reject(error) : resolve(port),
    );
  });
}

async function websocket(listen) {
  const { WebSocketServer } = await import("ws");
  const server = http.createServer();
  new WebSocketServer({ server }).on("connection", (socket) => {
    socket.on("message", (data) => socket.send("echo " + data));
  });
  return await listen(server);
}

async function mqtt(listen) {
  const { Aedes } = await import("aedes");
  const broker = await Aedes.createBroker();
  return await listen(net.createServer(broker.handle));
}

async function smtp(listen) {
  const { SMTPServer } = await import("smtp-server");
  const { server } = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    onData: (stream, _session, callback) => {
      stream.resume().on("end", () => callback());
    },
  });
  return await listen(server);
}

async function mysql(listen) {
  const { default: mysql2 } = await import("mysql2");
  let connections = 0;
  const server = mysql2.createServer((connection) => {
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: "8.0",
      connectionId: ++connections,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff ^ 2048, // all but TLS of its own
      authCallback: (_, callback) => {
        callback(null);
        // Each command counts its packets from 0; the server forgets to.
        setImmediate(() => connection.sequenceId = 0);
      },
    });
    connection.on("query", () => {
      connection.writeTextResult([{ one: 1 }], [{
        catalog: "def",
        schema: "",
        table: "",
        orgTable: "",
        name: "one",
        orgName: "one",
        characterSet: 63,
        columnLength: 1,
        columnType: 3,
        flags: 0,
        decimals: 0,
      }]);
      connection.sequenceId = 0;
    });
    connection.on("error", () => {});
  });
  return await listen(server._server);
}

/** The opening of Redis: every command is fine. */
async function redis(listen) {
  return await listen(net.createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      for (
        const command of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)
      ) {
        const name = command[1].toUpperCase();
        const answers = {
          PING: "+PONG\r\n",
          INFO: "$21\r\nredis_version:8.0.0\r\n\r\n",
        };
        socket.write(answers[name] ?? "+OK\r\n");
      }
    });
  }));
}

function message(type, ...parts) {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function int(bytes, value) {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
}

const READY = message("Z", Buffer.from("I"));
const ANSWER = Buffer.concat([
  // One column "one" of type int4, as text.
  message(
    "T",
    int(2, 1),
    Buffer.from("one\0"),
    int(4, 0),
    int(2, 0),
    int(4, 23),
    int(2, 4),
    int(4, -1),
    int(2, 0),
  ),
  message("D", int(2, 1), int(4, 1), Buffer.from("1")),
  message("C", Buffer.from("SELECT 1\0")),
  READY,
]);

/** The opening of PostgreSQL: everybody may log in, every query gives one row. */
async function postgres(listen) {
  return await listen(net.createServer((socket) => {
    let isOpen = false;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      if (!isOpen) {
        socket.write(Buffer.concat([message("R", int(4, 0)), READY]));
      } else if (chunk[0] === 0x51) socket.write(ANSWER); // "Q"
      isOpen = true;
    });
  }));
}

/** A PostgreSQL client asks for TLS in eight plain bytes, and waits for "S". */
function postgresStartTls(socket, upgrade) {
  socket.once("data", (chunk) => {
    if (chunk.length !== 8 || chunk.readUInt32BE(4) !== 80877103) {
      socket.destroy();
      return;
    }
    socket.write("S");
    upgrade();
  });
}

export const SERVICES = {
  https: { start: https, alpn: ["http/1.1"] },
  doubles: { start: doubles, alpn: ["http/1.1"] },
  h2: { start: h2, alpn: ["h2"] },
  grpc: { start: grpc, alpn: ["h2"] },
  websocket: { start: websocket, alpn: ["http/1.1"] },
  mqtt: { start: mqtt },
  smtp: { start: smtp },
  mysql: { start: mysql },
  redis: { start: redis },
  postgres: { start: postgres, startTls: postgresStartTls },
};
