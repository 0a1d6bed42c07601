/**
 * What a hostile server can do to the handshake: each attack is refused with
 * the right alert, without a verdict and without a Finished, and its control,
 * which differs in one thing, is a good handshake.
 */
import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../../src/crypto/routine.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import type { AlertName } from "../../../src/tls13/failure.ts";
import { type GroupName, GROUPS } from "../../../src/tls13/groups.ts";
import { EXTENSION } from "../../../src/tls13/messages.ts";
import { SUITES } from "../../../src/tls13/suites.ts";
import { concat, uint, vector } from "../../../src/tls13/wire.ts";
import { mintKey } from "../../../src/testing/mod.ts";
import type { Body } from "../harness.ts";
import { type ClientSettings, play } from "./play.ts";
import {
  type Builder,
  certificate,
  certificateRequest,
  certificateVerify,
  encryptedExtensions,
  finished,
  FLIGHT,
  type HelloFields,
  HOSTNAME,
  identityOf,
  type RawExtension,
  rawMessage,
  rsaPkcs1,
  rsaPss,
  type Script,
  type VerifyScript,
} from "./server.ts";

/** One attack, and its control. */
interface Attack {
  readonly name: string;
  readonly script: Script;
  /** The same without the attack. Default: nothing special. */
  readonly control?: Script;
  readonly alert: AlertName;
  /** Default: `ERR_CERTPIN_TLS_PROTOCOL`. */
  readonly code?: ErrorCode;
  /** Whether the attack comes before the ServerHello has been taken. */
  readonly isPlain?: boolean;
  readonly client?: ClientSettings;
}

const NOTHING = new Uint8Array(0);
const same = (fields: HelloFields) => fields;

function withExtensions(
  change: (extensions: readonly RawExtension[]) => readonly RawExtension[],
): (fields: HelloFields) => HelloFields {
  return (fields) => ({ ...fields, extensions: change(fields.extensions) });
}

const without = (name: keyof typeof EXTENSION) =>
  withExtensions((extensions) =>
    extensions.filter(([type]) => type !== EXTENSION[name])
  );

const instead = (name: keyof typeof EXTENSION, data: Uint8Array) =>
  withExtensions((extensions) =>
    extensions.map((entry) =>
      entry[0] === EXTENSION[name] ? [entry[0], data] : entry
    )
  );

const adding = (...added: readonly RawExtension[]) =>
  withExtensions((extensions) => [...extensions, ...added]);

const doubling = withExtensions((extensions) => [...extensions, extensions[0]]);

/** Attacks on the ServerHello. */
function serverHelloAttacks(): Attack[] {
  const cases: Record<
    string,
    readonly [(fields: HelloFields) => HelloFields, AlertName, ErrorCode?]
  > = {
    "chooses TLS 1.2 in supported_versions": [
      instead("supported_versions", uint(0x0303, 2)),
      "illegal_parameter",
    ],
    "chooses a version to come": [
      instead("supported_versions", uint(0x0305, 2)),
      "illegal_parameter",
    ],
    "has no supported_versions": [
      without("supported_versions"),
      "protocol_version",
      "ERR_CERTPIN_TLS_VERSION",
    ],
    "is one of TLS 1.2": [
      (fields) => ({ ...fields, extensions: [[0xff01, Uint8Array.of(0)]] }),
      "protocol_version",
      "ERR_CERTPIN_TLS_VERSION",
    ],
    "is one of TLS 1.1": [
      (fields) => ({ ...fields, legacyVersion: 0x0302, extensions: [] }),
      "protocol_version",
      "ERR_CERTPIN_TLS_VERSION",
    ],
    ...Object.fromEntries([0, 1].map((last) => [
      `carries the downgrade sentinel ${last}`,
      [
        (fields: HelloFields) => ({
          ...fields,
          random: concat(
            fields.random.subarray(0, 24),
            new TextEncoder().encode("DOWNGRD"),
            Uint8Array.of(last),
          ),
          extensions: [],
        }),
        "illegal_parameter",
      ] as const,
    ])),
    "has another legacy version": [
      (fields) => ({ ...fields, legacyVersion: 0x0304 }),
      "illegal_parameter",
    ],
    "has another session id": [
      (fields) => ({
        ...fields,
        sessionId: fields.sessionId.map((byte) => byte ^ 1),
      }),
      "illegal_parameter",
    ],
    "has no session id": [
      (fields) => ({ ...fields, sessionId: NOTHING }),
      "illegal_parameter",
    ],
    "has a session id that is too long": [
      (fields) => ({ ...fields, sessionId: new Uint8Array(33) }),
      "decode_error",
    ],
    "chooses a suite that was not offered": [
      (fields) => ({ ...fields, suite: 0x1303 }),
      "illegal_parameter",
    ],
    "chooses a suite of TLS 1.2": [
      (fields) => ({ ...fields, suite: 0xc02b }),
      "illegal_parameter",
    ],
    "chooses compression": [
      (fields) => ({ ...fields, compression: 1 }),
      "illegal_parameter",
    ],
    "has no key_share": [without("key_share"), "missing_extension"],
    "has a key_share of a group that was not offered": [
      instead(
        "key_share",
        concat(uint(0x0019, 2), vector(2, new Uint8Array(133))),
      ),
      "illegal_parameter",
    ],
    "has a key_share of a group without a share": [
      instead(
        "key_share",
        concat(uint(GROUPS["P-384"], 2), vector(2, new Uint8Array(97))),
      ),
      "illegal_parameter",
    ],
    "has an empty key_share": [
      instead("key_share", NOTHING),
      "decode_error",
    ],
    "has a key_share with bytes after it": [
      (fields) =>
        instead(
          "key_share",
          concat(
            fields.extensions.find(([type]) =>
              type === EXTENSION.key_share
            )![1],
            Uint8Array.of(0),
          ),
        )(fields),
      "decode_error",
    ],
    "has supported_versions twice": [doubling, "illegal_parameter"],
    "has bytes after it": [
      (fields) => ({ ...fields, trailer: Uint8Array.of(0) }),
      "decode_error",
    ],
    "has a cookie": [
      adding([EXTENSION.cookie, vector(2, Uint8Array.of(1))]),
      "unsupported_extension",
    ],
    "has pre_shared_key": [
      adding([EXTENSION.pre_shared_key, uint(0, 2)]),
      "unsupported_extension",
    ],
    "has an extension that was not offered": [
      adding([0x1234, NOTHING]),
      "unsupported_extension",
    ],
    "has ALPN, which belongs elsewhere": [
      adding([EXTENSION.application_layer_protocol_negotiation, NOTHING]),
      "unsupported_extension",
    ],
  };
  return Object.entries(cases).map(([name, [serverHello, alert, code]]) => ({
    name: `a ServerHello that ${name}`,
    script: { serverHello },
    alert,
    code,
    isPlain: true,
  }));
}

/** Attacks on the server's half of the key agreement. */
function keyShareAttacks(): Attack[] {
  const attacks: Attack[] = [];
  const add = (
    name: string,
    group: GroupName,
    change: (share: Bytes) => Uint8Array,
    client?: ClientSettings,
  ) => {
    const serverHello = (fields: HelloFields): HelloFields => {
      const [, data] = fields.extensions.find(([type]) =>
        type === EXTENSION.key_share
      )!;
      return instead(
        "key_share",
        concat(data.subarray(0, 2), vector(2, change(data.slice(4)))),
      )(fields);
    };
    attacks.push({
      name: `a ${group} share that is ${name}`,
      script: { group, serverHello },
      control: { group },
      alert: "illegal_parameter",
      isPlain: true,
      client,
    });
  };
  add("one byte short", "X25519", (share) => share.subarray(1));
  add("one byte long", "X25519", (share) => concat(share, NOTHING, uint(0, 1)));
  add("all zero", "X25519", () => new Uint8Array(32));
  add(
    "the point of order 4",
    "X25519",
    () => concat(uint(1, 1), new Uint8Array(31)),
  );
  add(
    "p, which is zero",
    "X25519",
    () => Uint8Array.of(0xed, ...new Array(30).fill(0xff), 0x7f),
  );
  for (const [group, size] of [["P-256", 32], ["P-384", 48]] as const) {
    const client = { profile: { groups: [group], shares: [group] } };
    add("one byte short", group, (share) => share.subarray(0, -1), client);
    add("one byte long", group, (share) => concat(share, uint(0, 1)), client);
    add(
      "compressed",
      group,
      (share) =>
        concat(
          Uint8Array.of(2 | share[2 * size] & 1),
          share.subarray(1, size + 1),
        ),
      client,
    );
    add(
      "in the hybrid form",
      group,
      (share) =>
        concat(Uint8Array.of(6 | share[2 * size] & 1), share.subarray(1)),
      client,
    );
    add("off the curve", group, (share) => {
      share[2 * size] ^= 1;
      return share;
    }, client);
    add(
      "all zero",
      group,
      () => concat(uint(4, 1), new Uint8Array(2 * size)),
      client,
    );
    add("the point at infinity", group, () => uint(0, 1), client);
  }
  return attacks;
}

/** Attacks by HelloRetryRequest. */
function retryAttacks(): Attack[] {
  const asking: Script = { group: "P-256", retries: [same] };
  const withCookie = adding([
    EXTENSION.cookie,
    vector(2, Uint8Array.of(1, 2, 3)),
  ]);
  const cases: Record<string, readonly [Script, AlertName, Script?]> = {
    "asks for nothing": [
      { retries: [without("key_share")] },
      "illegal_parameter",
      { retries: [(fields) => withCookie(without("key_share")(fields))] },
    ],
    "comes twice": [
      {
        group: "P-256",
        retries: [same, instead("key_share", uint(GROUPS["P-384"], 2))],
        impatient: true,
      },
      "unexpected_message",
      asking,
    ],
    "asks for a group whose share it has": [
      { group: "X25519", retries: [same] },
      "illegal_parameter",
      asking,
    ],
    "asks for a group that was not offered": [
      {
        group: "P-256",
        retries: [instead("key_share", uint(0x0019, 2))],
        impatient: true,
      },
      "illegal_parameter",
      asking,
    ],
    "has an empty cookie": [
      { ...asking, retries: [adding([EXTENSION.cookie, vector(2)])] },
      "decode_error",
      { ...asking, retries: [withCookie] },
    ],
    "has a whole key share": [
      {
        ...asking,
        retries: [
          instead(
            "key_share",
            concat(uint(GROUPS["P-256"], 2), vector(2, new Uint8Array(65))),
          ),
        ],
      },
      "decode_error",
      asking,
    ],
    "has no supported_versions": [
      { ...asking, retries: [without("supported_versions")] },
      "protocol_version",
      asking,
    ],
    "has another session id": [
      {
        ...asking,
        retries: [(fields) => ({ ...fields, sessionId: new Uint8Array(32) })],
      },
      "illegal_parameter",
      asking,
    ],
    "chooses a suite that was not offered": [
      { ...asking, retries: [(fields) => ({ ...fields, suite: 0x1303 })] },
      "illegal_parameter",
      asking,
    ],
    "chooses compression": [
      { ...asking, retries: [(fields) => ({ ...fields, compression: 1 })] },
      "illegal_parameter",
      asking,
    ],
    "has an extension that was not offered": [
      { ...asking, retries: [adding([0x1234, NOTHING])] },
      "unsupported_extension",
      asking,
    ],
    "has key_share twice": [
      {
        ...asking,
        retries: [
          adding([EXTENSION.key_share, uint(GROUPS["P-256"], 2)]),
        ],
      },
      "illegal_parameter",
      asking,
    ],
    "is followed by a ServerHello with another suite": [
      {
        ...asking,
        serverHello: (fields) => ({ ...fields, suite: SUITES[1].id }),
      },
      "illegal_parameter",
      asking,
    ],
    "is followed by a ServerHello with another group": [
      {
        ...asking,
        serverHello: instead(
          "key_share",
          concat(uint(GROUPS.X25519, 2), vector(2, new Uint8Array(32).fill(9))),
        ),
      },
      "illegal_parameter",
      asking,
    ],
  };
  return Object.entries(cases).map(([name, [script, alert, control]]) => ({
    name: `a HelloRetryRequest that ${name}`,
    script,
    control,
    alert,
    isPlain: true,
    ...alert === "protocol_version" &&
      { code: "ERR_CERTPIN_TLS_VERSION" as const },
  }));
}

const [, CERTIFICATE, VERIFY, FINISHED] = FLIGHT;

/** A flight with one message instead of that at `at`. */
function flightWith(at: number, message: Builder): readonly Builder[] {
  return FLIGHT.map((build, index) => index === at ? message : build);
}

/** Attacks on EncryptedExtensions. */
function extensionAttacks(): Attack[] {
  const alpn = EXTENSION.application_layer_protocol_negotiation;
  const names = (...list: string[]) =>
    vector(
      2,
      ...list.map((name) => vector(1, new TextEncoder().encode(name))),
    );
  const offering: ClientSettings = { options: { alpnProtocols: ["http/1.1"] } };
  const answer = (...extensions: RawExtension[]): Script => ({
    flight: flightWith(0, encryptedExtensions(extensions)),
  });
  const good = answer([alpn, names("http/1.1")]);
  const address: ClientSettings = { options: { hostname: "192.0.2.1" } };
  const bare = answer();
  const cases: Record<
    string,
    readonly [Script, AlertName, ClientSettings?, Script?]
  > = {
    "chooses an ALPN protocol that was not offered": [
      answer([alpn, names("h2")]),
      "illegal_parameter",
      offering,
      good,
    ],
    "chooses two ALPN protocols": [
      answer([alpn, names("http/1.1", "h2")]),
      "decode_error",
      offering,
      good,
    ],
    "chooses an empty ALPN protocol": [
      answer([alpn, vector(2, uint(0, 1))]),
      "decode_error",
      offering,
      good,
    ],
    "chooses no ALPN protocol by an empty list": [
      answer([alpn, vector(2)]),
      "decode_error",
      offering,
      good,
    ],
    "has ALPN twice": [
      answer([alpn, names("http/1.1")], [alpn, names("http/1.1")]),
      "illegal_parameter",
      offering,
      good,
    ],
    "has ALPN without an offer": [
      answer([alpn, names("http/1.1")]),
      "unsupported_extension",
      undefined,
      bare,
    ],
    "has server_name with content": [
      answer([EXTENSION.server_name, uint(0, 1)]),
      "decode_error",
      undefined,
      answer([EXTENSION.server_name, NOTHING]),
    ],
    "has server_name without an offer": [
      answer([EXTENSION.server_name, NOTHING]),
      "unsupported_extension",
      address,
      bare,
    ],
    "has an extension that was not offered": [
      answer([0x1234, NOTHING]),
      "unsupported_extension",
    ],
    "has early_data": [
      answer([EXTENSION.early_data, NOTHING]),
      "unsupported_extension",
    ],
    "has key_share": [
      answer([EXTENSION.key_share, uint(GROUPS.X25519, 2)]),
      "unsupported_extension",
    ],
    "has supported_versions": [
      answer([EXTENSION.supported_versions, uint(0x0304, 2)]),
      "unsupported_extension",
    ],
    "has signature_algorithms": [
      answer([EXTENSION.signature_algorithms, vector(2, uint(0x0403, 2))]),
      "unsupported_extension",
    ],
    "has bytes after it": [
      { flight: flightWith(0, rawMessage(8, Uint8Array.of(0, 0, 0))) },
      "decode_error",
      undefined,
      { flight: flightWith(0, rawMessage(8, Uint8Array.of(0, 0))) },
    ],
    "is cut short": [
      { flight: flightWith(0, rawMessage(8, Uint8Array.of(0, 4, 0, 10))) },
      "decode_error",
    ],
  };
  return Object.entries(cases).map((
    [name, [script, alert, client, control]],
  ) => ({
    name: `EncryptedExtensions that ${name}`,
    script,
    control,
    alert,
    client,
  }));
}

/** Attacks on Certificate and CertificateRequest. */
async function certificateAttacks(): Promise<Attack[]> {
  const { chain } = (await identityOf()).chain;
  const cut = chain[0].slice(0, -1);
  const schemes: RawExtension = [
    EXTENSION.signature_algorithms,
    vector(2, uint(0x0403, 2)),
  ];
  const asking = (request: Builder): Script => ({
    flight: [FLIGHT[0], request, ...FLIGHT.slice(1)],
  });
  const asked = asking(certificateRequest());
  const cases: Record<
    string,
    readonly [Script, AlertName, Script?, ErrorCode?]
  > = {
    "a Certificate with a context": [
      {
        flight: flightWith(
          1,
          certificate({ context: Uint8Array.of(1) }),
        ),
      },
      "illegal_parameter",
    ],
    "an empty Certificate": [
      { flight: flightWith(1, certificate({ chain: [] })) },
      "decode_error",
    ],
    "a Certificate with an empty entry": [
      { flight: flightWith(1, certificate({ chain: [chain[0], NOTHING] })) },
      "decode_error",
      { flight: flightWith(1, certificate({ chain: [chain[0]] })) },
    ],
    "a Certificate whose first entry is cut": [
      { flight: flightWith(1, certificate({ chain: [cut, chain[1]] })) },
      "bad_certificate",
      undefined,
      "ERR_CERTPIN_CERTIFICATE_DER",
    ],
    "a Certificate with an OCSP response that was not asked for": [
      {
        flight: flightWith(
          1,
          certificate({ extensions: [[5, Uint8Array.of(1, 0, 0, 1, 0)]] }),
        ),
      },
      "unsupported_extension",
    ],
    "a Certificate with an unknown extension twice": [
      {
        flight: flightWith(
          1,
          certificate({ extensions: [[0x1234, NOTHING], [0x1234, NOTHING]] }),
        ),
      },
      "unsupported_extension",
    ],
    "a Certificate with bytes after it": [
      { flight: flightWith(1, rawMessage(11, new Uint8Array(5))) },
      "decode_error",
    ],
    "a CertificateRequest with a context": [
      asking(certificateRequest([schemes], Uint8Array.of(7))),
      "illegal_parameter",
      asked,
    ],
    "a CertificateRequest without signature_algorithms": [
      asking(certificateRequest([])),
      "missing_extension",
      asked,
    ],
    "a CertificateRequest with no schemes": [
      asking(certificateRequest([[13, vector(2)]])),
      "decode_error",
      asked,
    ],
    "a CertificateRequest with signature_algorithms twice": [
      asking(certificateRequest([schemes, schemes])),
      "illegal_parameter",
      asked,
    ],
    "a CertificateRequest with an extension that belongs elsewhere": [
      asking(
        certificateRequest([schemes, [EXTENSION.server_name, NOTHING]]),
      ),
      "illegal_parameter",
      asking(certificateRequest([schemes, [0x1234, NOTHING]])),
    ],
    "a CertificateRequest after the Certificate": [
      {
        flight: [
          FLIGHT[0],
          CERTIFICATE,
          certificateRequest(),
          VERIFY,
          FINISHED,
        ],
      },
      "unexpected_message",
      asked,
    ],
    "two CertificateRequests": [
      {
        flight: [
          FLIGHT[0],
          certificateRequest(),
          certificateRequest(),
          ...FLIGHT.slice(1),
        ],
      },
      "unexpected_message",
      asked,
    ],
  };
  return Object.entries(cases).map((
    [name, [script, alert, control, code]],
  ) => ({
    name,
    script,
    alert,
    control,
    code,
  }));
}

/** Attacks on CertificateVerify: whether the server holds the key. */
async function verifyAttacks(): Promise<Attack[]> {
  const ecdsa = await identityOf("P-256");
  const p384 = await identityOf("P-384");
  const rsa = await identityOf("RSA-2048");
  const pss = await identityOf("RSA-PSS-2048");
  const ed25519 = await identityOf("Ed25519");
  const other = await mintKey("P-256");
  const attack = (
    name: string,
    script: VerifyScript,
    alert: AlertName,
    identity = ecdsa,
  ): Attack => ({
    name: `a CertificateVerify ${name}`,
    script: { identity, flight: flightWith(2, certificateVerify(script)) },
    control: { identity },
    alert,
  });
  const flip = (at: number) => (bytes: Bytes) => {
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    return bytes;
  };
  /** The DER of a signature with a leading zero that does not belong in r. */
  const padded = (der: Bytes) => {
    const length = der[3];
    return concat(
      Uint8Array.of(0x30, der[1] + 1, 0x02, length + 1, 0),
      der.subarray(4),
    );
  };
  const making = (namedCurve: string, hash: string) => ({
    import: { name: "ECDSA", namedCurve },
    sign: { name: "ECDSA", hash },
  });
  return [
    attack("by another key", { pkcs8: other.pkcs8 }, "decrypt_error"),
    attack(
      "over another transcript",
      { transcriptHash: flip(0) },
      "decrypt_error",
    ),
    attack(
      "over an empty transcript",
      { transcriptHash: () => NOTHING },
      "decrypt_error",
    ),
    attack("of a client", { side: "client" }, "decrypt_error"),
    attack(
      "without the context string",
      { content: (content) => content.subarray(98) },
      "decrypt_error",
    ),
    attack(
      "without the 64 spaces",
      { content: (content) => content.subarray(64) },
      "decrypt_error",
    ),
    attack(
      "that is zeros",
      { signature: (signature) => new Uint8Array(signature.length) },
      "decrypt_error",
    ),
    attack(
      "of the numbers zero",
      {
        signature: () => Uint8Array.of(0x30, 6, 2, 1, 0, 2, 1, 0),
      },
      "decrypt_error",
    ),
    attack("that is empty", { signature: () => NOTHING }, "decrypt_error"),
    attack("with a bit flipped", { signature: flip(-1) }, "decrypt_error"),
    attack(
      "with a byte after it",
      { signature: (signature) => concat(signature, uint(0, 1)) },
      "decrypt_error",
    ),
    attack(
      "that is not minimal DER",
      { signature: padded },
      "decrypt_error",
    ),
    attack(
      "in the form of P1363",
      { signature: (der) => der.slice(-64) },
      "decrypt_error",
    ),
    attack(
      "by a scheme that was not offered",
      { scheme: 0x081a },
      "illegal_parameter",
    ),
    attack("by ECDSA with SHA-1", {
      scheme: 0x0203,
      making: making("P-256", "SHA-1"),
    }, "illegal_parameter"),
    attack("by scheme 0", { scheme: 0 }, "illegal_parameter"),
    attack(
      "by the scheme of another curve",
      { scheme: 0x0503, making: making("P-256", "SHA-384") },
      "illegal_parameter",
    ),
    attack(
      "by P-384's key and P-256's scheme",
      { scheme: 0x0403, making: making("P-384", "SHA-256") },
      "illegal_parameter",
      p384,
    ),
    attack(
      "with another hash than its scheme's",
      { making: making("P-256", "SHA-384") },
      "decrypt_error",
    ),
    attack(
      "by RSA PKCS#1",
      { scheme: 0x0401, making: rsaPkcs1("SHA-256") },
      "illegal_parameter",
      rsa,
    ),
    attack(
      "by RSA PKCS#1 that claims to be PSS",
      { making: rsaPkcs1("SHA-256") },
      "decrypt_error",
      rsa,
    ),
    attack(
      "by RSA PKCS#1 with SHA-1",
      { scheme: 0x0201, making: rsaPkcs1("SHA-1") },
      "illegal_parameter",
      rsa,
    ),
    attack(
      "by RSA-PSS with another salt",
      { making: rsaPss("SHA-256", 20) },
      "decrypt_error",
      rsa,
    ),
    attack(
      "by RSA-PSS without a salt",
      { making: rsaPss("SHA-256", 0) },
      "decrypt_error",
      rsa,
    ),
    attack(
      "by RSA-PSS with another hash",
      { making: rsaPss("SHA-384", 32) },
      "decrypt_error",
      rsa,
    ),
    attack(
      "of an rsaEncryption key by rsa_pss_pss",
      { scheme: 0x0809 },
      "illegal_parameter",
      rsa,
    ),
    attack(
      "of a PSS key by rsa_pss_rsae",
      { scheme: 0x0804 },
      "illegal_parameter",
      pss,
    ),
    attack(
      "of an ECDSA key by RSA-PSS's scheme",
      { scheme: 0x0804 },
      "illegal_parameter",
    ),
    attack(
      "of an Ed25519 key by ECDSA's scheme",
      { scheme: 0x0403 },
      "illegal_parameter",
      ed25519,
    ),
    attack(
      "with a bit flipped, by Ed25519",
      { signature: flip(0) },
      "decrypt_error",
      ed25519,
    ),
    {
      name: "a CertificateVerify with bytes after it",
      script: {
        flight: flightWith(
          2,
          async (context) => {
            const raw = await certificateVerify()(context);
            return concat(
              raw.subarray(0, 1),
              vector(3, raw.subarray(4), uint(0, 1)),
            );
          },
        ),
      },
      alert: "decode_error",
    },
  ];
}

/** Attacks on the server's Finished. */
function finishedAttacks(): Attack[] {
  const attack = (
    name: string,
    change: (verifyData: Bytes) => Uint8Array,
    alert: AlertName,
    suite = SUITES[0],
  ): Attack => ({
    name: `a Finished ${name} (${suite.hash})`,
    script: { suite, flight: flightWith(3, finished(change)) },
    control: { suite },
    alert,
  });
  return SUITES.flatMap((suite) => [
    ...[0, 7, 8 * suite.hashLength - 1].map((bit) =>
      attack(
        `with bit ${bit} flipped`,
        (data) => {
          data[bit >> 3] ^= 1 << (bit & 7);
          return data;
        },
        "decrypt_error",
        suite,
      )
    ),
    attack("of zeros", (data) => data.fill(0), "decrypt_error", suite),
    attack("that is empty", () => NOTHING, "decode_error", suite),
    attack(
      "that is short",
      (data) => data.subarray(1),
      "decode_error",
      suite,
    ),
    attack(
      "that is long",
      (data) => concat(data, uint(0, 1)),
      "decode_error",
      suite,
    ),
    {
      name: `a Finished by the client's secret (${suite.hash})`,
      script: {
        suite,
        flight: flightWith(
          3,
          (context) =>
            finished()({
              ...context,
              secrets: {
                client: context.secrets.client,
                server: context.secrets.client,
              },
            }),
        ),
      },
      control: { suite },
      alert: "decrypt_error",
    },
  ]);
}

/** Every sequence of up to four messages of the flight that is no beginning of the right one. */
function wrongSequences(): number[][] {
  const wrong: number[][] = [];
  const extend = (sequence: readonly number[]) => {
    if (sequence.some((one, at) => one !== at)) wrong.push([...sequence]);
    if (sequence.length === FLIGHT.length) return;
    for (const next of FLIGHT.keys()) extend([...sequence, next]);
  };
  extend([]);
  return wrong;
}

const NAMES = ["EE", "Certificate", "CertificateVerify", "Finished"];

async function check(attack: Attack): Promise<void> {
  const good = await play(attack.control ?? {}, attack.client);
  assertEquals(good.error, undefined);
  assertEquals(
    { verdicts: good.verdicts, isFinished: good.isFinished },
    { verdicts: 1, isFinished: true },
  );
  const bad = await play(attack.script, attack.client);
  assertEquals(
    {
      code: bad.code,
      alert: bad.alert,
      isAlertEncrypted: bad.isAlertEncrypted,
      verdicts: bad.verdicts,
      isFinished: bad.isFinished,
    },
    {
      code: attack.code ?? "ERR_CERTPIN_TLS_PROTOCOL",
      alert: attack.alert,
      isAlertEncrypted: !attack.isPlain,
      verdicts: 0,
      isFinished: false,
    },
    String(bad.error),
  );
}

/** The attacks. */
export const tls13Attacks: Body = (t) => {
  const groups: Record<string, () => Attack[] | Promise<Attack[]>> = {
    "in the ServerHello": serverHelloAttacks,
    "by key shares": keyShareAttacks,
    "by HelloRetryRequest": retryAttacks,
    "in EncryptedExtensions": extensionAttacks,
    "in Certificate and CertificateRequest": certificateAttacks,
    "in CertificateVerify": verifyAttacks,
    "in Finished": finishedAttacks,
  };
  for (const [name, make] of Object.entries(groups)) {
    t.test(`openTls() refuses what a server does wrong ${name}`, async () => {
      const attacks = await make();
      assert(attacks.length > 0);
      for (const attack of attacks) {
        try {
          await check(attack);
        } catch (error) {
          throw new Error(attack.name, { cause: error });
        }
      }
    }, 60_000);
  }

  t.test("openTls() refuses every wrong sequence of messages", async () => {
    const sequences = wrongSequences();
    // 4 + 16 + 64 + 256 sequences, less the four that begin right.
    assertEquals(sequences.length, 336);
    for (const sequence of sequences) {
      const outcome = await play({
        flight: sequence.map((at) => FLIGHT[at]),
      });
      const { code, alert, isAlertEncrypted, verdicts, isFinished } = outcome;
      assertEquals(
        { code, alert, isAlertEncrypted, verdicts, isFinished },
        {
          code: "ERR_CERTPIN_TLS_PROTOCOL",
          alert: "unexpected_message",
          isAlertEncrypted: true,
          verdicts: 0,
          isFinished: false,
        },
        sequence.map((at) => NAMES[at]).join(", "),
      );
    }
  }, 60_000);

  t.test("openTls() refuses a doubled message, also in one record", async () => {
    for (const at of FLIGHT.keys()) {
      const flight = [...FLIGHT.slice(0, at + 1), ...FLIGHT.slice(at)];
      for (
        const toContents of [
          undefined,
          (all: readonly Bytes[]) => [concat(...all)],
        ]
      ) {
        // A second Finished in a record of its own comes under keys that the
        // handshake has left: it ends the connection after the verdict.
        if (at === 3 && !toContents) continue;
        const outcome = await play({ flight, toContents });
        assertEquals(outcome.alert, "unexpected_message", NAMES[at]);
        assertEquals([outcome.verdicts, outcome.isAlertEncrypted], [0, true]);
      }
    }
    const good = await play({ toContents: (all) => [concat(...all)] });
    assertEquals(good.error, undefined);
  });

  t.test("openTls() refuses a message of every other type", async () => {
    const right = [8, 11, 15, 20];
    for (const at of FLIGHT.keys()) {
      for (
        const type of [
          0,
          1,
          2,
          3,
          4,
          5,
          6,
          12,
          14,
          16,
          21,
          22,
          24,
          25,
          254,
          255,
        ]
      ) {
        assert(!right.includes(type));
        const flight = [
          ...FLIGHT.slice(0, at),
          rawMessage(type),
          ...FLIGHT.slice(at),
        ];
        const outcome = await play({ flight });
        assertEquals(
          [outcome.alert, outcome.isAlertEncrypted, outcome.verdicts],
          ["unexpected_message", true, 0],
          `type ${type} at ${at}`,
        );
      }
    }
  }, 30_000);

  t.test("openTls() names the version if a server refuses the ClientHello", async () => {
    for (
      const [alert, code] of [
        ["protocol_version", "ERR_CERTPIN_TLS_VERSION"],
        ["handshake_failure", "ERR_CERTPIN_TLS_VERSION"],
        ["internal_error", "ERR_CERTPIN_TLS_ALERT"],
      ] as const
    ) {
      const outcome = await play({}, {}, async (server) => {
        await server.readHello();
        await server.sendAlert(alert);
      });
      assertEquals([outcome.code, outcome.alert], [code, undefined]);
      assertEquals(outcome.verdicts, 0);
    }
  });

  t.test("openTls() sends no Finished and no data if the verdict refuses", async () => {
    const refusal = new Error("refused");
    const refused = await play({}, {
      options: { verify: () => Promise.reject(refusal) },
    });
    assertEquals(refused.error, refusal);
    assertEquals(
      [refused.isFinished, refused.isAlertEncrypted, refused.verdicts],
      [false, true, 1],
    );
    const allowed = await play({});
    assertEquals([allowed.isFinished, allowed.error], [true, undefined]);
  });

  t.test("openTls() offers what it should, and asks for its host", async () => {
    const { hello } = await (async () => {
      let seen: Uint8Array | undefined;
      await play({}, {}, async (server) => {
        const hello = await server.readHello();
        seen = hello.extensions.get(EXTENSION.server_name);
        assertEquals(hello.suites, [0x1301, 0x1302]);
        assertEquals(hello.sessionId.length, 32);
        await server.sendAlert("internal_error");
      });
      return { hello: seen };
    })();
    assertEquals(
      hello,
      vector(
        2,
        uint(0, 1),
        vector(2, new TextEncoder().encode(HOSTNAME)),
      ),
    );
  });
};
