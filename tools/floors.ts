/**
 * The floors of the house: a file imports from its own folder and from below.
 *
 * @module
 */

/** One floor: what it is for, and the folders or files that stand on it. */
export interface Floor {
  readonly title: string;
  readonly places: readonly string[];
}

/** The floors, the ground first. */
export const FLOORS: readonly Floor[] = [
  {
    title: "errors, limits, text, hosts, steps of cryptography",
    places: [
      "src/errors.ts",
      "src/limits.ts",
      "src/text.ts",
      "src/bytes.ts",
      "src/suggest.ts",
      "src/option_names.ts",
      "src/timers.ts",
      "src/version.ts",
      "src/host.ts",
      "src/byte_stream.ts",
      "src/integrity.ts",
      "src/crypto/",
    ],
  },
  { title: "bytes: DER, PEM, certificates, keys", places: ["src/x509/"] },
  {
    title: "verified paths, pins and fingerprints",
    places: ["src/path/", "src/pins/"],
  },
  { title: "policy, decision, lint", places: ["src/policy/"] },
  { title: "the pinner", places: ["src/pinner/"] },
  {
    title: "connections before the verdict",
    places: ["src/tls/", "src/tls13/", "src/http1/"],
  },
  {
    title: "entry points: core, adapters, updates, reports, testing",
    places: [
      "mod.ts",
      "src/adapters/",
      "src/updates/",
      "src/reports/",
      "src/testing/",
      "src/internal.ts",
    ],
  },
  { title: "the command", places: ["cli/"] },
];

/** Where a file stands: the number of its floor, the ground being 1. */
export function floorOf(path: string): number | undefined {
  const index = FLOORS.findIndex(({ places }) =>
    places.some((place) => isAt(path, place))
  );
  return index < 0 ? undefined : index + 1;
}

function isAt(path: string, place: string): boolean {
  return place.endsWith("/") ? path.startsWith(place) : path === place;
}

/** The part of a floor that a file belongs to. */
export function placeOf(path: string): string | undefined {
  return FLOORS.flatMap(({ places }) => places)
    .find((place) => isAt(path, place));
}

/**
 * Whether `from` may import `to`: from a lower floor, from its own folder or
 * the folder that bears its name, or on the ground floor from anything there.
 */
export function mayImport(from: string, to: string): boolean {
  const [above, below] = [floorOf(from), floorOf(to)];
  if (above === undefined || below === undefined) return false;
  if (below !== above) return below < above;
  return above === 1 || placeOf(from) === placeOf(to) ||
    to.startsWith(from.replace(/\.ts$/, "/"));
}
