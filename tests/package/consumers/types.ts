/**
 * Uses every entry point of the package as strict TypeScript, on Node and Bun.
 */
import {
  type Certificate,
  CertpinError,
  createPinner,
  type ErrorCode,
  fingerprint,
  parseCertificates,
  parsePolicy,
  type Path,
  type Pin,
  type Pinner,
  type PolicyDocument,
  type Verdict,
  verifyPath,
} from "@certpin/certpin";
import {
  connect,
  createAgent,
  createDispatcher,
  createFetch,
  tlsOptions,
  verdictOf,
} from "@certpin/certpin/node";
import { mintChain } from "@certpin/certpin/testing";

const document = {
  version: 1,
  hosts: {
    "api.example.com": {
      pins: [
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        {
          pin: "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
          role: "intermediate",
        },
      ],
    },
  },
} satisfies PolicyDocument;

/** Uses the core. */
export async function core(): Promise<ErrorCode | undefined> {
  const { ca, chain } = await mintChain();
  const anchors: Certificate[] = parseCertificates(ca);
  const pin: Pin = await fingerprint(anchors[0]!);
  const path: Path = await verifyPath(parseCertificates(chain), { anchors });
  const pinner: Pinner = createPinner(parsePolicy(document), { anchors });
  const verdict: Verdict = await pinner.check({
    hostname: "api.example.com",
    chain: path.certificates.map(({ der }) => der),
  });
  console.log(pin.toString());
  const { error } = verdict;
  return error instanceof CertpinError ? error.code : undefined;
}

/** Uses the adapter. */
export async function adapter(): Promise<Verdict | undefined> {
  const pinned = createFetch(document);
  const response: Response = await pinned("https://api.example.com/");
  const socket = await connect(document, {
    host: "api.example.com",
    port: 443,
  });
  socket.destroy();
  createAgent(document).destroy();
  await createDispatcher(document).close();
  console.log(tlsOptions(document, { hostname: "api.example.com" }).servername);
  await pinned.close();
  return verdictOf(response);
}
