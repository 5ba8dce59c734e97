/** What candidates can be filtered and sorted by, as typed arrays with a value a candidate.
 *
 * Beside the columns of `candidates` these are the columns of a candidate's video, called
 * `video.source`, and some that follow from others: `duration`, `kind`, `decision`.
 */
import type { Column } from "../data/data";
import { secondsOf } from "../data/grid";
import { type Mark, decisions, marksVersion } from "../marks/mark_store";
import { type Report, rowKind } from "../data/report";
import { videoRows } from "../data/video_rows";

/** Numbers, NaN where nothing was measured. */
export interface NumberField {
  kind: "number";
  unit: string;
  meaning: string;
  values: Float64Array;
}

/** Text: `codes[row]` is the place of a row's text in `texts`, which are all different. */
export interface TextField {
  kind: "text";
  unit: string;
  meaning: string;
  texts: string[];
  codes: Uint32Array;
}

/** A field of either kind. */
export type Field = NumberField | TextField;

/** Texts of `decision`, also where nothing is marked so. */
const DECISIONS = ["", "keep", "reject", "note"];

/** Fields that are no columns of `candidates` or of `videos`. */
const DERIVED: Record<string, (report: Report) => Field> = {
  duration: (report) => ({
    kind: "number",
    unit: "s",
    meaning: "length",
    values: numbers(report.candidates.columns.n_frames).map(secondsOf),
  }),
  kind: (report) =>
    textField(
      report.candidates.length,
      "what the row is: a stretch of one face, a whole video or a gap between stretches",
      (row) => rowKind(report.candidates, row),
    ),
  decision: (report) =>
    markField(report, "what was decided by hand", (mark) => mark.decision || "note", DECISIONS),
  note: (report) => markField(report, "what was noted by hand", (mark) => mark.note),
};

/** Fields that change with every mark. */
export const OF_MARKS = new Set(["decision", "note"]);
let marksSeen = -1;

const known = new WeakMap<Report, Map<string, Field | undefined>>();

/** The field of a name; undefined where the report has no such column. */
export function field(report: Report, name: string): Field | undefined {
  let fields = known.get(report);
  if (!fields) known.set(report, (fields = new Map()));
  if (OF_MARKS.has(name) && marksSeen !== marksVersion()) {
    for (const each of OF_MARKS) fields.delete(each);
    marksSeen = marksVersion();
  }
  if (!fields.has(name)) fields.set(name, make(report, name));
  return fields.get(name);
}

/** The names of all fields: those of candidates in the order of stages, then those of videos. */
export function fieldNames(report: Report): string[] {
  const ofVideos = Object.keys(report.videos.columns).filter(
    (name) => name !== "video_id" && name !== "identity",
  );
  return [
    "decision",
    "note",
    "kind",
    "duration",
    ...Object.keys(report.candidates.columns),
    ...ofVideos.map((name) => `video.${name}`),
  ];
}

/** Numbers of a field as they are, empty where there is no such field. */
export function numbersOf(report: Report, name: string): Float64Array {
  const found = field(report, name);
  return found?.kind === "number"
    ? found.values
    : new Float64Array(report.candidates.length).fill(NaN);
}

function make(report: Report, name: string): Field | undefined {
  if (Object.hasOwn(DERIVED, name)) return DERIVED[name](report);
  if (Object.hasOwn(report.candidates.columns, name)) return typed(report.candidates.columns[name]);
  const column = name.startsWith("video.") ? name.slice("video.".length) : "";
  if (!column || !Object.hasOwn(report.videos.columns, column)) return undefined;
  return ofVideo(report, typed(report.videos.columns[column]));
}

function typed(column: Column): Field {
  const { unit } = column;
  // Names of settings and values are marked by these in the tables' descriptions.
  const meaning = column.meaning.replaceAll("`", "");
  if (column.kind === "number") return { kind: "number", unit, meaning, values: numbers(column) };
  return {
    kind: "text",
    unit,
    meaning,
    texts: column.texts,
    codes: Uint32Array.from(column.codes),
  };
}

function numbers(column: Column | undefined): Float64Array {
  return column?.kind === "number"
    ? Float64Array.from(column.values, (value) => value ?? NaN)
    : new Float64Array();
}

function textField(
  length: number,
  meaning: string,
  of: (row: number) => string,
  first: string[] = [],
): TextField {
  const places = new Map(first.map((value, place) => [value, place]));
  const codes = new Uint32Array(length);
  for (let row = 0; row < length; row++) {
    const value = of(row);
    let place = places.get(value);
    if (place === undefined) places.set(value, (place = places.size));
    codes[row] = place;
  }
  return { kind: "text", unit: "", meaning, texts: [...places.keys()], codes };
}

function markField(
  report: Report,
  meaning: string,
  of: (mark: Mark) => string,
  first?: string[],
): TextField {
  const texts = new Map<number, string>();
  for (const [clip, mark] of decisions(report)) {
    const row = report.rows.get(clip);
    if (row !== undefined) texts.set(row, of(mark));
  }
  return textField(report.candidates.length, meaning, (row) => texts.get(row) ?? "", first);
}

/** A field of videos as one of candidates. */
function ofVideo(report: Report, videos: Field): Field {
  const rows = videoRows(report);
  if (videos.kind === "number") {
    return {
      ...videos,
      values: Float64Array.from(rows, (row) => (row < 0 ? NaN : videos.values[row])),
    };
  }
  const none = videos.texts.includes("") ? videos.texts : [...videos.texts, ""];
  const empty = none.indexOf("");
  return {
    ...videos,
    texts: none,
    codes: Uint32Array.from(rows, (row) => (row < 0 ? empty : videos.codes[row])),
  };
}
