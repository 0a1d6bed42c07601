/**
 * What the tests of the documentation need to know of a Markdown text.
 *
 * @module
 */

/** One fenced block. */
export interface Block {
  /** The document's path in the project. */
  readonly document: string;
  /** Line of the opening fence, the first being 1. */
  readonly line: number;
  /** The first word of the info string: `ts`, `json`. */
  readonly language: string;
  /** The other words of the info string. */
  readonly words: readonly string[];
  readonly text: string;
}

/** One link, as it stands in the text. */
export interface Link {
  readonly document: string;
  readonly line: number;
  readonly target: string;
}

/** A line, and whether it is inside a fenced block. */
interface Line {
  readonly number: number;
  readonly text: string;
  readonly fenced: boolean;
  /** The info string, on the line that opens a block. */
  readonly info?: string;
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let fence: string | undefined;
  text.split("\n").forEach((line, index) => {
    const number = index + 1;
    const [, found, info] = /^\s*(`{3,})(.*)$/.exec(line) ?? [];
    if (fence === undefined && found !== undefined) {
      fence = found;
      lines.push({ number, text: line, fenced: true, info: info.trim() });
    } else {
      lines.push({ number, text: line, fenced: fence !== undefined });
      if (found === fence && info?.trim() === "") fence = undefined;
    }
  });
  if (fence !== undefined) throw new Error("A fenced block does not end");
  return lines;
}

/** All fenced blocks. */
export function blocksOf(document: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; body: string[] } | undefined;
  for (const { number, text: line, fenced, info } of linesOf(text)) {
    if (info !== undefined) open = { line: number, info, body: [] };
    else if (open && fenced && !/^\s*`{3,}\s*$/.test(line)) {
      open.body.push(line);
    } else if (open && fenced) {
      const [language = "", ...words] = open.info.split(/\s+/);
      blocks.push({
        document,
        line: open.line,
        language,
        words,
        text: open.body.join("\n") + "\n",
      });
      open = undefined;
    }
  }
  return blocks;
}

/** All links: inline ones, references' definitions, and `src` and `href` of HTML. */
export function linksOf(document: string, text: string): Link[] {
  const links: Link[] = [];
  for (const { number, text: line, fenced } of linesOf(text)) {
    if (fenced) continue;
    const prose = line.replaceAll(/`[^`]*`/g, "``");
    for (
      const pattern of [
        /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g,
        /^\[[^\]]+\]:\s+(\S+)/g,
        /\b(?:src|href)="([^"]+)"/g,
      ]
    ) {
      for (const [, target] of prose.matchAll(pattern)) {
        links.push({ document, line: number, target });
      }
    }
  }
  return links;
}

/** The anchors of all headings, as GitHub makes them. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const { text: line, fenced } of linesOf(text)) {
    const heading = fenced ? null : /^#{1,6}\s+(.*?)\s*#*$/.exec(line);
    if (heading) {
      const slug = heading[1].toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-");
      let anchor = slug;
      for (let again = 1; anchors.has(anchor); again++) {
        anchor = `${slug}-${again}`;
      }
      anchors.add(anchor);
    }
    if (fenced) continue;
    for (const [, name] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) {
      anchors.add(name);
    }
  }
  return anchors;
}
