/** Every code of the exported union is reached, by an error of its class. */
import { assert, assertEquals } from "@std/assert";
import * as net from "node:net";
import {
  checkServerIdentity,
  connect as connectOnNode,
} from "../../src/adapters/node.ts";
import { connectTls, createFetch } from "../../src/adapters/deno.ts";
import { openTls } from "../../src/tls13/client.ts";
import { requireRuntime } from "../../src/tls/runtime.ts";
import {
  CERTIFICATE_ERROR_CODES,
  CertificateError,
  CertpinError,
  CONNECTION_ERROR_CODES,
  ConnectionError,
  ERROR_CODES,
  type ErrorCode,
  LIMIT_ERROR_CODES,
  LimitError,
  PATH_ERROR_CODES,
  PathError,
  type PathErrorCode,
  PIN_MISMATCH_ERROR_CODES,
  PinMismatchError,
  POLICY_ERROR_CODES,
  PolicyError,
  UPDATE_ERROR_CODES,
  UpdateError,
} from "../../src/errors.ts";
import { convert } from "../../cli/formats/registry.ts";
import { Input } from "../../src/http1/input.ts";
import { readHead } from "../../src/http1/message.ts";
import { canonicalHost } from "../../src/host.ts";
import {
  MAX_CERTIFICATE_BYTES,
  MAX_POLICY_LENGTH,
  MAX_SIGNED_POLICY_BYTES,
} from "../../src/limits.ts";
import { verifyPath } from "../../src/path/verify.ts";
import { createPinner } from "../../src/pinner/pinner.ts";
import { fingerprint } from "../../src/pins/fingerprint.ts";
import { formatPin, parsePin } from "../../src/pins/pin.ts";
import type { PolicyDocument } from "../../src/policy/document.ts";
import { parsePolicy } from "../../src/policy/policy.ts";
import { mintCertificate, mintChain } from "../../src/testing/mod.ts";
import {
  type Certificate,
  parseCertificates,
} from "../../src/x509/certificate.ts";
import { readKeys } from "../../cli/keys/keys.ts";
import {
  createUpdater,
  fileStore,
  memoryStore,
  type UpdaterOptions,
  verifySignedPolicy,
} from "../../src/updates/mod.ts";
import {
  AUDIENCE,
  inDays,
  keyPair,
  KEYS,
  signed,
} from "../conformance/updates/scene.ts";
import { listen, serve, shut } from "../conformance/adapters/servers.ts";
import { DER_CASES } from "../conformance/core/der_cases.ts";
import { PATH_CASES } from "../conformance/core/path_cases.ts";
import { verifySetting } from "../conformance/core/rules.ts";

/** What ends in a code, and what differs in one thing and does not. */
interface Scenario {
  wrong(): unknown;
  right(): unknown;
}

const HOST = "localhost";
const chain = await mintChain({ hostnames: [HOST] });
const { pins, policy } = chain;
const anchors = parseCertificates(chain.ca);
const [leaf, intermediate] = parseCertificates(chain.chain);

function scenario(
  wrong: Scenario["wrong"],
  right: Scenario["right"],
): Scenario {
  return { wrong, right };
}

/** Both with another argument. */
function given<T>(
  act: (argument: T) => unknown,
  wrong: T,
  right: T,
): Scenario {
  return scenario(() => act(wrong), () => act(right));
}

function ofPath(code: PathErrorCode): Scenario {
  const found = PATH_CASES.find((one) => one.code === code)!;
  return scenario(
    async () => await verifySetting(await found.wrong()),
    async () => await verifySetting(await found.right()),
  );
}

function ofDer(code: ErrorCode): Scenario {
  const found = DER_CASES.find((one) => one.code === code)!;
  return given(
    async (options) => parseCertificates((await mintCertificate(options)).der),
    found.wrong,
    found.right,
  );
}

function withLimits(limit: string, wrong: number, right: number): Scenario {
  return given(
    (most: number) =>
      verifyPath([leaf, intermediate], { anchors, limits: { [limit]: most } }),
    wrong,
    right,
  );
}

/** A key file of the fixtures, as its name says, with a passphrase. */
async function keys(
  [file, passphrase]: readonly [string, string?],
): Promise<void> {
  const url = new URL(`../../fixtures/keys/${file}`, import.meta.url);
  await readKeys(await Deno.readFile(url), {
    ...passphrase !== undefined && { passphrase: () => passphrase },
  });
}

/** A pinner with this about the host, asked about the good chain. */
async function enforce(
  host: PolicyDocument["hosts"][string] | undefined,
  settings: Partial<PolicyDocument> = {},
): Promise<void> {
  const pinner = createPinner({
    version: 1,
    ...settings,
    hosts: host === undefined ? {} : { [HOST]: host },
  }, { anchors, onWarning: () => {} });
  await pinner.enforce({ hostname: HOST, chain: chain.chain });
}

const digest = "A".repeat(43) + "=";
const goodPins = { pins: [pins.leaf] };

/** Opens and closes a pinned connection to a server that speaks TLS, or does not. */
async function connect(speaksTls: boolean): Promise<void> {
  const listener = speaksTls
    ? Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: chain.pem,
      key: chain.keyPem,
    })
    : Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    for await (const connection of listener) {
      // What is no TLS record ends a handshake; a client may be gone already.
      if (!speaksTls) {
        await connection.write(new Uint8Array(64)).catch(() => {});
      } else await (connection as Deno.TlsConn).handshake().catch(() => {});
      connection.close();
    }
  })();
  try {
    const { port } = listener.addr as Deno.NetAddr;
    const connection = await connectTls(policy, {
      hostname: HOST,
      port,
      caCerts: [chain.ca],
    });
    connection.close();
  } finally {
    listener.close();
    await served.catch(() => {});
  }
}

/** Connects through a proxy that answers with a status. */
async function tunnelled(status: number): Promise<void> {
  await using server = await serve(chain);
  const proxy = net.createServer((client) => {
    client.on("error", () => {});
    client.once("data", () => {
      client.write(`HTTP/1.1 ${status} Status\r\n\r\n`);
      if (status !== 200) return client.end();
      const origin = net.connect(server.port, "127.0.0.1");
      client.pipe(origin).pipe(client);
    });
  });
  const url = `http://127.0.0.1:${await listen(proxy)}`;
  try {
    const { port } = server;
    const { ca } = chain;
    const options = { host: HOST, port, ca, proxy: url };
    (await connectOnNode(policy, options)).destroy();
  } finally {
    await shut(proxy, []);
  }
}

const protocolVersionAlert = Uint8Array.of(21, 3, 3, 0, 2, 2, 70);
const internalErrorAlert = Uint8Array.of(21, 3, 3, 0, 2, 2, 80);

/** Opens TLS 1.3 with a server that speaks it, or sends this answer and ends. */
async function connectTls13(answer: Uint8Array | undefined): Promise<void> {
  const listener = answer
    ? Deno.listen({ hostname: "127.0.0.1", port: 0 })
    : Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: chain.pem,
      key: chain.keyPem,
    });
  const served = (async () => {
    const connection = await listener.accept();
    if (answer) {
      await connection.read(new Uint8Array(4096));
      await connection.write(answer);
    } else await (connection as Deno.TlsConn).handshake();
    connection.close();
  })();
  try {
    const stream = await openTls(
      await Deno.connect({ port: (listener.addr as Deno.NetAddr).port }),
      { hostname: HOST, verify: () => Promise.resolve() },
    );
    await stream.close();
  } finally {
    await served;
    listener.close();
  }
}

/** A fetch that ends before a connection is made, or the error in its cause. */
async function fetched(url: string): Promise<void> {
  await using pinned = createFetch(policy, { ca: chain.ca });
  try {
    await pinned(url, {
      signal: AbortSignal.abort(new DOMException("", "AbortError")),
    });
  } catch (error) {
    if ((error as Error).name === "AbortError") return;
    throw (error as Error).cause ?? error;
  }
}

function hook(shown: object): void {
  const refusal = checkServerIdentity(policy, { ca: chain.ca })(
    HOST,
    shown as Parameters<ReturnType<typeof checkServerIdentity>>[1],
  );
  if (refusal !== undefined) throw refusal;
}

/** Verifies a signed policy that is good in everything that is not said. */
async function verifySigned(
  options: Parameters<typeof signed>[0],
  change: (text: string) => string = (text) => text,
): Promise<void> {
  const { publicKey } = KEYS;
  await verifySignedPolicy(change(await signed(options)), {
    keys: [publicKey],
    audience: AUDIENCE,
    minimumSequence: 1,
  });
}

/** Updates once; the pinner enforces afterwards, some days later if that is said. */
async function update(
  more: Partial<UpdaterOptions>,
  days = 0,
): Promise<void> {
  let now = Date.now();
  const pinner = createPinner(policy, {
    anchors,
    now: () => new Date(now),
    onWarning: () => {},
  });
  await using updater = createUpdater(pinner, {
    load: () => signed({}, policy),
    keys: [KEYS.publicKey],
    audience: AUDIENCE,
    store: memoryStore(),
    interval: 0,
    ...more,
  });
  await updater.update();
  now += days * 86_400_000;
  await pinner.enforce({ hostname: HOST, chain: chain.chain });
}

const ENTITY = `<!DOCTYPE a [<!ENTITY b "c">]>`;
const ANDROID =
  `<network-security-config><domain-config><domain>a.example</domain><pin-set><pin digest="SHA-256">${digest}</pin></pin-set></domain-config></network-security-config>`;

const SCENARIOS: Readonly<Record<ErrorCode, Scenario>> = {
  ERR_CERTPIN_CERTIFICATE_PEM: given(parseCertificates, "none", chain.pem),
  ERR_CERTPIN_CERTIFICATE_DER: ofDer("ERR_CERTPIN_CERTIFICATE_DER"),
  ERR_CERTPIN_CERTIFICATE_VERSION: ofDer("ERR_CERTPIN_CERTIFICATE_VERSION"),
  ERR_CERTPIN_CERTIFICATE_FOREIGN: given(
    (certificate) => fingerprint(certificate),
    { ...leaf } as Certificate,
    leaf,
  ),
  ERR_CERTPIN_KEY_FORMAT: given((text) => readKeys(text), "none", chain.keyPem),
  ERR_CERTPIN_KEY_ALGORITHM: given(
    keys,
    ["refused.x25519.pem"],
    ["ed25519.pkcs8.pem"],
  ),
  ERR_CERTPIN_KEY_ENCRYPTION: given(
    keys,
    ["legacy.des3.pem", "correct horse"],
    ["p256.aes256.pem", "correct horse"],
  ),
  ERR_CERTPIN_KEY_PASSPHRASE: given(
    keys,
    ["p256.aes256.pem"],
    ["p256.aes256.pem", "correct horse"],
  ),

  ERR_CERTPIN_POLICY_INVALID: given(
    parsePolicy,
    `{"version":1,"hosts":{},"host":{}}`,
    `{"version":1,"hosts":{}}`,
  ),
  ERR_CERTPIN_PIN_INVALID: given(
    (text) => parsePin(text),
    `sha256/${digest.slice(4)}`,
    `sha256/${digest}`,
  ),
  ERR_CERTPIN_PIN_HASH: given(
    (text) => parsePin(text),
    `sha1/${"A".repeat(27)}=`,
    `sha256/${digest}`,
  ),
  ERR_CERTPIN_PIN_FORMAT: given(
    (text) => formatPin(parsePin(text), "okhttp"),
    `certificate:sha256/${digest}`,
    `spki:sha256/${digest}`,
  ),
  ERR_CERTPIN_HOST_INVALID: given(canonicalHost, "a..example", "a.example"),
  ERR_CERTPIN_UNLISTED: scenario(
    () => enforce(undefined),
    () => enforce(undefined, { unlisted: "allow" }),
  ),
  ERR_CERTPIN_EXPIRED: given(
    (expiresAt: string) => enforce({ ...goodPins, expiresAt }),
    "2020-01-01T00:00:00Z",
    "2120-01-01T00:00:00Z",
  ),
  ERR_CERTPIN_DOCUMENT_SYNTAX: given(
    (text) => convert(text, "curl", "android"),
    ANDROID.slice(1),
    ANDROID,
  ),
  ERR_CERTPIN_DOCUMENT_ENTITY: given(
    (text) => convert(text, "curl", "android"),
    ENTITY + ANDROID,
    ANDROID,
  ),

  ERR_CERTPIN_PATH_EMPTY_CHAIN: given(
    (presented: Certificate[]) => verifyPath(presented, { anchors }),
    [],
    [leaf, intermediate],
  ),
  ERR_CERTPIN_PATH_NO_ISSUER: ofPath("ERR_CERTPIN_PATH_NO_ISSUER"),
  ERR_CERTPIN_PATH_ALGORITHM: ofPath("ERR_CERTPIN_PATH_ALGORITHM"),
  ERR_CERTPIN_PATH_SIGNATURE: ofPath("ERR_CERTPIN_PATH_SIGNATURE"),
  ERR_CERTPIN_PATH_VERSION: ofPath("ERR_CERTPIN_PATH_VERSION"),
  ERR_CERTPIN_PATH_SERIAL: ofPath("ERR_CERTPIN_PATH_SERIAL"),
  ERR_CERTPIN_PATH_EXTENSION: ofPath("ERR_CERTPIN_PATH_EXTENSION"),
  ERR_CERTPIN_PATH_CRITICAL_EXTENSION: ofPath(
    "ERR_CERTPIN_PATH_CRITICAL_EXTENSION",
  ),
  ERR_CERTPIN_PATH_NOT_YET_VALID: ofPath("ERR_CERTPIN_PATH_NOT_YET_VALID"),
  ERR_CERTPIN_PATH_EXPIRED: ofPath("ERR_CERTPIN_PATH_EXPIRED"),
  ERR_CERTPIN_PATH_NOT_CA: ofPath("ERR_CERTPIN_PATH_NOT_CA"),
  ERR_CERTPIN_PATH_LENGTH: ofPath("ERR_CERTPIN_PATH_LENGTH"),
  ERR_CERTPIN_PATH_KEY_USAGE: ofPath("ERR_CERTPIN_PATH_KEY_USAGE"),
  ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE: ofPath(
    "ERR_CERTPIN_PATH_EXTENDED_KEY_USAGE",
  ),
  ERR_CERTPIN_PATH_NAME_CONSTRAINTS: ofPath(
    "ERR_CERTPIN_PATH_NAME_CONSTRAINTS",
  ),
  ERR_CERTPIN_PATH_HOSTNAME: ofPath("ERR_CERTPIN_PATH_HOSTNAME"),
  ERR_CERTPIN_PATH_LEAF_IS_CA: ofPath("ERR_CERTPIN_PATH_LEAF_IS_CA"),

  ERR_CERTPIN_MISMATCH: given(
    (pin: string) => enforce({ pins: [pin] }),
    pins.backup,
    pins.leaf,
  ),
  ERR_CERTPIN_ROOT_ONLY: given(
    (pin: string) => enforce({ pins: [pin] }, { rootOnly: "deny" }),
    pins.root,
    pins.leaf,
  ),

  ERR_CERTPIN_LIMIT_CERTIFICATE_SIZE: scenario(
    () => {
      const bytes = new Uint8Array(MAX_CERTIFICATE_BYTES + 1);
      bytes.set(chain.leaf.der);
      return parseCertificates(bytes);
    },
    () => parseCertificates(chain.leaf.der),
  ),
  ERR_CERTPIN_LIMIT_CHAIN_LENGTH: withLimits("chainCertificates", 1, 2),
  ERR_CERTPIN_LIMIT_PATH_WORK: withLimits("signatures", 1, 2),
  ERR_CERTPIN_LIMIT_POLICY_SIZE: given(
    (length: number) => parsePolicy(`{"version":1,"hosts":{}}`.padEnd(length)),
    MAX_POLICY_LENGTH + 1,
    MAX_POLICY_LENGTH,
  ),

  ERR_CERTPIN_RUNTIME: given(
    (deno: string) => requireRuntime({ process: { versions: { deno } } }),
    "2.7.9",
    "2.8.0",
  ),
  ERR_CERTPIN_OPTION: given(
    (rejectUnauthorized: boolean) =>
      createFetch(policy, { ca: chain.ca, rejectUnauthorized } as object)
        .close(),
    false,
    true,
  ),
  ERR_CERTPIN_PROTOCOL: given(
    fetched,
    `http://${HOST}/`,
    `https://${HOST}/`,
  ),
  ERR_CERTPIN_NO_CHAIN: given(hook, {}, {
    raw: chain.leaf.der,
    issuerCertificate: { raw: chain.intermediates[0].der },
  }),
  ERR_CERTPIN_HANDSHAKE: given(connect, false, true),
  ERR_CERTPIN_TLS_VERSION: given(connectTls13, protocolVersionAlert, undefined),
  ERR_CERTPIN_TLS_ALERT: given(connectTls13, internalErrorAlert, undefined),
  ERR_CERTPIN_TLS_PROTOCOL: given(connectTls13, new Uint8Array(64), undefined),
  ERR_CERTPIN_TLS_TRUNCATED: given(connectTls13, new Uint8Array(0), undefined),
  ERR_CERTPIN_HTTP_PROTOCOL: given(
    async (text: string) => {
      await readHead(new Input(new Response(text).body!), "GET");
    },
    "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  ),

  ERR_CERTPIN_UPDATE_SIGNATURE: scenario(
    async () => verifySigned({ key: (await keyPair()).privateKey }),
    () => verifySigned({}),
  ),
  ERR_CERTPIN_UPDATE_ROLLBACK: given(
    (sequence: number) => verifySigned({ sequence }),
    0,
    1,
  ),
  ERR_CERTPIN_UPDATE_EXPIRED: given(
    (expiresAt: Date) => verifySigned({ issuedAt: inDays(-2), expiresAt }),
    inDays(-1),
    inDays(1),
  ),
  ERR_CERTPIN_UPDATE_NOT_YET_VALID: given(
    (issuedAt: Date) => verifySigned({ issuedAt }),
    inDays(1),
    inDays(0),
  ),
  ERR_CERTPIN_UPDATE_AUDIENCE: given(
    (audience: string) => verifySigned({ audience }),
    "another",
    AUDIENCE,
  ),
  ERR_CERTPIN_UPDATE_MALFORMED: given(
    (end: string) => verifySigned({}, (text) => text + end),
    ".",
    "",
  ),
  ERR_CERTPIN_UPDATE_SIZE: scenario(
    () =>
      verifySigned({}, (text) => text.padEnd(MAX_SIGNED_POLICY_BYTES + 1, "A")),
    () => verifySigned({}),
  ),
  ERR_CERTPIN_UPDATE_FETCH: scenario(
    () => update({ load: () => Promise.reject(new Error("offline")) }),
    () => update({}),
  ),
  ERR_CERTPIN_UPDATE_STORE: scenario(
    () => update({ store: fileStore("no/such/folder/policy.jws") }),
    () => update({}),
  ),
  ERR_CERTPIN_UPDATE_MAX_AGE: given(
    (days: number) => update({}, days),
    31,
    29,
  ),
  ERR_CERTPIN_PROXY: given(tunnelled, 407, 200),
};

const CLASSES: readonly [
  new (...parameters: never[]) => CertpinError,
  readonly ErrorCode[],
][] = [
  [CertificateError, CERTIFICATE_ERROR_CODES],
  [PolicyError, POLICY_ERROR_CODES],
  [PathError, PATH_ERROR_CODES],
  [PinMismatchError, PIN_MISMATCH_ERROR_CODES],
  [LimitError, LIMIT_ERROR_CODES],
  [ConnectionError, CONNECTION_ERROR_CODES],
  [UpdateError, UPDATE_ERROR_CODES],
];

Deno.test("every code has a scenario, and belongs to one class", () => {
  assertEquals(Object.keys(SCENARIOS).sort(), [...ERROR_CODES].sort());
  assertEquals(
    CLASSES.flatMap(([, codes]) => codes).sort(),
    [...ERROR_CODES].sort(),
  );
  assertEquals(new Set(ERROR_CODES).size, ERROR_CODES.length);
});

for (const [type, codes] of CLASSES) {
  for (const code of codes) {
    Deno.test(`${code} is reached`, async () => {
      await SCENARIOS[code].right();
      let thrown: unknown;
      try {
        await SCENARIOS[code].wrong();
      } catch (error) {
        thrown = error;
      }
      assert(thrown instanceof type, String(thrown));
      assert(thrown instanceof CertpinError);
      assertEquals(thrown.code, code);
      assertEquals(thrown.name, type.name);
      const json = JSON.parse(JSON.stringify(thrown));
      assertEquals(
        [json.name, json.code, json.message],
        [type.name, code, thrown.message],
      );
      assert(!("stack" in json) && !("cause" in json));
    });
  }
}
