/**
 * Where the packages come from: the repository whose workflow builds them.
 *
 * @module
 */

/** What a package says of its repository. */
export interface Repository {
  /** As npm wants it for provenance. */
  readonly git: string;
  readonly homepage: string;
  readonly bugs: string;
  /** The address of a file of that version, for links. */
  file(path: string): string;
}

/**
 * The repository that a GitHub workflow runs in; `undefined` elsewhere.
 *
 * npm compares it with the one that provenance names, so it is never written
 * down by hand.
 *
 * @param env The environment: `GITHUB_REPOSITORY`, `GITHUB_SERVER_URL`.
 * @param version The version that is built; its tag is `v` and the version.
 */
export function repositoryOf(
  env: (name: string) => string | undefined,
  version: string,
): Repository | undefined {
  const name = env("GITHUB_REPOSITORY");
  if (!name) return undefined;
  if (!/^[\w.-]+\/[\w.-]+$/.test(name)) {
    throw new Error(`Cannot read GITHUB_REPOSITORY: expected owner/name`);
  }
  const url = `${env("GITHUB_SERVER_URL") || "https://github.com"}/${name}`;
  return {
    git: `git+${url}.git`,
    homepage: `${url}#readme`,
    bugs: `${url}/issues`,
    file: (path) => `${url}/blob/v${version}/${path}`,
  };
}
