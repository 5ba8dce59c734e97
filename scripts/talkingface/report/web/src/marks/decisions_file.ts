/** decisions.csv: what was marked, as a run reads it. */
import type { Mark } from "./mark_store";

const HEADER = ["clip_id", "decision", "note"];
/** What a spreadsheet takes for the beginning of a formula, behind any number of quotes. */
const FORMULA = /^'*[=+\-@\t\r\n]/;
const MOST_NAMED = 5;
/** What is found between the cells of files that were not saved with commas. */
const SEPARATORS: [string, string][] = [
  [";", "semicolons"],
  ["\t", "tabs"],
];

/** The content of decisions.csv, sorted by clip. */
export function writeDecisions(marks: Map<string, Mark>): string {
  const rows = [...marks].filter(([, { decision, note }]) => decision || note);
  // By code units, so that the same marks give the same file in every browser.
  rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const lines = rows.map(([clip, { decision, note }]) =>
    [clip, decision, note].map(writeCell).join(","),
  );
  return [HEADER.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

/** The text of a decisions.csv. Throws an Error where it is of another encoding: letters of notes
 * would be lost. */
export function decodeText(content: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    throw new Error("it is not UTF-8 text; save it as CSV UTF-8");
  }
}

/** The marks in a decisions.csv; rows of one clip are one, with all their notes, as to a run.
 * Throws an Error that says in which line what is wrong. */
export function readDecisions(content: string): Map<string, Mark> {
  const [header, ...rows] = readRows(content);
  const names = header?.cells.map((name) => name.trim()) ?? [];
  const [clipAt, decisionAt, noteAt] = HEADER.map((name) => names.indexOf(name));
  if (clipAt < 0 || decisionAt < 0) throw new Error(faultOfHeader(names));
  const marks = new Map<string, Mark>();
  const faults: string[] = [];
  for (const { cells, line } of rows) {
    if (cells.every((cell) => cell.trim() === "")) continue;
    const clip = readCell(cells[clipAt]);
    const decision = readCell(cells[decisionAt]);
    const note = readCell(noteAt < 0 ? "" : cells[noteAt]);
    const before = marks.get(clip) ?? { decision: "", note: "" };
    if (cells.length > names.length) faults.push(`line ${line}: more cells than the header has`);
    else if (!clip) faults.push(`line ${line}: no clip_id`);
    else if (decision !== "" && decision !== "keep" && decision !== "reject")
      faults.push(`line ${line}: the decision is neither keep nor reject nor empty`);
    else if (decision && before.decision && decision !== before.decision)
      faults.push(`line ${line}: ${clip} is decided twice`);
    else
      marks.set(clip, {
        decision: before.decision || decision,
        note: [...new Set([before.note, note])].filter(Boolean).join("; "),
      });
  }
  if (faults.length)
    throw new Error(
      faults.slice(0, MOST_NAMED).join("; ") + (faults.length > MOST_NAMED ? "; ..." : ""),
    );
  return marks;
}

function faultOfHeader(names: string[]): string {
  const found = SEPARATORS.find(([sign]) => names.some((name) => name.includes(sign)));
  return found
    ? `its cells are separated by ${found[1]}: save it with commas`
    : "it has no columns clip_id and decision";
}

function writeCell(text: string): string {
  const cell = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function readCell(cell: string | undefined): string {
  const text = cell?.trim() ?? "";
  return text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;
}

interface Row {
  cells: string[];
  /** Line of the file in which it begins, from 1. */
  line: number;
}

/** Rows of a csv file with quotes as RFC 4180 has them. */
function readRows(content: string): Row[] {
  const rows: Row[] = [];
  let cells: string[] = [];
  let [at, line, begin] = [0, 1, 1];
  while (at < content.length) {
    let cell = "";
    // Who writes by hand puts a blank behind a comma, a quote after it included.
    while (content[at] === " ") at++;
    if (content[at] === '"') {
      at++;
      for (;;) {
        const end = content.indexOf('"', at);
        if (end < 0) throw new Error(`line ${begin}: a quote is not closed`);
        cell += content.slice(at, end);
        at = end + 1;
        if (content[at] !== '"') break;
        cell += '"';
        at++;
      }
      line += cell.split("\n").length - 1;
    }
    const rest = /[^,\r\n]*/y;
    rest.lastIndex = at;
    cell += rest.exec(content)![0];
    at = rest.lastIndex;
    cells.push(cell);
    if (content[at] === ",") {
      at++;
      if (at === content.length) cells.push("");
      else continue;
    }
    if (content[at] === "\r" && content[at + 1] === "\n") at++;
    at++;
    rows.push({ cells, line: begin });
    cells = [];
    begin = ++line;
  }
  return rows;
}
