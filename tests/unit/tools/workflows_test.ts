import { assert, assertEquals } from "@std/assert";
import { parse } from "yaml";
import { STAGES } from "../../../tools/suite/stages.ts";
import { filesUnder, ROOT } from "../../../tools/suite/paths.ts";

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: {
    readonly matrix?: Readonly<Record<string, readonly unknown[]>>;
  };
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

interface Workflow {
  readonly path: string;
  readonly text: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

const workflows: Workflow[] = [];
for (const path of await filesUnder(".github/workflows/")) {
  const text = await read(path);
  workflows.push({ path, text, ...parse(text) });
}
const jobs = workflows.flatMap(({ jobs }) => Object.values(jobs));
const steps = jobs.flatMap((job) => job.steps.map((step) => ({ job, step })));

Deno.test("every action is pinned by its hash, with its version beside it", () => {
  let pinned = 0;
  for (const { path, text } of workflows) {
    for (const [line] of text.matchAll(/^.*\buses:.*$/gm)) {
      assert(/uses: [\w/-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/.test(line), path);
      pinned++;
    }
  }
  assert(pinned > 10);
});

Deno.test("workflows may read, and only publishing may prove who it is", () => {
  for (const { permissions } of workflows) {
    assertEquals(permissions, { contents: "read" });
  }
  const publishing = Object.values(
    workflows.find(({ path }) => path.endsWith("publish.yml"))!.jobs,
  );
  const proving = jobs.filter((job) => job.permissions);
  assert(proving.length > 0);
  for (const job of proving) {
    assertEquals(job.permissions, { contents: "read", "id-token": "write" });
    assert(publishing.includes(job));
  }
});

Deno.test("workflows call tasks and stages that exist", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  const names = STAGES.map(({ name }) => name);
  let called = 0;
  for (const { job, step } of steps) {
    const call = / task (\S+)(.*)/.exec(step.run ?? "");
    if (!call) continue;
    assert(call[1] in tasks, call[1]);
    called++;
    if (call[1] !== "test") continue;
    const versions = job.strategy?.matrix?.node ?? [""];
    for (const version of versions) {
      const stages = call[2].replace("${{ matrix.node }}", String(version));
      for (const stage of stages.trim().split(/\s+/).filter(Boolean)) {
        assert(names.includes(stage), stage);
      }
    }
  }
  assert(called > 5);
});
