/**
 * The program that BoringSSL's test runner (BoGo) starts for each of its tests:
 * a TLS 1.3 client that does what the flags say.
 *
 * It exits with 0 if all went well, with 1 and the error's code on standard
 * error if not, and with 89 for what this client does not have.
 */
import { CertpinError, PinMismatchError } from "../../src/errors.ts";
import { MAX_TLS_PARALLEL_RECORDS } from "../../src/limits.ts";
import { type GroupName, GROUPS } from "../../src/tls13/groups.ts";
import { open } from "../../src/tls13/open.ts";
import { defaultProfile, type Profile } from "../../src/tls13/profile.ts";
import { SCHEMES, type SignatureScheme } from "../../src/tls13/signatures.ts";
import { SUITES } from "../../src/tls13/suites.ts";
import type {
  ByteStream,
  ClientCertificate,
  TlsOptions,
  TlsStream,
} from "../../src/tls13/types.ts";
import { parseCertificates } from "../../src/x509/certificate.ts";
import { bytesEqual } from "../../src/x509/der.ts";
import { readPem } from "../../src/x509/pem.ts";

const UNIMPLEMENTED = 89;
const TLS13 = 0x0304;
/** How long the runner may keep a connection open that we have ended, in milliseconds. */
const DRAIN_MS = 5_000;

function unimplemented(why: string): never {
  console.error(`unimplemented: ${why}`);
  Deno.exit(UNIMPLEMENTED);
}

/** Flags without an argument that change nothing here, each with its reason. */
const IGNORED: Readonly<Record<string, string>> = {
  "-async": "everything is asynchronous",
  "-implicit-handshake": "writing always waits for the handshake",
  "-no-tls1": "nothing older than TLS 1.3 is offered",
  "-no-tls11": "nothing older than TLS 1.3 is offered",
  "-no-tls12": "nothing older than TLS 1.3 is offered",
  "-verify-peer": "the verdict is always asked",
  "-use-custom-verify-callback": "the verdict is always a callback",
  "-expect-no-session": "no session is ever kept",
  "-renegotiate-freely": "TLS 1.3 has no renegotiation",
  "-renegotiate-once": "TLS 1.3 has no renegotiation",
  "-renegotiate-ignore": "TLS 1.3 has no renegotiation",
  "-forbid-renegotiation-after-handshake": "TLS 1.3 has no renegotiation",
  "-use-old-client-cert-callback": "there is one way to give a certificate",
  "-handshake-twice": "a handshake is made once, by opening",
  "-no-op-extra-handshake": "a handshake is made once, by opening",
  "-expect-session-miss": "no session is ever kept",
};

/** Flags with an argument that change nothing here, each with its reason. */
const IGNORED_WITH_ARGUMENT: Readonly<Record<string, string>> = {
  "-trust-cert": "the verdict is the pinner's, which is not under test here",
  "-expect-curve-id": "the runner knows the group too",
  "-expect-peer-signature-algorithm": "the runner knows the scheme too",
  "-expect-total-renegotiations": "TLS 1.3 has no renegotiation",
};

/** Sets of algorithms that the runner names, as far as this client has them. */
const POLICIES: Readonly<
  Record<string, Pick<Profile, "suites" | "groups" | "schemes">>
> = {
  // NIST SP 800-52r2.
  "-fips-202205": {
    suites: SUITES,
    groups: ["P-256", "P-384"],
    schemes: schemesNamed(
      "ecdsa_secp256r1_sha256",
      "ecdsa_secp384r1_sha384",
      "rsa_pss_rsae_sha256",
      "rsa_pss_rsae_sha384",
      "rsa_pss_rsae_sha512",
    ),
  },
  // WPA3-Enterprise, 192 bits.
  "-wpa-202304": {
    suites: SUITES.slice(1),
    groups: ["P-384"],
    schemes: schemesNamed(
      "ecdsa_secp384r1_sha384",
      "rsa_pss_rsae_sha384",
      "rsa_pss_rsae_sha512",
    ),
  },
  // CNSA 1.0 (RFC 9151).
  "-cnsa1-202603": {
    suites: SUITES.slice(1),
    groups: ["P-384"],
    schemes: schemesNamed("ecdsa_secp384r1_sha384", "rsa_pss_rsae_sha384"),
  },
};

function schemesNamed(...names: readonly string[]): SignatureScheme[] {
  return SCHEMES.filter(({ name }) => names.includes(name));
}

interface Settings {
  port: number;
  hostname: string;
  address: string;
  id: bigint;
  protocols: string[];
  expectedProtocol: string | null | undefined;
  groups: GroupName[];
  schemes: number[];
  signingSchemes: number[];
  certificate?: { chain: string; key: string };
  readSize: number;
  refuses: boolean;
  writesFirst: boolean;
  shutsDown: boolean;
  checksCloseNotify: boolean;
  writesManySizes: boolean;
  updatesKeys: boolean;
  resumptions: number;
  peerChain?: string;
  policy?: keyof typeof POLICIES;
  /** Says that a refusal of older versions counts as not implemented. */
  olderIsUnimplemented: boolean;
}

function readFlags(args: readonly string[]): Settings {
  const settings: Settings = {
    port: 0,
    // An address, so that no server_name is sent unless the test asks for it.
    hostname: "127.0.0.1",
    address: "127.0.0.1",
    id: 0n,
    protocols: [],
    expectedProtocol: undefined,
    groups: [],
    schemes: [],
    signingSchemes: [],
    readSize: 512,
    refuses: false,
    writesFirst: false,
    shutsDown: false,
    checksCloseNotify: false,
    writesManySizes: false,
    updatesKeys: false,
    resumptions: 0,
    olderIsUnimplemented: false,
  };
  let certificate: string | undefined;
  let key: string | undefined;
  const left = [...args];
  while (left.length > 0) {
    const flag = left.shift()!;
    const argument = () => left.shift() ?? unimplemented(`${flag} alone`);
    if (flag in IGNORED) continue;
    if (flag in IGNORED_WITH_ARGUMENT) {
      argument();
      continue;
    }
    switch (flag) {
      case "-port":
        settings.port = Number(argument());
        break;
      case "-ipv6":
        settings.address = "::1";
        break;
      case "-shim-id":
        settings.id = BigInt(argument());
        break;
      case "-min-version":
        if (Number(argument()) > TLS13) unimplemented(flag);
        break;
      case "-max-version":
        if (Number(argument()) < TLS13) unimplemented("an older version");
        break;
      case "-host-name":
        settings.hostname = argument();
        break;
      case "-advertise-alpn":
        settings.protocols = readProtocols(argument());
        break;
      case "-expect-alpn":
        settings.expectedProtocol = argument() || null;
        break;
      case "-curves": {
        const id = Number(argument());
        const group = (Object.keys(GROUPS) as GroupName[])
          .find((name) => GROUPS[name] === id);
        settings.groups.push(group ?? unimplemented(`group ${id}`));
        break;
      }
      case "-verify-prefs": {
        const id = Number(argument());
        if (!SCHEMES.some((scheme) => scheme.id === id)) {
          unimplemented(`signature scheme ${id}`);
        }
        settings.schemes.push(id);
        break;
      }
      case "-signing-prefs":
        settings.signingSchemes.push(Number(argument()));
        break;
      case "-cert-file":
        certificate = argument();
        break;
      case "-key-file":
        key = argument();
        break;
      case "-read-size":
        settings.readSize = Number(argument());
        break;
      case "-verify-fail":
        settings.refuses = true;
        break;
      case "-shim-writes-first":
        settings.writesFirst = true;
        break;
      case "-shim-shuts-down":
        settings.shutsDown = true;
        break;
      case "-check-close-notify":
        settings.checksCloseNotify = true;
        break;
      case "-key-update":
        settings.updatesKeys = true;
        break;
      case "-resume-count":
        settings.resumptions = Number(argument());
        break;
      case "-expect-peer-cert-file":
        settings.peerChain = argument();
        break;
      case "-older-is-unimplemented":
        settings.olderIsUnimplemented = true;
        break;
      case "-write-different-record-sizes":
        settings.writesManySizes = true;
        break;
      default:
        if (!(flag in POLICIES)) unimplemented(flag);
        settings.policy = flag;
    }
  }
  if (certificate && key) settings.certificate = { chain: certificate, key };
  return settings;
}

/** From ALPN's wire format; the runner's names are ASCII. */
function readProtocols(wire: string): string[] {
  const names: string[] = [];
  for (let at = 0; at < wire.length;) {
    const length = wire.charCodeAt(at);
    names.push(wire.slice(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return names;
}

async function profileFor(settings: Settings): Promise<Profile> {
  const profile = {
    ...await defaultProfile(),
    ...settings.policy && POLICIES[settings.policy],
  };
  const groups = settings.groups.length > 0 ? settings.groups : profile.groups;
  const isHybrid = (group: GroupName) => group === "X25519MLKEM768";
  // A share for the first group of either kind, as by default.
  const shares = groups.filter((group) =>
    group === groups.find((other) => isHybrid(other) === isHybrid(group))
  );
  return {
    ...profile,
    groups,
    shares,
    schemes: settings.schemes.length > 0
      ? settings.schemes.map((wanted) =>
        SCHEMES.find(({ id }) => id === wanted)!
      )
      : profile.schemes,
    // One batch of records: then keys are updated before each write.
    ...settings.updatesKeys && { recordsPerKey: MAX_TLS_PARALLEL_RECORDS - 1 },
  };
}

async function readCertificate(
  { certificate, signingSchemes }: Settings,
): Promise<ClientCertificate | undefined> {
  if (!certificate) return undefined;
  const pem = await Deno.readTextFile(certificate.key);
  const [block] = readPem(pem, (label) => label === "PRIVATE KEY");
  const chain = parseCertificates(await Deno.readTextFile(certificate.chain))
    .map(({ der }) => der);
  // An RSA key can be held to one hash; the other keys have one scheme each.
  const preferred = signingSchemes.map((id) =>
    SCHEMES.find((scheme) => scheme.id === id)
  ).find((scheme) => scheme?.kind === "rsa-pss-rsae");
  if (!preferred) return { chain, key: block.bytes };
  const key = await crypto.subtle.importKey(
    "pkcs8",
    block.bytes,
    { name: "RSA-PSS", hash: preferred.hash },
    false,
    ["sign"],
  );
  return { chain, key };
}

/** TCP whose halves end on their own, so that the last alert arrives. */
function halves(connection: Deno.TcpConn): ByteStream {
  return {
    readable: new ReadableStream({
      async pull(controller) {
        const buffer = new Uint8Array(65_536);
        const length = await connection.read(buffer);
        if (length === null) controller.close();
        else controller.enqueue(buffer.subarray(0, length));
      },
    }),
    writable: new WritableStream({
      async write(chunk) {
        for (let at = 0; at < chunk.length;) {
          at += await connection.write(chunk.subarray(at));
        }
      },
      async close() {
        await connection.closeWrite();
      },
    }),
  };
}

/** Reads what the runner still sends, so that closing does not reset the connection. */
async function drain(connection: Deno.TcpConn): Promise<void> {
  const timer = setTimeout(() => connection.close(), DRAIN_MS);
  try {
    const buffer = new Uint8Array(65_536);
    while (await connection.read(buffer) !== null);
  } catch {
    // It is gone.
  } finally {
    clearTimeout(timer);
  }
}

const HELLO = new TextEncoder().encode("hello");
const RECORD_SIZES = [0, 1, 255, 256, 257, 16_383, 16_384, 16_385, 32_767]
  .concat(32_768, 32_769);

async function exchange(tls: TlsStream, settings: Settings): Promise<void> {
  const { expectedProtocol } = settings;
  if (
    expectedProtocol !== undefined && tls.alpnProtocol !== expectedProtocol
  ) throw new Error(`ALPN chose ${tls.alpnProtocol}`);
  const writer = tls.writable.getWriter();
  const reader = tls.readable.getReader({ mode: "byob" });
  if (settings.writesManySizes) {
    for (const size of RECORD_SIZES) {
      await writer.write(new Uint8Array(size).fill(0x42));
    }
  } else if (settings.writesFirst) await writer.write(HELLO);
  if (settings.shutsDown) {
    const closed = writer.close();
    // Who does not ask for the peer's close_notify does not mind how it ends.
    if (!settings.checksCloseNotify) return await closed.catch(() => {});
    await closed;
  }
  for (;;) {
    const buffer = new Uint8Array(settings.readSize);
    const { done, value } = await reader.read(buffer);
    if (done) break;
    if (settings.shutsDown) throw new Error("Data came after close_notify");
    await writer.write(value.map((byte) => byte ^ 0xff));
  }
  if (!settings.shutsDown) await writer.close();
  await tls.closed;
}

async function verdict(
  settings: Settings,
  chain: readonly Uint8Array[],
): Promise<void> {
  if (settings.refuses) {
    const { hostname } = settings;
    const details = { hostname, observed: [], configured: [] };
    throw new PinMismatchError("ERR_CERTPIN_MISMATCH", "-verify-fail", details);
  }
  if (!settings.peerChain) return;
  const expected = parseCertificates(
    await Deno.readTextFile(settings.peerChain),
  );
  const isExpected = expected.length === chain.length &&
    expected.every(({ der }, at) => bytesEqual(der, chain[at]));
  if (!isExpected) throw new Error("The chain is not as sent");
}

/** One connection; returns the exit code. */
async function connect(settings: Settings): Promise<number> {
  const connection = await Deno.connect({
    hostname: settings.address,
    port: settings.port,
  });
  const id = new Uint8Array(8);
  new DataView(id.buffer).setBigUint64(0, settings.id, true);
  await connection.write(id);
  const clientCertificate = await readCertificate(settings);
  const options: TlsOptions = {
    hostname: settings.hostname,
    alpnProtocols: settings.protocols,
    verify: (chain) => verdict(settings, chain),
    ...clientCertificate && { clientCertificate },
  };
  let exitCode = 0;
  try {
    const profile = await profileFor(settings);
    const tls = await open(halves(connection), options, profile);
    await exchange(tls, settings);
  } catch (error) {
    const isOlder = error instanceof CertpinError &&
      error.code === "ERR_CERTPIN_TLS_VERSION";
    exitCode = isOlder && settings.olderIsUnimplemented ? UNIMPLEMENTED : 1;
    console.error(
      error instanceof CertpinError ? `${error.code}: ${error.message}` : error,
    );
  }
  await drain(connection);
  return exitCode;
}

const settings = readFlags(Deno.args);
let exitCode = 0;
for (let count = 0; count <= settings.resumptions && exitCode === 0; count++) {
  exitCode = await connect(settings);
}
Deno.exit(exitCode);
