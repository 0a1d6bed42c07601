/**
 * What bundles for browsers and Workers get in place of the Node adapter.
 *
 * @module
 */

/**
 * Writes a module with the exports of another one, each of which throws
 * `ERR_CERTPIN_RUNTIME` when it is called: a bundle still links, and nothing
 * connects unpinned.
 */
export async function stub(adapter: URL): Promise<string> {
  const names = Object.keys(await import(adapter.href)).sort();
  const functions = names.map((name) =>
    `export function ${name}() {\n  refuse(${JSON.stringify(name)});\n}\n`
  );
  return `import { ConnectionError } from "../errors.js";

function refuse(name) {
  throw new ConnectionError(
    "ERR_CERTPIN_RUNTIME",
    \`Cannot call \${name}() here: browsers and Workers do not show the peer's certificate chain\`,
  );
}

${functions.join("\n")}`;
}
