/**
 * Hostnames: one spelling each, the same on every runtime.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { PolicyError } from "../../../src/errors.ts";
import { canonicalHost } from "../../../src/host.ts";
import type { Body } from "../harness.ts";

function refused(text: unknown): void {
  const error = assertThrows(() => canonicalHost(text as string), PolicyError);
  assertEquals(error.code, "ERR_CERTPIN_HOST_INVALID", String(text));
}

const NAMES: readonly [given: string, canonical: string][] = [
  ["example.com", "example.com"],
  ["API.Example.COM", "api.example.com"],
  ["example.com.", "example.com"],
  ["localhost", "localhost"],
  ["b\u00fccher.example", "xn--bcher-kva.example"],
  ["B\u00dcCHER.example", "xn--bcher-kva.example"],
  ["bu\u0308cher.example", "xn--bcher-kva.example"],
  ["XN--BCHER-KVA.example", "xn--bcher-kva.example"],
  ["fa\u00df.de", "xn--fa-hia.de"],
  ["a\u3002b", "a.b"],
  ["a\uff0eb\uff61c\u3002", "a.b.c"],
  ["\uff41\uff50\uff49.example", "api.example"],
  ["_dmarc.example.com", "_dmarc.example.com"],
  ["a_b.example.com", "a_b.example.com"],
  ["r3---sn-4g5e.example", "r3---sn-4g5e.example"],
  ["1.2.3.example", "1.2.3.example"],
  ["0x7f.example", "0x7f.example"],
  ["a".repeat(63) + ".example", "a".repeat(63) + ".example"],
  ["a.".repeat(126) + "a", "a.".repeat(126) + "a"],
  ["a.".repeat(126) + "a.", "a.".repeat(126) + "a"],
];

const ADDRESSES: readonly [given: string, canonical: string][] = [
  ["127.0.0.1", "127.0.0.1"],
  ["255.255.255.255", "255.255.255.255"],
  ["127.0.0.1.", "127.0.0.1"],
  ["127\u30020\u30020\u30021", "127.0.0.1"],
  ["::1", "::1"],
  ["[::1]", "::1"],
  ["::", "::"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["1:0:0:2:3:4:0:0", "1::2:3:4:0:0"],
  ["10:0:0:2:3:4:0:0", "10::2:3:4:0:0"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["[fe80::]", "fe80::"],
  ["::ffff:1.2.3.4", "::ffff:102:304"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
];

/** Registers the tests. */
export const hosts: Body = (t) => {
  t.test("canonicalHost() brings names into one spelling", () => {
    for (const [given, canonical] of NAMES) {
      const host = canonicalHost(given);
      assertEquals([host.text, host.kind], [canonical, "dns"], given);
      assertEquals(canonicalHost(host.text).text, canonical, "once is enough");
    }
  });

  t.test("canonicalHost() reads IPv4 and IPv6 literals", () => {
    for (const [given, canonical] of ADDRESSES) {
      const host = canonicalHost(given);
      assertEquals([host.text, host.kind], [canonical, "ip"], given);
      assertEquals(host.address!.length, canonical.includes(":") ? 16 : 4);
      assertEquals(canonicalHost(canonical).address, host.address);
    }
    assertEquals(
      [...canonicalHost("::ffff:1.2.3.4").address!].slice(10),
      [255, 255, 1, 2, 3, 4],
    );
  });

  t.test("canonicalHost() refuses what is no hostname", () => {
    for (
      const text of [
        ...["", ".", "..", "a..b", ".a", "a.b..", "\u3002", "a\u3002\u3002b"],
        ...["example.com:443", "127.0.0.1:443", "[::1]:443", "::1]", "[::1"],
        ...[
          "[127.0.0.1]",
          "[example.com]",
          "[]",
          "fe80::1%eth0",
          "[fe80::1%25]",
        ],
        ...[
          "127.1",
          "0x7f.1",
          "0x7f000001",
          "2130706433",
          "127.0.0.01",
          "0177.0.0.1",
        ],
        ...[
          "256.0.0.1",
          "1.2.3.4.5",
          "a.1",
          "a.0x1f",
          "a.0x",
          "1.2.3",
          "\u00fc.1",
        ],
        ...["\uff11\uff12\uff17.0.0.1", "1.2.3.-4 ", "*.example.com", "*"],
        ...[
          "a b",
          " a",
          "a ",
          "a\tb",
          "a\n",
          "a/b",
          "a\\b",
          "a?b",
          "a#b",
          "a@b",
        ],
        ...[
          "%61.com",
          "ex%2eample.com",
          "\uff05\uff14\uff11.com",
          "a%",
          "a\u0000b",
        ],
        ...["\u2100.com", "\u2026", "\ud800.com", "\ufffd.com", "\u0301a.com"],
        ...[
          "xn--",
          "xn--a",
          "xn--a-",
          "xn--zn7c.com",
          "xn--3ba.com",
          // Beside a letter that is not ASCII, where the URL parser would cut.
          ...[
            "\u00fc/x",
            "\u00fc?x",
            "\u00fc#x",
            "\u00fc\\x",
            "x@\u00fc",
            "\u00fc%2ex",
          ],
          ...[
            "\u00fc\tx",
            "\u00fc\n",
            "\u00fc:443",
            "\u00fc x",
            "\u00fc\u2024x",
            "\u00fc*",
          ],
          "xn--\u00fc",
        ],
        ...[
          "FA\u1e9e.de",
          "\u00ad.com",
          "a.\u00ad.com",
          "a".repeat(64) + ".com",
        ],
        ...[
          "a.".repeat(127) + "a",
          "\u00fc".repeat(60) + ".com",
          "a".repeat(2_000),
        ],
        ...["1::2::3", ":1", "1:", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9"],
        ...[
          "1:2:3:4:5:6:7:8::",
          "12345::",
          "::g",
          "::1.2.3",
          "1.2.3.4::",
          "::01.2.3.4",
        ],
      ]
    ) refused(text);
    for (const value of [undefined, null, 1, {}, ["a.example"]]) refused(value);
  });
};
