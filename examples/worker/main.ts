/**
 * A Worker that judges chains: POST `{"hostname": "…", "chain": "PEM…"}`.
 *
 * Workers cannot see the certificates of their own connections, so they cannot
 * pin them. The core runs there all the same, for chains that somebody else has
 * seen: this service tells a fleet of probes what the policy says.
 */
import { createPinner, parseCertificates } from "@certpin/certpin";
import policy from "./pins.json" with { type: "json" };

/** The most that is read, in bytes of Content-Length. */
const MAX_REQUEST_BYTES = 262_144;

/** What the Worker's settings give it. */
interface Environment {
  /** The roots to trust, as PEM. */
  readonly ANCHORS: string;
  /** Another policy as JSON text, instead of pins.json. */
  readonly POLICY?: string;
}

export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    const length = Number(request.headers.get("content-length") ?? Infinity);
    if (request.method !== "POST" || !(length <= MAX_REQUEST_BYTES)) {
      return new Response("POST a hostname and a chain\n", { status: 400 });
    }
    try {
      const { hostname, chain } = await request.json();
      const pinner = createPinner(env.POLICY ?? policy, {
        anchors: parseCertificates(env.ANCHORS),
        onWarning: () => {},
      });
      const verdict = await pinner.check({
        hostname,
        chain: parseCertificates(chain).map(({ der }) => der),
      });
      return Response.json(verdict);
    } catch (error) {
      return Response.json(error, { status: 400 });
    }
  },
};
