/**
 * Fresh folders that install the package as a user would.
 */
import { run } from "../../tools/suite/command.ts";
import { npm } from "../../tools/suite/npx.ts";
import { ROOT } from "../../tools/suite/paths.ts";

const CONSUMERS = new URL("tests/package/consumers/", ROOT);

/** A folder with the package, and whatever else, installed. */
export class Consumer implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  /** Makes one. */
  static async create(
    tarball: string,
    files: readonly string[],
    packages: readonly string[] = [],
  ): Promise<Consumer> {
    const folder = await Deno.makeTempDir({ prefix: "certpin-consumer-" });
    const consumer = new Consumer(folder);
    await consumer.write("package.json", JSON.stringify({ private: true }));
    for (const file of files) {
      await Deno.copyFile(new URL(file, CONSUMERS), `${folder}/${file}`);
    }
    const { success, output } = await npm(
      ["install", tarball, ...packages],
      folder,
    );
    if (success) return consumer;
    await consumer[Symbol.asyncDispose]();
    throw new Error(`npm install failed:\n${output}`);
  }

  /** Writes a file of the consumer's own. */
  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/${name}`, text);
  }

  /** Runs a program in the folder; throws what it printed when it fails. */
  async run(program: string, args: readonly string[]): Promise<string> {
    const { success, output } = await run(program, args, { cwd: this.folder });
    if (!success) {
      throw new Error(`${program} ${args.join(" ")} failed:\n${output}`);
    }
    return output;
  }

  /** Removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
