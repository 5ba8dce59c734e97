/** Marks of clips, which the browser remembers until they are in decisions.csv.
 *
 * What a run obeyed is in `run.decisions`. What was marked since lies in the browser's storage, by
 * dataset, and goes before it.
 */
import { useEffect, useState } from "preact/hooks";
import type { Report } from "../data/report";
import { store, stored } from "../shared/remember";

/** What a person says of a clip: keep it, reject it or, with a note alone, neither. */
export interface Mark {
  decision: "" | "keep" | "reject";
  note: string;
}

/** A mark in the browser; `saved` is what the run had decided when it went into a file. */
interface Kept extends Mark {
  saved?: Mark;
}

/** As many characters as a run reads of a note. */
export const LONGEST_NOTE = 500;

const NONE: Mark = { decision: "", note: "" };
const UNDO_STEPS = 200;
const FOLDER = location.pathname.replace(/[^/]*$/, "");
const KEY = `marks.${FOLDER}`;
/** What the newest run obeyed whose page was opened, for pages that are still open since before. */
const OBEYED_KEY = `obeyed.${FOLDER}`;

let kept: Map<string, Kept> | undefined;
let obeyedSince: Record<string, Mark> | undefined;
let merged: Map<string, Mark> | undefined;
let version = 0;
let remembered = true;
let writing: ReturnType<typeof setTimeout> | undefined;
const undone: [string, Mark][][] = [];
const listeners = new Set<() => void>();

/** All marks that are not empty, by clip. */
export function decisions(report: Report): Map<string, Mark> {
  if (!merged) {
    merged = new Map(Object.entries(obeyed(report)));
    for (const [clip, { decision, note }] of local(report)) {
      if (decision || note) merged.set(clip, { decision, note });
      else merged.delete(clip);
    }
  }
  return merged;
}

/** The mark of a clip, empty where it has none. */
export function markOf(report: Report, clip: string): Mark {
  return decisions(report).get(clip) ?? NONE;
}

/** A number that changes with every mark. */
export function marksVersion(): number {
  return version;
}

/** Whether the browser remembers marks when the page is closed. */
export function remembers(): boolean {
  return remembered;
}

/** Marks a clip; `undo` takes it back. */
export function mark(report: Report, clip: string, change: Partial<Mark>): void {
  markAll(report, [[clip, { ...markOf(report, clip), ...change }]]);
}

/** Marks several clips in one step. Returns how many of them changed. */
export function markAll(report: Report, marks: Iterable<[string, Mark]>): number {
  const before: [string, Mark][] = [];
  for (const [clip, { decision, note }] of marks) {
    const was = markOf(report, clip);
    const wanted = { decision, note: oneLine(note) };
    if (was.decision === wanted.decision && was.note === wanted.note) continue;
    before.push([clip, was]);
    put(report, clip, wanted);
  }
  if (before.length) {
    undone.push(before);
    if (undone.length > UNDO_STEPS) undone.shift();
    changed();
  }
  return before.length;
}

/** Takes the last step back. Returns its clips. */
export function undo(report: Report): string[] {
  const step = undone.pop();
  if (!step) return [];
  for (const [clip, was] of step) put(report, clip, was);
  changed();
  return step.map(([clip]) => clip);
}

/** Whether there is a step to take back. */
export function canUndo(): boolean {
  return undone.length > 0;
}

/** Clips whose marks no file has yet that was saved here. */
export function unsaved(report: Report): string[] {
  return [...local(report)].filter(([, { saved }]) => !saved).map(([clip]) => clip);
}

/** Notes that all marks are in a file now. */
export function setSaved(report: Report): void {
  for (const [clip, { decision, note }] of local(report)) {
    local(report).set(clip, { decision, note, saved: obeyed(report)[clip] ?? NONE });
  }
  changed();
}

/** Draws a component again when marks change. */
export function useMarks(): number {
  const [seen, see] = useState(version);
  useEffect(() => {
    const listener = () => see(version);
    listener();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return seen;
}

function put(report: Report, clip: string, wanted: Mark): void {
  if (same(wanted, obeyed(report)[clip] ?? NONE)) local(report).delete(clip);
  else local(report).set(clip, { ...wanted });
  if (wanted.decision || wanted.note) decisions(report).set(clip, { ...wanted });
  else decisions(report).delete(clip);
}

function changed(): void {
  version++;
  writing ??= setTimeout(write, 100);
  for (const listener of [...listeners]) listener();
}

function write(): void {
  clearTimeout(writing);
  writing = undefined;
  const before = remembered;
  remembered = store(KEY, JSON.stringify(Object.fromEntries(kept ?? [])));
  if (before !== remembered) for (const listener of [...listeners]) listener();
}

/** What the browser has of this dataset, without what a run obeyed in the meantime. */
function local(report: Report): Map<string, Kept> {
  if (kept) return kept;
  kept = new Map();
  for (const [clip, found] of Object.entries(readMarks(KEY))) {
    const before = report.run.decisions[clip] ?? NONE;
    // A file that was saved here and then changed by hand is newer than what is remembered.
    if (same(found, before) || (found.saved && !same(found.saved, before))) continue;
    kept.set(clip, found);
  }
  store(OBEYED_KEY, JSON.stringify(report.run.decisions));
  remembered = store(KEY, JSON.stringify(Object.fromEntries(kept)));
  addEventListener("pagehide", () => writing && write());
  addEventListener("storage", ({ key }) => {
    // The page is open twice: both show the same marks. The other may be of a later run, which has
    // obeyed some of them.
    if (key === `talkingface.${OBEYED_KEY}`) obeyedSince = readMarks(OBEYED_KEY);
    else if (key === `talkingface.${KEY}`) kept = new Map(Object.entries(readMarks(KEY)));
    else return;
    merged = undefined;
    version++;
    for (const listener of [...listeners]) listener();
  });
  return kept;
}

/** The decisions that a run has obeyed. */
function obeyed(report: Report): Record<string, Mark> {
  return obeyedSince ?? report.run.decisions;
}

function readMarks(key: string): Record<string, Kept> {
  try {
    const found: unknown = JSON.parse(stored(key) || "{}");
    return Object.fromEntries(
      Object.entries(found as Record<string, unknown>).filter(
        (entry): entry is [string, Kept] => isMark(entry[1]) && (entry[1] as Kept).saved !== null,
      ),
    );
  } catch {
    return {};
  }
}

function isMark(found: unknown): found is Mark {
  const { decision, note } = (found ?? {}) as Partial<Mark>;
  return (
    (decision === "" || decision === "keep" || decision === "reject") && typeof note === "string"
  );
}

function same(one: Mark, other: Mark): boolean {
  return one.decision === other.decision && oneLine(one.note) === oneLine(other.note);
}

/** A note as a run reads it: on one line, and not too long. */
function oneLine(note: string): string {
  return note.replace(/\s+/g, " ").trim().slice(0, LONGEST_NOTE);
}
