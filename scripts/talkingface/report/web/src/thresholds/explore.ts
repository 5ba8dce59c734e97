/** What a run with other thresholds would keep, of every candidate and all together. */
import { type Columns, number, text } from "../data/data";
import {
  type Measures, type SegmentThresholds, type Verdict, KEPT, judge, judgeQuality,
} from "./judge";
import type { Report } from "../data/report";
import { type Amount, addTo, nothing } from "../data/tally";
import type { Values } from "./values";

/** UNKNOWN: whether it is kept shows only when the workflow has run, as its clip was never made, so
 * that nothing is measured on it, or as what it is judged by is not there. */
const REJECTED = 0;
const KEPT_STATUS = 1;
const UNKNOWN = 2;

const LEDGER = [
  "face_height", "detected_share", "other_face_share", "loudness", "speech_share", "offset",
] as const;
const EXACT = [
  "mouth_motion", "confidence", "probability", "other_probability", "other_track", "speaking",
  "other_speaking", "alone", "judged",
] as const;
const NOT_KEPT: Verdict = { ...KEPT, kept: false };

/** Kept by the run, and by the thresholds: at least and at most, as some are not known. */
export interface Counts {
  now: Amount;
  least: Amount;
  most: Amount;
}

/** Candidates in numbers, as they are judged; `rows` has their rows of the report's table. */
export interface Prepared {
  report: Report;
  length: number;
  rows: Int32Array;
  measures: Measures;
  /** By names of gates' measures; NaN where nothing was measured. */
  quality: Record<string, Float64Array>;
  /** 1 where the clip was made and measured. */
  measured: Uint8Array;
  /** 1 where `segments` compares with thresholds; others stay what they are. */
  judged: Uint8Array;
  /** 1 where all is known that this goes by. */
  exact: Uint8Array;
  /** 1 where the dataset has the clip. */
  keptNow: Uint8Array;
  /** 1 where the ledger keeps it. */
  inLedger: Uint8Array;
  /** What was decided by hand: 1 to keep it, -1 to reject it. */
  byHand: Int8Array;
  sides: Groups;
  identities: Groups;
}

/** `codes[i]` is the place of a candidate's group in `names`. */
export interface Groups {
  names: string[];
  codes: Int32Array;
}

/** What becomes of all candidates. */
export interface Outcome {
  status: Uint8Array;
  all: Counts;
  sides: Counts[];
  identities: Counts[];
  /** Rows of the report's table. */
  newlyKept: number[];
  newlyRejected: number[];
  unknown: number[];
}

/** Puts the candidates of a report into numbers. */
export function prepare(report: Report): Prepared {
  const { candidates, run } = report;
  const rows: number[] = [];
  for (let row = 0; row < candidates.length; row++) {
    if (text(candidates, "clip_id", row)) rows.push(row);
  }
  const column = (name: string) => numbers(candidates, name, rows);
  const flags = (holds: (row: number) => boolean) => Uint8Array.from(rows, (row) => +holds(row));
  const measures = { n_frames: column("n_frames") } as Measures;
  for (const name of LEDGER) measures[name] = column(`segments.${name}`);
  for (const name of EXACT) measures[name] = column(`preview.${name}`);
  const named = new Set(run.gates.flatMap(({ measure, certainty }) => [measure, certainty]));
  named.delete("");
  const quality = Object.fromEntries([...named].map((name) => [name, column(`quality.${name}`)]));
  const present = column("quality.present_share");
  const sideOf = sidesOfVideos(report);
  // What lies between stretches in which the face speaks is no candidate.
  const between = run.details.between_speech;
  return {
    report,
    length: rows.length,
    rows: Int32Array.from(rows),
    measures,
    quality,
    measured: Uint8Array.from(present, (share) => +!Number.isNaN(share)),
    judged: flags((row) => !text(candidates, "segments.detail", row).startsWith(between)),
    exact: Uint8Array.from(measures.judged, (judged) => +!Number.isNaN(judged)),
    keptNow: flags((row) => text(candidates, "verdict", row) === "kept"),
    inLedger: flags((row) => text(candidates, "segments.verdict", row) === "kept"),
    byHand: Int8Array.from(rows, (row) => {
      const decision = run.decisions[text(candidates, "clip_id", row)]?.decision;
      return decision === "keep" ? 1 : decision === "reject" ? -1 : 0;
    }),
    sides: groups(rows, (row) => sideOf(text(candidates, "video_id", row))),
    identities: groups(rows, (row) => text(candidates, "identity", row)),
  };
}

function numbers(table: Columns, name: string, rows: number[]): Float64Array {
  return Float64Array.from(rows, (row) => number(table, name, row));
}

function groups(rows: number[], nameOf: (row: number) => string): Groups {
  const places = new Map<string, number>();
  const codes = Int32Array.from(rows, (row) => {
    const name = nameOf(row);
    const place = places.get(name) ?? places.size;
    places.set(name, place);
    return place;
  });
  return { names: [...places.keys()], codes };
}

/** The side of a video's clips; "" where it is not known. */
function sidesOfVideos({ candidates, videos }: Report): (video: string) => string {
  const sides = new Map<string, string>();
  for (let row = 0; row < candidates.length; row++) {
    const side = text(candidates, "split", row);
    if (side) sides.set(text(candidates, "video_id", row), side);
  }
  for (let row = 0; row < videos.length; row++) {
    const side = text(videos, "split", row);
    if (side) sides.set(text(videos, "video_id", row), side);
  }
  return (video) => sides.get(video) ?? "";
}

/** How candidates are judged by some values. */
interface Rules {
  segments: SegmentThresholds;
  quality: Record<string, number | null>;
  /** Whether `segments` judges otherwise than in the run. */
  changed: boolean;
  /** Whether there is any gate. */
  gated: boolean;
}

function rulesOf({ run }: Report, values: Values): Rules {
  const ofSection = (section: string) => Object.fromEntries(
    run.settings.filter((setting) => setting.section === section)
      .map(({ key }) => [key, values[`${section}.${key}`]]),
  );
  const fallback = Number(run.fixed.default_max_offset);
  const now = run.settings.filter(({ section }) => section === "segments");
  const quality = ofSection("quality") as Record<string, number | null>;
  const segments = ofSection("segments");
  const maxOffset = segments.max_offset ?? fallback;
  return {
    segments: {
      ...segments, max_offset: maxOffset, cut: run.fixed.cut,
    } as unknown as SegmentThresholds,
    quality,
    changed: now.some(({ key, value }) => (
      key === "max_offset" ? (value ?? fallback) !== maxOffset : value !== segments[key]
    )),
    gated: run.gates.some(({ key }) => quality[key] !== null),
  };
}

/** The verdict of `segments` on a candidate; null where it cannot be told. */
function judgeSegment(prepared: Prepared, i: number, rules: Rules): Verdict | null {
  if (!rules.changed || !prepared.judged[i]) return prepared.inLedger[i] ? KEPT : NOT_KEPT;
  const verdict = judge(prepared.measures, i, rules.segments);
  // Without what `preview` adds only the face was judged.
  return prepared.exact[i] || !verdict.kept ? verdict : null;
}

/** What becomes of a candidate: REJECTED, KEPT_STATUS or UNKNOWN. */
function statusOf(prepared: Prepared, i: number, rules: Rules): number {
  if (prepared.byHand[i]) return prepared.byHand[i] > 0 ? KEPT_STATUS : REJECTED;
  const verdict = judgeSegment(prepared, i, rules);
  if (verdict && !verdict.kept) return REJECTED;
  if (prepared.measured[i]) {
    const { gates, trusted_certainty } = prepared.report.run;
    const passed = judgeQuality(prepared.quality, i, rules.quality, gates, trusted_certainty).kept;
    if (!passed) return REJECTED;
    return verdict ? KEPT_STATUS : UNKNOWN;
  }
  // A clip that should have been made and was not is missing until its video is cut again.
  if (prepared.inLedger[i] && !rules.changed) return REJECTED;
  return verdict && !rules.gated ? KEPT_STATUS : UNKNOWN;
}

/** Judges all candidates by some values. */
export function explore(prepared: Prepared, values: Values): Outcome {
  const { length, rows, keptNow, measures, sides, identities } = prepared;
  const rules = rulesOf(prepared.report, values);
  const outcome: Outcome = {
    status: new Uint8Array(length),
    all: noCounts(),
    sides: sides.names.map(noCounts),
    identities: identities.names.map(noCounts),
    newlyKept: [],
    newlyRejected: [],
    unknown: [],
  };
  for (let i = 0; i < length; i++) {
    const status = statusOf(prepared, i, rules);
    outcome.status[i] = status;
    if (status === UNKNOWN) outcome.unknown.push(rows[i]);
    else if (status === KEPT_STATUS && !keptNow[i]) outcome.newlyKept.push(rows[i]);
    else if (status === REJECTED && keptNow[i]) outcome.newlyRejected.push(rows[i]);
    if (status === REJECTED && !keptNow[i]) continue;
    const frames = measures.n_frames[i];
    for (const counts of [
      outcome.all, outcome.sides[sides.codes[i]], outcome.identities[identities.codes[i]],
    ]) {
      if (keptNow[i]) addTo(counts.now, frames);
      if (status === KEPT_STATUS) addTo(counts.least, frames);
      if (status !== REJECTED) addTo(counts.most, frames);
    }
  }
  return outcome;
}

/** The verdict with some values on one candidate, with its reason; null where it cannot be told. */
export function verdictOn(prepared: Prepared, i: number, values: Values): Verdict | null {
  const rules = rulesOf(prepared.report, values);
  const verdict = judgeSegment(prepared, i, rules);
  if (!verdict?.kept || !prepared.measured[i]) return verdict;
  const { gates, trusted_certainty } = prepared.report.run;
  const judged = judgeQuality(prepared.quality, i, rules.quality, gates, trusted_certainty);
  return judged.kept ? verdict : judged;
}

/** How many ledger rows are not what the run's own thresholds give: another version's, or older. */
export function countOutdated(prepared: Prepared, values: Values): number {
  const { segments } = rulesOf(prepared.report, values);
  let count = 0;
  for (let i = 0; i < prepared.length; i++) {
    if (!prepared.judged[i] || !prepared.exact[i] || prepared.byHand[i]) continue;
    if (judge(prepared.measures, i, segments).kept !== (prepared.inLedger[i] === 1)) count++;
  }
  return count;
}

function noCounts(): Counts {
  return { now: nothing(), least: nothing(), most: nothing() };
}
