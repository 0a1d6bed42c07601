import { assertEquals } from "@std/assert";
import { date, formatTarget, parseTarget, whole } from "../../../cli/values.ts";

Deno.test("parseTarget() reads names, addresses and ports", () => {
  const cases: [string, string | undefined, number?][] = [
    ["example.com", "example.com"],
    ["Example.COM.", "example.com"],
    ["example.com:8443", "example.com", 8443],
    ["b\u00fccher.example:1", "xn--bcher-kva.example", 1],
    ["192.0.2.1:65535", "192.0.2.1", 65_535],
    ["2001:db8::1", "2001:db8::1"],
    ["[2001:DB8::1]", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1", 443],
    ["example.com:0", undefined],
    ["example.com:65536", undefined],
    ["example.com:", undefined],
    ["example.com:https", undefined],
    ["https://example.com", undefined],
    ["example.com/path", undefined],
    ["user@example.com", undefined],
    ["[example.com]:1", undefined],
    ["", undefined],
    ["*.example.com", undefined],
  ];
  for (const [input, hostname, port] of cases) {
    const target = parseTarget(input);
    assertEquals([input, target?.hostname, target?.port], [
      input,
      hostname,
      port,
    ]);
  }
});

Deno.test("formatTarget() writes what parseTarget() reads", () => {
  for (const text of ["example.com", "a.example:1", "[2001:db8::1]:443"]) {
    const { hostname, port } = parseTarget(text)!;
    assertEquals(formatTarget(hostname, port), text);
  }
});

Deno.test("date() takes days and instants that exist, and nothing else", () => {
  const read = (text: string) => {
    const result = date().parse(text);
    return result.success ? result.value.toISOString() : undefined;
  };
  const cases: [string, string | undefined][] = [
    ["2027-06-01", "2027-06-01T00:00:00.000Z"],
    ["2027-06-01T12:30Z", "2027-06-01T12:30:00.000Z"],
    ["2027-06-01T12:30:15+02:00", "2027-06-01T10:30:15.000Z"],
    ["2028-02-29", "2028-02-29T00:00:00.000Z"],
    ["2027-02-29", undefined],
    ["2027-13-01", undefined],
    // Without a zone it would mean another time on each machine.
    ["2027-06-01T12:30:15", undefined],
    ["01.06.2027", undefined],
    ["tomorrow", undefined],
    ["", undefined],
  ];
  for (const [text, wanted] of cases) {
    assertEquals([text, read(text)], [text, wanted]);
  }
});

Deno.test("whole() takes whole numbers between its bounds", () => {
  const read = (text: string) => whole("N", 1, 10).parse(text).success;
  for (const text of ["1", "10", "07"]) assertEquals(read(text), true);
  for (const text of ["0", "11", "-1", "1.5", "1e1", "", "0x1", " 1"]) {
    assertEquals(read(text), false);
  }
});
