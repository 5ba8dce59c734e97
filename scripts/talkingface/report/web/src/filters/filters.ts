/** Which candidates are shown, as the address of the view `clips` says it.
 *
 * `#clips?verdict=rejected&stage=sync&reason=other_speaks` are rows with this text in a column;
 * `min.quality.sharpness=20` and `max.quality.sharpness=50` rows whose number is in a range (of
 * rows without one: none); `q=word` rows with a word in the name of clip, video, title or uploader;
 * `sort=quality.sharpness`, or `sort=-quality.sharpness` from the largest down. Columns of the
 * video, such as `video.source`, can be asked for, too. Several values of one column are
 * alternatives.
 * `quality.sharpness=` are rows in which it was not measured, `track=2` those with this number.
 * What is no column is nothing to the filters, so other views may have parameters of their own.
 */
import { type Field, OF_MARKS, field } from "./fields";
import { marksVersion } from "../marks/mark_store";
import { type Report, rowKey } from "../data/report";
import { text } from "../data/data";

/** The ends of a range; null where it is open. */
export interface Range {
  min: number | null;
  max: number | null;
}

/** The filters of an address. */
export interface Filters {
  /** Texts that are asked for, by column; they are alternatives. */
  choices: Map<string, Set<string>>;
  /** Ranges by column, ends included. */
  ranges: Map<string, Range>;
  /** Lower-case words, all of which must be found. */
  words: string[];
  sort: { column: string; down: boolean } | null;
}

const RANGE = /^(min|max)\.(.+)$/;

/** Reads the filters of an address. */
export function readFilters(report: Report, parameters: URLSearchParams): Filters {
  const filters: Filters = { choices: new Map(), ranges: new Map(), words: [], sort: null };
  for (const [name, value] of parameters) {
    const range = RANGE.exec(name);
    if (name === "q") {
      filters.words = value.toLowerCase().split(/\s+/).filter(Boolean);
    } else if (name === "sort") {
      const down = value.startsWith("-");
      const column = down ? value.slice(1) : value;
      if (field(report, column)) filters.sort = { column, down };
    } else if (range) {
      const bound = value.trim() === "" ? NaN : Number(value);
      if (Number.isNaN(bound) || field(report, range[2])?.kind !== "number") continue;
      const ends = filters.ranges.get(range[2]) ?? { min: null, max: null };
      ends[range[1] as "min" | "max"] = bound;
      filters.ranges.set(range[2], ends);
    } else if (field(report, name)) {
      const values = filters.choices.get(name) ?? new Set<string>();
      filters.choices.set(name, values.add(value));
    }
  }
  return filters;
}

/** Only those parameters of an address that say which candidates are shown, and in which order. */
export function listParameters(report: Report, parameters: URLSearchParams): URLSearchParams {
  const kept = [...parameters].filter(
    ([name]) =>
      name === "q" || name === "sort" || field(report, RANGE.exec(name)?.[2] ?? name) !== undefined,
  );
  return new URLSearchParams(kept);
}

/** The address of a clip's view, from which it goes on to the next of the list. */
export function clipAddress(
  report: Report,
  row: number,
  parameters = new URLSearchParams(),
): string {
  const id = ["id", rowKey(report.candidates, row)];
  return `#clip?${new URLSearchParams([id, ...listParameters(report, parameters)])}`;
}

/** The address of the list with these filters; what is no filter in `parameters` is left out. */
export function listAddress(report: Report, parameters: URLSearchParams): string {
  const query = listParameters(report, parameters).toString();
  return query ? `#clips?${query}` : "#clips";
}

/** The test of one filter: by row 1 where it passes. */
export interface Test {
  /** The column it is of; `q` is the search. */
  column: string;
  passes: Uint8Array;
}

/** The tests of all filters but the order. */
export function tests(report: Report, filters: Filters): Test[] {
  const columns = new Set([...filters.choices.keys(), ...filters.ranges.keys()]);
  const found = [...columns].map((column) => ({
    column,
    passes: test(field(report, column)!, filters.choices.get(column), filters.ranges.get(column)),
  }));
  if (filters.words.length) found.push({ column: "q", passes: search(report, filters.words) });
  return found;
}

function test(of: Field, choices: Set<string> | undefined, range: Range | undefined): Uint8Array {
  if (of.kind === "text") {
    const chosen = Uint8Array.from(of.texts, (value) => Number(choices!.has(value)));
    return Uint8Array.from(of.codes, (code) => chosen[code]);
  }
  const passes = new Uint8Array(of.values.length);
  const least = range?.min ?? -Infinity;
  const most = range?.max ?? Infinity;
  const exact = [...(choices ?? [])].filter((value) => value.trim() !== "").map(Number);
  const unmeasured = choices?.has("") ?? false;
  for (let row = 0; row < passes.length; row++) {
    const value = of.values[row];
    if (Number.isNaN(value)) passes[row] = Number(unmeasured);
    else if (range && value >= least && value <= most) passes[row] = 1;
    else if (exact.length && exact.includes(value)) passes[row] = 1;
  }
  return passes;
}

const haystacks = new WeakMap<Report, string[]>();

function search(report: Report, words: string[]): Uint8Array {
  let texts = haystacks.get(report);
  if (!texts) {
    const titles = field(report, "video.title");
    const uploaders = field(report, "video.uploader");
    texts = Array.from({ length: report.candidates.length }, (_, row) =>
      [
        text(report.candidates, "clip_id", row),
        text(report.candidates, "video_id", row),
        titles?.kind === "text" ? titles.texts[titles.codes[row]] : "",
        uploaders?.kind === "text" ? uploaders.texts[uploaders.codes[row]] : "",
      ]
        .join("\n")
        .toLowerCase(),
    );
    haystacks.set(report, texts);
  }
  return Uint8Array.from(texts, (found) => Number(words.every((word) => found.includes(word))));
}

const orders = new WeakMap<Report, Map<string, Uint32Array>>();
const MOST_ORDERS = 6;
const MOST_COLLATED = 5000;

/** All rows in an order. What is not measured or empty is last, whichever way it is sorted. */
export function order(report: Report, sort: Filters["sort"]): Uint32Array {
  let known = orders.get(report);
  if (!known) orders.set(report, (known = new Map()));
  const key = sort ? `${sort.down ? "-" : ""}${sort.column}` : "";
  const version = sort && OF_MARKS.has(sort.column) ? `@${marksVersion()}` : "";
  let found = known.get(key + version);
  if (found) return found;
  found = Uint32Array.from({ length: report.candidates.length }, (_, row) => row);
  if (sort) {
    const ranks = rank(field(report, sort.column)!);
    const sign = sort.down ? -1 : 1;
    // Numbers before numbers that are none, and equals as they stand in the ledgers.
    found.sort((a, b) => {
      const x = ranks[a];
      const y = ranks[b];
      if (x < y) return -sign;
      if (x > y) return sign;
      if (x === y) return a - b;
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
    });
  }
  if (known.size >= MOST_ORDERS) known.delete(known.keys().next().value!);
  known.set(key + version, found);
  return found;
}

function rank(of: Field): Float64Array {
  if (of.kind === "number") return of.values;
  const places = of.texts.map((_, place) => place);
  // Names of clips are many, and as wide as each other.
  const compare =
    of.texts.length > MOST_COLLATED
      ? (a: string, b: string) => (a < b ? -1 : Number(a > b))
      : new Intl.Collator("en", { numeric: true }).compare;
  places.sort((a, b) => compare(of.texts[a], of.texts[b]));
  const ranks = new Float64Array(of.texts.length);
  places.forEach((place, rank) => (ranks[place] = of.texts[place] === "" ? NaN : rank));
  return Float64Array.from(of.codes, (code) => ranks[code]);
}

/** The rows that pass all tests, in order. */
function passing(all: Uint32Array, found: Test[]): Uint32Array {
  if (!found.length) return all;
  const rows = new Uint32Array(all.length);
  let count = 0;
  for (const row of all) {
    let passes = 1;
    for (let each = 0; each < found.length && passes; each++) passes = found[each].passes[row];
    rows[count] = row;
    count += passes;
  }
  return rows.subarray(0, count);
}

let last: { report: Report; query: string; version: number; rows: Uint32Array } | undefined;

/** The rows of `candidates` that an address asks for, in its order. */
export function matchingRows(report: Report, parameters: URLSearchParams): Uint32Array {
  const query = listParameters(report, parameters).toString();
  const version = marksVersion();
  if (last?.report === report && last.query === query && last.version === version) return last.rows;
  const filters = readFilters(report, parameters);
  const rows = passing(order(report, filters.sort), tests(report, filters));
  last = { report, query, version, rows };
  return rows;
}
