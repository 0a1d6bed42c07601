/**
 * Checks a policy in a workflow: lint, check and drill, a summary with the
 * paths, SARIF files, and one issue that says which chain moved.
 *
 * Needs nothing but Node. Inputs come as CERTPIN_… variables, see action.yml.
 */
import { spawn } from "node:child_process";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";

const { env } = process;
const POLICY = env.CERTPIN_POLICY || "pins.json";
const [PROGRAM, ...ARGS] = words(env.CERTPIN_COMMAND || "npx -y @certpin/cli");
const HOSTS = words(env.CERTPIN_HOSTS ?? "");
const ROOTS = words(env.CERTPIN_ROOTS ?? "").flatMap((file) => [
  "--root",
  file,
]);
const SARIF = env.CERTPIN_SARIF || "certpin-sarif";
const CHAINS = env.CERTPIN_CHAINS || ".certpin/chains.json";
/** Tells our issue from others. */
const MARK = "<!-- certpin: chains -->";
const TITLE = "certpin: a server's chain has changed";
/** Most bytes of output that are read from one command. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** Most pages of issues that are looked through, and issues a page. */
const MAX_ISSUE_PAGES = 10;
const ISSUES_A_PAGE = 100;

function words(text) {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** Runs certpin; its exit code and standard output. */
function certpin(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(PROGRAM, [...ARGS, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      shell: process.platform === "win32",
    });
    let text = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (piece) => {
      text += piece;
      if (text.length > MAX_OUTPUT_BYTES) child.kill();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 2, text }));
  });
}

/** The same with `--json`; ends the step where the input cannot be read. */
async function certpinJson(...args) {
  const { code, text } = await certpin(...args, "--json");
  const document = JSON.parse(text);
  if (code > 1) {
    console.log(
      `::error::${oneLine(document.error?.message ?? "certpin failed")}`,
    );
    process.exit(1);
  }
  return { isFine: code === 0, document };
}

/** Text for a workflow command, which ends with its line. */
function oneLine(text) {
  return String(text).replaceAll("%", "%25").replaceAll("\r", "%0D")
    .replaceAll("\n", "%0A");
}

/** Text for a cell of a Markdown table. */
function cell(text) {
  return String(text).replace(/[\\`|<>*_[\]]/g, "\\$&").replace(/\s+/g, " ");
}

async function lastChains() {
  try {
    const value = JSON.parse(await readFile(CHAINS, "utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Looks at the hosts: their keys, and a drawing for the summary. */
async function inspect(results) {
  const chains = {};
  const drawings = [];
  for (const { hostname, port } of results) {
    const target = port === undefined ? hostname : `${hostname}:${port}`;
    const { text } = await certpin("inspect", target, ...ROOTS, "--json");
    const { path } = JSON.parse(text);
    if (path) chains[target] = path.map(({ pins }) => pins.spki);
    drawings.push(
      (await certpin("inspect", target, ...ROOTS, "--markdown")).text,
    );
  }
  return { chains, drawings };
}

function moved(before, now) {
  return Object.keys(now).filter((target) =>
    before[target] !== undefined &&
    JSON.stringify(before[target]) !== JSON.stringify(now[target])
  );
}

function table(results) {
  return [
    "| host | decision | reason | pins that match | warnings |",
    "| --- | --- | --- | --- | --- |",
    ...results.map(({ hostname, port, decision, reason, matched, warnings }) =>
      `| ${
        [
          `${hostname}${port === undefined ? "" : `:${port}`}`,
          decision,
          reason,
          matched.map(({ pin, role }) => `${role} ${pin}`).join(", "),
          warnings.join(", "),
        ].map(cell).join(" | ")
      } |`
    ),
  ].join("\n");
}

async function github(method, path, body) {
  const response = await fetch(`${env.GITHUB_API_URL}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${env.CERTPIN_TOKEN}`,
      accept: "application/vnd.github+json",
      "content-type": "application/json",
      "user-agent": "certpin-action",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) {
    throw new Error(`${method} ${path} answered ${response.status}`);
  }
  return await response.json();
}

/** Opens an issue, or updates the one that is open. */
async function tell(text) {
  const issues = `/repos/${env.GITHUB_REPOSITORY}/issues`;
  const body = `${MARK}\n${text}`;
  for (let page = 1; page <= MAX_ISSUE_PAGES; page++) {
    const open = await github(
      "GET",
      `${issues}?state=open&per_page=${ISSUES_A_PAGE}&page=${page}`,
    );
    const ours = open.find((issue) =>
      !issue.pull_request && issue.body?.startsWith(MARK)
    );
    if (ours !== undefined) {
      return await github("PATCH", `${issues}/${ours.number}`, { body });
    }
    if (open.length < ISSUES_A_PAGE) break;
  }
  return await github("POST", issues, { title: TITLE, body });
}

await mkdir(SARIF, { recursive: true });
const lint = await certpinJson(
  "lint",
  POLICY,
  ...ROOTS,
  "--sarif",
  join(SARIF, "lint.sarif"),
  ...(env.CERTPIN_STRICT === "true" ? ["--strict"] : []),
);
const check = await certpinJson(
  "check",
  POLICY,
  ...HOSTS,
  ...ROOTS,
  "--retries",
  "2",
  "--sarif",
  join(SARIF, "check.sarif"),
);
const drill = env.CERTPIN_DRILL === "false"
  ? undefined
  : await certpinJson("drill", POLICY);
const { results } = check.document;
const { chains, drawings } = await inspect(results);
const before = await lastChains();
const hasMoved = moved(before, chains);
await mkdir(dirname(CHAINS), { recursive: true });
// A host that could not be reached keeps what was known of it.
await writeFile(CHAINS, JSON.stringify({ ...before, ...chains }, null, 2));

const isOk = lint.isFine && check.isFine && (drill?.isFine ?? true);
const findings = lint.document.findings.map(({ severity, code, pointer }) =>
  `- ${severity} ${code} at ${cell(pointer || "/")}`
);
const report = [
  "## certpin",
  "",
  table(results),
  "",
  ...hasMoved.map((target) =>
    [
      `The chain of ${cell(target)} has moved. Keys before, leaf first:`,
      "",
      ...before[target].map((pin) => `- \`${pin.replaceAll("`", "")}\``),
      "",
      "Keys now:",
      "",
      ...chains[target].map((pin) => `- \`${pin}\``),
      "",
    ].join("\n")
  ),
  ...(findings.length > 0 ? ["### Findings of lint", "", ...findings, ""] : []),
  ...(drill === undefined ? [] : [
    `Drill: ${
      drill.isFine
        ? "no event locks clients out without cover"
        : "an event locks clients out without cover; run certpin drill"
    }`,
    "",
  ]),
].join("\n");

if (env.GITHUB_STEP_SUMMARY) {
  const text = [report, ...drawings].join("\n\n");
  await appendFile(env.GITHUB_STEP_SUMMARY, `${text}\n`);
}
if (env.GITHUB_OUTPUT) {
  await appendFile(
    env.GITHUB_OUTPUT,
    `ok=${isOk}\nmoved=${hasMoved.join(" ")}\n`,
  );
}
if (
  env.CERTPIN_ISSUE !== "false" && (hasMoved.length > 0 || !check.isFine)
) {
  try {
    const { html_url } = await tell(report);
    console.log(`certpin: ${html_url}`);
  } catch (error) {
    console.log(
      `::warning::The issue was not written: ${oneLine(error.message)}`,
    );
  }
}
for (const { hostname, decision, error } of results) {
  if (decision === "block") {
    console.log(`::error::${oneLine(`${hostname}: ${error?.code}`)}`);
  }
}
process.exitCode = isOk ? 0 : 1;
