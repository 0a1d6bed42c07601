/**
 * The servers that people run: what the small ones in `servers/` stand for
 * otherwise.
 *
 * @module
 */
import { freePort, type Kind, prepareWith, writeFor } from "./real_servers.ts";

const postgres: Kind = {
  name: "PostgreSQL",
  programs: ["postgres", "initdb", "createdb"],
  answer: /^(R|\[ \{ one: 1 \} \])$/m,
  trace: /connection authorized: user=app .*SSL enabled/g,
  async prepare({ folder, port }) {
    const data = `${folder}/data`;
    const settings = ["-U", "app", "-E", "UTF8", "--no-locale", "--no-sync"];
    await prepareWith("initdb", ["-D", data, ...settings], folder);
    // No TCP connection without TLS.
    await writeFor(
      `${data}/pg_hba.conf`,
      "local all all trust\nhostssl all all 127.0.0.1/32 trust\n",
    );
    const options = {
      listen_addresses: "127.0.0.1",
      port,
      unix_socket_directories: folder,
      ssl: "on",
      ssl_cert_file: `${folder}/server.pem`,
      ssl_key_file: `${folder}/server.key`,
      log_connections: "on",
      fsync: "off",
    };
    const args = Object.entries(options).flatMap((
      [name, value],
    ) => ["-c", `${name}=${value}`]);
    return [{
      program: "postgres",
      args: ["-D", data, ...args],
      ready: /ready to accept connections/,
      stop: "SIGINT", // "fast": does not wait for clients
    }];
  },
  async finish({ folder, port }) {
    const where = ["-h", folder, "-p", `${port}`, "-U", "app"];
    await prepareWith("createdb", [...where, "app"], folder);
  },
};

const redis: Kind = {
  name: "Redis",
  programs: ["redis-server"],
  answer: /^PONG$/m,
  prepare({ folder, port }) {
    const options = {
      bind: "127.0.0.1",
      port: "0",
      "tls-port": `${port}`,
      "tls-cert-file": "server.pem",
      "tls-key-file": "server.key",
      "tls-auth-clients": "no",
      dir: folder,
      save: "",
    };
    return Promise.resolve([{
      program: "redis-server",
      args: Object.entries(options).flatMap((
        [name, value],
      ) => [`--${name}`, value]),
      ready: /Ready to accept connections/,
    }]);
  },
};

const mosquitto: Kind = {
  name: "Mosquitto",
  programs: ["mosquitto"],
  trace: /Received PUBLISH .*'greetings'/g,
  async prepare({ folder, port }) {
    await writeFor(
      `${folder}/mosquitto.conf`,
      `listener ${port} 127.0.0.1
certfile ${folder}/server.pem
keyfile ${folder}/server.key
allow_anonymous true
log_dest stderr
log_type all
`,
    );
    return [{
      program: "mosquitto",
      args: ["-c", `${folder}/mosquitto.conf`],
      ready: /mosquitto version \S+ running/,
    }];
  },
};

/** Behind stunnel: its own TLS begins in the middle of its handshake. */
const mariadb: Kind = {
  name: "MariaDB behind stunnel",
  programs: ["mariadbd", "mariadb-install-db", "stunnel4"],
  answer: /^\[ \{ one: 1 \} \]$/m,
  async prepare({ folder, port }) {
    const data = `${folder}/data`;
    await prepareWith("mariadb-install-db", [
      "--no-defaults",
      `--datadir=${data}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
    ], folder);
    await writeFor(`${folder}/init.sql`, "CREATE USER app@'127.0.0.1';\n");
    const plain = freePort();
    await writeFor(
      `${folder}/stunnel.conf`,
      `foreground = yes
pid =
[mysql]
accept = 127.0.0.1:${port}
connect = 127.0.0.1:${plain}
cert = ${folder}/server.pem
key = ${folder}/server.key
`,
    );
    return [{
      program: "mariadbd",
      args: [
        "--no-defaults",
        `--datadir=${data}`,
        `--socket=${folder}/socket`,
        `--pid-file=${folder}/pid`,
        `--init-file=${folder}/init.sql`,
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        `--port=${plain}`,
      ],
      ready: /ready for connections/,
    }, {
      program: "stunnel4",
      args: [`${folder}/stunnel.conf`],
      ready: /Configuration successful/,
    }];
  },
};

/** By the name that `serve=` has for the small one. */
export const KINDS: Readonly<Record<string, Kind>> = {
  postgres,
  redis,
  mqtt: mosquitto,
  mysql: mariadb,
};
