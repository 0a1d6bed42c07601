/**
 * The TLS 1.3 client of the edge against servers of others: each suite with each
 * group, HelloRetryRequest, key updates, client certificates, 64 MiB both ways.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../../src/errors.ts";
import { createPinner } from "../../../src/pinner/pinner.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import { open } from "../../../src/tls13/open.ts";
import { defaultProfile, type Profile } from "../../../src/tls13/profile.ts";
import { SUITES } from "../../../src/tls13/suites.ts";
import type { TlsStream } from "../../../src/tls13/types.ts";
import { parseCertificates } from "../../../src/x509/certificate.ts";
import { guarded } from "../harness.ts";
import { everything, missing } from "../skip.ts";
import { type Material, type Peer, PEERS, type Running } from "./servers.ts";

const HOSTNAME = "localhost";
const BULK_BYTES = 64 * 1024 * 1024;
const LINE_BYTES = 16_384;
const LINES_BYTES = 4 * 1024 * 1024;
const BULK_NAME = "bulk.bin";
const SMALL = "hello from a file";
const GROUPS = ["X25519", "P-256", "P-384"] as const;

const offered = await defaultProfile();
const material = {
  chain: await mintChain({ hostnames: [HOSTNAME] }),
  clients: await mintChain({
    hostnames: ["client.test"],
    leaf: { extendedKeyUsage: ["clientAuth"] },
  }),
};

async function writeMaterial(folder: string): Promise<Material> {
  const { chain, clients } = material;
  await Deno.writeTextFile(`${folder}/chain.pem`, chain.pem);
  await Deno.writeTextFile(`${folder}/key.pem`, chain.keyPem);
  await Deno.writeTextFile(`${folder}/clients.pem`, clients.ca);
  await Deno.mkdir(`${folder}/files`);
  for (const place of [folder, `${folder}/files`]) {
    await Deno.writeTextFile(`${place}/small.txt`, SMALL);
    await Deno.truncate(await touch(`${place}/${BULK_NAME}`), BULK_BYTES);
  }
  return { folder, chain, clients };
}

async function touch(path: string): Promise<string> {
  await Deno.writeFile(path, new Uint8Array());
  return path;
}

const pinner = createPinner(material.chain.policy, {
  anchors: parseCertificates(material.chain.ca),
  onWarning: () => {},
});

function pkcs8(pem: string): Uint8Array {
  return Uint8Array.from(
    atob(pem.replace(/-----.*?-----|\s/g, "")),
    (character) => character.charCodeAt(0),
  );
}

async function connect(
  { port }: Running,
  profile: Partial<Profile> = {},
): Promise<TlsStream> {
  const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
  const { chain, keyPem } = material.clients;
  return await open(tcp, {
    hostname: HOSTNAME,
    verify: async (chain) => {
      await pinner.enforce({ hostname: HOSTNAME, chain });
    },
    clientCertificate: { chain, key: pkcs8(keyPem) },
  }, { ...offered, ...profile });
}

/** Writes, and reads until what is expected has come, or so many bytes. */
async function exchange(
  tls: TlsStream,
  sent: Uint8Array,
  isEnough: (text: string) => boolean,
): Promise<string> {
  const writer = tls.writable.getWriter();
  await writer.write(sent);
  const reader = tls.readable.getReader();
  let text = "";
  while (!isEnough(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  return text;
}

function requestOf(name: string): Uint8Array {
  return new TextEncoder().encode(
    `GET /${name} HTTP/1.1\r\nHost: ${HOSTNAME}\r\nConnection: close\r\n\r\n`,
  );
}

/** A little data there and back. */
async function greet(peer: Peer, tls: TlsStream): Promise<void> {
  const [sent, expected] = {
    echo: [new TextEncoder().encode("hello\n"), "hello\n"],
    http: [requestOf("small.txt"), SMALL],
    page: [requestOf(""), "HTTP/1.0 200 OK"],
  }[peer.protocol] as [Uint8Array, string];
  const text = await exchange(tls, sent, (text) => text.includes(expected));
  assert(text.includes(expected), `It answered: ${text}`);
  await tls.close();
}

/** Sends 64 MiB to an echo, and counts what comes back. */
async function echoBulk(tls: TlsStream): Promise<number> {
  const piece = new Uint8Array(65_536).map((_, at) => at * 7);
  const send = async () => {
    const writer = tls.writable.getWriter();
    for (let at = 0; at < BULK_BYTES; at += piece.length) {
      await writer.write(piece);
    }
  };
  const receive = async () => {
    const reader = tls.readable.getReader();
    let got = 0;
    while (got < BULK_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      const at = got % piece.length;
      assertEquals(value[0], piece[at], "the data has changed");
      got += value.length;
    }
    return got;
  };
  const [, got] = await Promise.all([send(), receive()]);
  return got;
}

/** Sends 4 MiB in lines, each of which comes back before the next. */
async function echoLines(tls: TlsStream): Promise<number> {
  const line = new TextEncoder().encode("a".repeat(LINE_BYTES - 1) + "\n");
  const writer = tls.writable.getWriter();
  const reader = tls.readable.getReader();
  let got = 0;
  for (let sent = line.length; sent <= LINES_BYTES; sent += line.length) {
    await writer.write(line);
    while (got < sent) {
      const { done, value } = await reader.read();
      if (done) return got;
      got += value.length;
    }
  }
  return got;
}

/** Reads a file of 64 MiB. */
async function readBulk(tls: TlsStream): Promise<number> {
  await tls.writable.getWriter().write(requestOf(BULK_NAME));
  const reader = tls.readable.getReader();
  let got = 0;
  let head: number | undefined;
  let text = "";
  while (head === undefined || got < head + BULK_BYTES) {
    const { done, value } = await reader.read();
    if (done) break;
    if (head === undefined) {
      text += new TextDecoder("latin1").decode(value);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) head = end + 4;
    }
    got += value.length;
  }
  return got - (head ?? 0);
}

/** How long one server may take, in milliseconds: a guard against hangs. */
const GUARD_MS = 60_000;

for (const peer of PEERS) {
  const { name } = peer;
  const reason = everything() ? await peer.missing() : undefined;
  const ignore = !everything() || missing(name, reason === undefined, reason!);
  Deno.test({
    name: `TLS 1.3 with ${name}`,
    ignore,
    // A server ends connections in its own time.
    sanitizeResources: false,
    sanitizeOps: false,
    async fn(t) {
      const folder = await Deno.makeTempDir({ prefix: "certpin-interop-" });
      const server = await peer.start(await writeMaterial(folder));
      const step = async (name: string, act: () => Promise<void>) => {
        await t.step(name, async () => await guarded(act, GUARD_MS));
      };
      try {
        for (const suite of SUITES) {
          for (const group of GROUPS) {
            const only = { suites: [suite], groups: [group] };
            await step(`${suite.name} with ${group}`, async () => {
              await greet(
                peer,
                await connect(server, { ...only, shares: [group] }),
              );
            });
            await step(
              `HelloRetryRequest to ${group}, ${suite.name}`,
              async () => {
                await greet(
                  peer,
                  await connect(server, { ...only, shares: [] }),
                );
              },
            );
          }
        }
        await step("what is offered by default", async () => {
          await greet(peer, await connect(server));
        });
        if (peer.bulk) {
          const isEcho = peer.protocol === "echo";
          const isSlow = peer.bulk === "lines";
          const bulk = isSlow ? echoLines : isEcho ? echoBulk : readBulk;
          const bytes = isSlow ? LINES_BYTES : BULK_BYTES;
          const title = `${bytes / 2 ** 20} MiB ${
            isEcho ? "both ways" : "down"
          }`;
          const move = async (profile: Partial<Profile>) => {
            const tls = await connect(server, profile);
            assertEquals(await bulk(tls), bytes);
            await tls.close();
          };
          await step(title, () => move({}));
          await step(`${title}, with key updates`, async () => {
            const profile = { recordsPerKey: isSlow ? 50 : 500 };
            if (!peer.refusesKeyUpdate) return await move(profile);
            await assertRejects(() => move(profile), ConnectionError);
          });
        }
        if (peer.sees) {
          await step("a client certificate", async () => {
            const seen = peer.sees!;
            for (let waited = 0; !seen.test(server.log()); waited++) {
              assert(
                waited < 100,
                `It saw none:\n${server.log().slice(-2000)}`,
              );
              await new Promise((resolve) => setTimeout(resolve, 50));
            }
          });
        }
      } finally {
        await server[Symbol.asyncDispose]();
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
