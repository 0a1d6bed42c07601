/**
 * The same against OpenSSL's own server, which is no JavaScript.
 */
import { assert, assertEquals } from "@std/assert";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../../src/adapters/node.ts";
import { mintChain } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { missing } from "../skip.ts";
import type { Identity } from "./servers.ts";
import { refusal } from "./ways.ts";

interface OpensslServed extends AsyncDisposable {
  readonly port: number;
  /** All that the server has printed: what it received is in it. */
  readonly printed: string;
  /** Resolves when it has printed a text. */
  says(text: string): Promise<void>;
}

/** Starts `openssl s_server`. */
async function serveOpenssl(
  identity: Identity | undefined,
  args: readonly string[],
): Promise<OpensslServed> {
  const folder = await mkdtemp(join(tmpdir(), "certpin-openssl-"));
  const files: string[] = [];
  if (identity !== undefined) {
    const { pem, keyPem } = identity;
    const [leaf, chain, key] = ["leaf", "chain", "key"].map((name) =>
      join(folder, `${name}.pem`)
    );
    await writeFile(leaf, pem);
    await writeFile(chain, pem);
    await writeFile(key, keyPem);
    files.push("-cert", leaf, "-cert_chain", chain, "-key", key);
  }
  const server: ChildProcess = spawn(
    "openssl",
    ["s_server", "-accept", "127.0.0.1:0", ...files, ...args],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  let printed = "";
  const waiting = new Set<() => void>();
  const hear = (chunk: Uint8Array) => {
    printed += new TextDecoder().decode(chunk);
    for (const look of waiting) look();
  };
  server.stdout!.on("data", hear);
  server.stderr!.on("data", hear);
  const ended = new Promise<void>((resolve) => server.on("close", resolve));
  const says = (text: string | RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        const isThere = typeof text === "string"
          ? printed.includes(text)
          : text.test(printed);
        if (!isThere) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  await Promise.race([
    says(/ACCEPT 127\.0\.0\.1:\d+\s/),
    ended.then(() => {
      throw new Error(`openssl s_server ended: ${printed}`);
    }),
  ]);
  return {
    port: Number(/ACCEPT 127\.0\.0\.1:(\d+)/.exec(printed)![1]),
    get printed() {
      return printed;
    },
    says,
    async [Symbol.asyncDispose]() {
      server.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

function lacksOpenssl(): boolean {
  const { status } = spawnSync("openssl", ["version"]);
  return missing("openssl", status === 0, "the command is not installed");
}

/** Registers the tests. */
export const openssl: Body = (t) => {
  if (lacksOpenssl()) return;

  for (const [flag, version] of [["-tls1_2", "1.2"], ["-tls1_3", "1.3"]]) {
    t.test(`OpenSSL's server receives nothing from who refuses it over TLS ${version}`, async () => {
      const chain = await mintChain();
      const other = await mintChain();
      await using server = await serveOpenssl(chain, [flag]);
      const open = (policy: typeof chain.policy, ca: string) => async () => {
        const socket = await connect(policy, {
          host: "127.0.0.1",
          port: server.port,
          ca,
        });
        socket.end("the marker\n");
        socket.resume();
        await server.says("the marker");
        socket.destroy();
      };
      assertEquals(
        await refusal(open(other.policy, chain.ca)),
        "ERR_CERTPIN_MISMATCH",
      );
      assertEquals(
        await refusal(open(chain.policy, other.ca)),
        "ERR_CERTPIN_HANDSHAKE",
      );
      assert(!server.printed.includes("the marker"));
      assertEquals(await refusal(open(chain.policy, chain.ca)), undefined);
    });
  }

  t.test("a server without a certificate is refused", async () => {
    const { policy, ca } = await mintChain();
    const ciphers = "aNULL:@SECLEVEL=0";
    await using server = await serveOpenssl(undefined, [
      "-nocert",
      "-tls1_2",
      "-cipher",
      ciphers,
    ]);
    const code = await refusal(async () => {
      const socket = await connect(policy, {
        host: "127.0.0.1",
        port: server.port,
        ca,
        ciphers,
        maxVersion: "TLSv1.2",
      });
      socket.end("the marker\n");
    });
    assert(code !== undefined, "it was accepted");
    assert(!server.printed.includes("the marker"));
  });
};
