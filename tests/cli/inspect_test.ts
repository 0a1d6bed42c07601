import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mintChain } from "../../src/testing/mod.ts";
import { certpin, documentOf, inTemporaryFolder } from "./command.ts";
import { type Running, serve, servePrelude, withServers } from "./servers.ts";

const chain = await mintChain({ hostnames: ["localhost"] });
const stray = await mintChain({ hostnames: ["stray.example"] });

async function inspect(
  server: Running,
  ...more: string[]
): ReturnType<typeof certpin> {
  let ran: Awaited<ReturnType<typeof certpin>> | undefined;
  await inTemporaryFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/root.pem`, chain.ca);
    ran = await certpin([
      ...["inspect", `localhost:${server.port}`, "--connect-to", "127.0.0.1"],
      ...["--root", "root.pem", ...more],
    ], { cwd });
  });
  return ran!;
}

Deno.test("certpin inspect shows the presented chain and the verified path of a host", async () => {
  await withServers([serve(chain, stray.ca)], async ([server]) => {
    const ran = await inspect(server, "--json");
    assertEquals([ran.code, ran.stderr], [0, ""]);
    const { hostname, presented, path } = documentOf(ran, "inspect");
    assertEquals(hostname, "localhost");
    assertEquals(
      path.map((one: { role: string; pins: { spki: string } }) => [
        one.role,
        one.pins.spki,
      ]),
      [
        ["leaf", chain.pins.leaf],
        ["intermediate", chain.pins.intermediates[0]],
        ["root", chain.pins.root],
      ],
    );
    assertEquals(presented.slice(0, 2), path.slice(0, 2));
    assertEquals(path[0].dnsNames, ["localhost"]);
    // Some runtimes show what was sent and links to nothing, some do not.
    for (const extra of presented.slice(2)) {
      assertEquals([extra.role, extra.pins.spki], [undefined, stray.pins.root]);
    }
    assertEquals(server.received(), 0);
  });
});

Deno.test("certpin inspect says why there is no path, and ends with 1", async () => {
  const starting = [serve(stray), serve(chain)];
  await withServers(starting, async ([untrusted, trusted]) => {
    const bad = await inspect(untrusted, "--json");
    assertEquals(bad.code, 1);
    const { presented, path, error } = documentOf(bad, "inspect");
    assertEquals([presented.length, path], [2, null]);
    assert(error.code.startsWith("ERR_CERTPIN_PATH_"));
    const late = await inspect(trusted, "--json", "--at", "2099-01-01");
    assertEquals(late.code, 1);
    assertEquals(
      documentOf(late, "inspect").error.code,
      "ERR_CERTPIN_PATH_EXPIRED",
    );
    assertEquals((await inspect(trusted)).code, 0);
  });
});

Deno.test("certpin inspect draws a tree, without colour in a pipe", async () => {
  await withServers([serve(chain)], async ([server]) => {
    const { stdout } = await inspect(server);
    const order = ["root", "└─ intermediate", "└─ leaf"];
    const places = order.map((text) => stdout.indexOf(text));
    assertEquals(places, [...places].sort((a, b) => a - b));
    assertEquals(places.includes(-1), false);
    assertStringIncludes(stdout, "(not sent)");
    assertStringIncludes(stdout, "89 days left");
    assertStringIncludes(stdout, "EC P-256");
    for (const pin of [chain.pins.leaf, chain.pins.root]) {
      assertStringIncludes(stdout, pin);
    }
    assertEquals(stdout.includes("\u001b"), false);
  });
});

Deno.test("certpin inspect reads files, and checks the name that it is told", async () => {
  await inTemporaryFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/root.pem`, chain.ca);
    await Deno.writeTextFile(`${cwd}/chain.pem`, chain.pem);
    await Deno.writeFile(`${cwd}/leaf.der`, chain.chain[0]);
    const run = (...args: string[]) =>
      certpin(["inspect", ...args, "--root", "root.pem", "--json"], { cwd });
    const good = await run("chain.pem", "--host", "localhost");
    assertEquals(good.code, 0);
    assertEquals(documentOf(good, "inspect").path.length, 3);
    const name = await run("chain.pem", "--host", "other.example");
    assertEquals(name.code, 1);
    assertEquals(
      documentOf(name, "inspect").error.code,
      "ERR_CERTPIN_PATH_HOSTNAME",
    );
    const der = await run("leaf.der");
    const { hostname, presented, error } = documentOf(der, "inspect");
    assertEquals([hostname, presented.length, error.code], [
      undefined,
      1,
      "ERR_CERTPIN_PATH_NO_ISSUER",
    ]);
    const missing = await run("no-such.pem");
    assertEquals([missing.code, documentOf(missing, "failure").error.source], [
      2,
      "no-such.pem",
    ]);
    const neither = await run("what is this");
    assertEquals(neither.code, 2);
  });
});

Deno.test("certpin inspect writes Markdown and a picture", async () => {
  await inTemporaryFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/root.pem`, chain.ca);
    await Deno.writeTextFile(`${cwd}/chain.pem`, chain.pem);
    const args = ["inspect", "chain.pem", "--root", "root.pem"];
    const ran = await certpin([...args, "--markdown", "--svg", "p.svg"], {
      cwd,
    });
    assertEquals(ran.code, 0);
    assertStringIncludes(ran.stdout, `\`${chain.pins.leaf}\``);
    const svg = await Deno.readTextFile(`${cwd}/p.svg`);
    assert(svg.startsWith("<svg "));
    for (const pin of [chain.pins.leaf, chain.pins.root]) {
      assertStringIncludes(svg, pin);
    }
    const again = await certpin([...args, "--svg", "p.svg"], { cwd });
    assertEquals(again.code, 2);
    assertStringIncludes(again.stderr, "--force");
  });
});

// deno-lint-ignore no-control-regex -- the bytes of PostgreSQL's SSLRequest
const SSL_REQUEST = /^\0\0\0\x08\x04\xd2\x16\x2f$/;
const preludes: [
  protocol: string,
  greeting: string,
  answers: [RegExp, string, boolean][],
][] = [
  ["smtp", "220-mail\r\n220 ready\r\n", [
    [/^EHLO/, "250-mail\r\n250-SIZE\r\n250 STARTTLS\r\n", false],
    [/^STARTTLS/, "220 go\r\n", true],
  ]],
  ["imap", "* OK ready\r\n", [
    [/^a1 STARTTLS/, "* CAPABILITY X\r\na1 OK go\r\n", true],
  ]],
  ["postgres", "", [[SSL_REQUEST, "S", true]]],
];
for (const [protocol, greeting, answers] of preludes) {
  Deno.test(`certpin inspect --starttls ${protocol} upgrades to TLS`, async () => {
    const starting = [servePrelude(chain, greeting, answers)];
    await withServers(starting, async ([server]) => {
      const ran = await inspect(server, "--starttls", protocol, "--json");
      assertEquals(documentOf(ran, "inspect").path?.length, 3);
    });
  });

  Deno.test(`certpin inspect --starttls ${protocol} refuses a server that does not, or that goes on in the clear`, async () => {
    const refusing = answers.map(([request, answer, upgrade]) =>
      [request, upgrade ? "N no\r\n" : answer, false] as [
        RegExp,
        string,
        boolean,
      ]
    );
    const talking = answers.map(([request, answer, upgrade]) =>
      [request, upgrade ? `${answer}220 injected\r\n` : answer, false] as [
        RegExp,
        string,
        boolean,
      ]
    );
    const starting = [
      servePrelude(chain, greeting, refusing),
      servePrelude(chain, greeting, talking),
    ];
    await withServers(starting, async (servers) => {
      for (const server of servers) {
        const ran = await inspect(server, "--starttls", protocol, "--json");
        assertEquals(ran.code, 1);
        const { presented, error } = documentOf(ran, "inspect");
        assertEquals([presented, error.code], [[], "ERR_CERTPIN_HANDSHAKE"]);
      }
    });
  });
}
