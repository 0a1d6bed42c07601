/**
 * The simulated year as a page and a chart.
 *
 * @module
 */
import { CLIENTS, DAYS, TIMELINE, type YearResult } from "./simulate.ts";

const WIDTH = 860;
const LEFT = 20;
const PLOT_WIDTH = WIDTH - 2 * LEFT;
const ROW_HEIGHT = 120;
const PLOT_HEIGHT = 70;
const TOP = 86;

/** Events that the chart marks. */
const MARKS: readonly (readonly [day: number, label: string])[] = [
  [TIMELINE.intermediateChanges, "intermediate changes"],
  [TIMELINE.keyStolen, "key stolen"],
  [TIMELINE.updaterDown[0], "updater down"],
  [TIMELINE.caMoves, "CA moves"],
  [TIMELINE.nextKeyServed, "next key"],
];

const x = (day: number) => LEFT + (day / DAYS) * PLOT_WIDTH;

/** An area under one count, from the left edge to the right. */
function area(
  counts: readonly number[],
  bottom: number,
  colour: string,
): string {
  const y = (count: number) => bottom - (count / CLIENTS) * PLOT_HEIGHT;
  const steps = counts.map((count, index) =>
    `L${x((index * DAYS) / counts.length).toFixed(1)} ${y(count).toFixed(1)}H${
      x(((index + 1) * DAYS) / counts.length).toFixed(1)
    }`
  );
  return `  <path d="M${LEFT} ${bottom}${
    steps.join("")
  }V${bottom}Z" fill="${colour}" fill-opacity="0.75"/>`;
}

/** Draws a row for each strategy. */
export function yearChart(results: readonly YearResult[]): string {
  const height = TOP + results.length * ROW_HEIGHT + 8;
  const lines: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    "  <title>Share of clients that refuse the true server or accept an impostor, day by day, for four ways to pin</title>",
    "  <style>text { font: 13px system-ui, sans-serif; fill: #24292f } .mark { font-size: 11px; fill: #57606a } .name { font-weight: bold }</style>",
    `  <rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `  <rect x="${LEFT}" y="12" width="14" height="14" fill="#bf8700"/><text x="${
      LEFT + 20
    }" y="24">refuse the true server (outage)</text>`,
    `  <rect x="${
      LEFT + 250
    }" y="12" width="14" height="14" fill="#cf222e"/><text x="${
      LEFT + 270
    }" y="24">accept an impostor (breach)</text>`,
  ];
  for (const [index, [day, label]] of MARKS.entries()) {
    lines.push(
      `  <path d="M${x(day)} ${TOP - 26 + (index % 2) * 14}V${
        height - 8
      }" stroke="#d0d7de" stroke-dasharray="3 3"/><text class="mark" x="${
        x(day) + 3
      }" y="${TOP - 20 + (index % 2) * 14}">${label}</text>`,
    );
  }
  for (const [row, { title, days }] of results.entries()) {
    const bottom = TOP + row * ROW_HEIGHT + 26 + PLOT_HEIGHT;
    lines.push(
      `  <text class="name" x="${LEFT}" y="${
        bottom - PLOT_HEIGHT - 6
      }">${title}</text>`,
      area(days.map(({ fooled }) => fooled), bottom, "#cf222e"),
      area(days.map(({ refused }) => refused), bottom, "#bf8700"),
      `  <path d="M${LEFT} ${bottom}H${LEFT + PLOT_WIDTH}M${LEFT} ${bottom}V${
        bottom - PLOT_HEIGHT
      }" stroke="#57606a" fill="none"/>`,
    );
  }
  lines.push("</svg>", "");
  return lines.join("\n");
}

const number = (value: number) => value.toLocaleString("en-US");

function row(result: YearResult): string {
  const sum = (key: "refused" | "fooled" | "robbed") =>
    result.days.reduce((all, day) => all + day[key], 0);
  const worst = Math.max(...result.days.map(({ refused }) => refused));
  const cells = [
    result.title,
    number(sum("refused")),
    `${Math.round((worst / CLIENTS) * 100)} %`,
    number(sum("fooled")),
    number(sum("robbed")),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** `docs/year.md`. */
export function yearPage(results: readonly YearResult[]): string {
  return `# A year with pins

One server, ${number(CLIENTS)} clients, ${DAYS} days. The clients get new
policies with a lag: most within two days, some only after six weeks. An impostor
tries every client every day, with certificates from the server's CA and from
another one, which all clients trust. What happens:

- Leaves live 90 days and are renewed every ${TIMELINE.renewalEvery} days; the key is kept.
- Day ${TIMELINE.intermediateChanges}: the CA issues from another intermediate, without notice.
- Day ${TIMELINE.keyStolen}: the key is stolen. The backup key takes over the same day.
- Days ${TIMELINE.updaterDown[0]} to ${
    TIMELINE.updaterDown[1]
  }: the updater is down for six weeks.
- Day ${TIMELINE.caMoves}: the host moves to another CA.
- Day ${TIMELINE.nextKeyPublished}: the next key's pin is published; day ${TIMELINE.nextKeyServed}: the server uses the key.

Four ways to pin live through the same year. For each, a new policy is published
on the day on which the server changes.

| pinned | outage: client-days without the server | worst day | breach: client-days with the impostor | client-days with the thief |
| --- | --- | --- | --- | --- |
${results.map(row).join("\n")}

![Day by day](year.svg)

A client that follows the plan never refuses the true server and never accepts
an impostor with a certificate of its own. What no pin can do is told by the last
column: whoever has the key is the server, until the policy without its pin has
arrived, or the certificate expires. The shorter the lag, the smaller the number;
[signed updates](updates.md) are what shortens it.

A whole certificate is an outage at every renewal, for as long as the lag of each
client. An intermediate alone is an outage when the CA changes it, and a root
alone when the host moves; both accept whatever that CA is tricked into issuing.

Every number is counted, not estimated: each distinct policy, chain and day is
evaluated by the pinner that clients use. \`deno task year\` writes this page and
its chart; a test compares them.
`;
}
