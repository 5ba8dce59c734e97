/** The measures whose distributions are shown. */
import { number, text } from "./data";
import type { Report } from "./report";
import { FPS } from "./grid";
import { videoRows } from "./video_rows";

/** Which values are worst: the least, the most, or those farthest from a number. */
export type Worst = { end: "least" | "most" } | { from: number };

/** A measure as its distribution shows it. */
export interface Measure {
  /** The column as addresses name it. */
  column: string;
  /** What it is called where the name of the column is not what is shown. */
  title?: string;
  words: string;
  unit: string;
  /** The unit after a number. */
  short: string;
  /** What a value is multiplied by to be shown. */
  factor: number;
  /** Whether values are whole numbers as shown. */
  whole: boolean;
  /** The largest value that there can be, as shown, where there is one. */
  greatest?: number;
  worst: Worst;
  worstTitle: string;
  /** The column with the frame of the clip that shows it. */
  frame?: string;
}

const PLAIN = { unit: "", short: "", factor: 1, whole: false };

/** The measures, in the order in which they are shown. */
export const MEASURES: Measure[] = [
  {
    ...PLAIN, column: "n_frames", title: "Length", words: "of candidates and of clips", unit: "s", short: "s",
    factor: 1 / FPS, worst: { end: "least" }, worstTitle: "Shortest clips",
  },
  {
    ...PLAIN, column: "segments.face_height", unit: "source pixels", short: "px",
    words: "median of the face box, before the clip is scaled",
    worst: { end: "least" }, worstTitle: "Smallest faces",
  },
  {
    ...PLAIN, column: "segments.probability",
    words: "how likely the voice heard is this face's own, 0 to 1", greatest: 1,
    worst: { end: "least" }, worstTitle: "Least likely voices",
  },
  {
    ...PLAIN, column: "segments.offset", unit: "frames", short: "frames", whole: true,
    words: "by how much the sound leads, before it was moved",
    worst: { from: 0 }, worstTitle: "Largest offsets",
  },
  {
    ...PLAIN, column: "segments.speech_share",
    words: "share of frames in which somebody is heard to speak", greatest: 1,
    worst: { end: "least" }, worstTitle: "Least speech",
  },
  {
    ...PLAIN, column: "quality.speech_quality",
    words: "from 1, bad, to 5, excellent; of clips from 3 s on",
    worst: { end: "least" }, worstTitle: "Poorest sound",
  },
  {
    ...PLAIN, column: "quality.sharpness",
    words: "variance of the Laplacian of the face at one size and light",
    worst: { end: "least" }, worstTitle: "Least sharp clips", frame: "preview.sharpness_frame",
  },
  {
    ...PLAIN, column: "quality.brightness", unit: "levels",
    words: "median of the face, from 0, black, to 255, white",
    worst: { from: 128 }, worstTitle: "Darkest and brightest faces",
  },
  {
    ...PLAIN, column: "video.fps", unit: "frames a second", short: "fps",
    words: "of the videos; all clips have 25", worst: { end: "least" }, worstTitle: "Lowest frame rates",
  },
  {
    ...PLAIN, column: "quality.max_abs_yaw", unit: "degrees", short: "°",
    words: "how far the head is turned aside, 95th percentile of a clip",
    worst: { end: "most" }, worstTitle: "Heads turned most", frame: "preview.yaw_frame",
  },
  {
    ...PLAIN, column: "quality.yaw_range", unit: "degrees", short: "°",
    words: "within a clip, from the 5th to the 95th percentile",
    worst: { end: "most" }, worstTitle: "Heads that turn most", frame: "preview.yaw_frame",
  },
  {
    ...PLAIN, column: "quality.pitch_range", unit: "degrees", short: "°",
    words: "within a clip, from the 5th to the 95th percentile",
    worst: { end: "most" }, worstTitle: "Heads that nod most", frame: "preview.pitch_frame",
  },
];

/** Of every candidate what a column has, NaN where it is not measured and for what is no candidate. */
export function columnValues(report: Report, column: string): Float64Array {
  const { candidates, videos } = report;
  const values = new Float64Array(candidates.length).fill(NaN);
  const ofVideo = column.startsWith("video.") ? column.slice(6) : "";
  const rows = videoRows(report);
  for (let row = 0; row < values.length; row++) {
    if (!text(candidates, "clip_id", row)) continue;
    values[row] = ofVideo ? number(videos, ofVideo, rows[row]) : number(candidates, column, row);
  }
  return values;
}

/** Whether rows of the ledger that are no candidates may have a value in this column, too. */
export function isOfOthersToo(column: string): boolean {
  return column === "n_frames" || column.startsWith("video.");
}

/** By row 1 where a candidate is kept. */
export function keptRows(report: Report): Uint8Array {
  return Uint8Array.from({ length: report.candidates.length }, (_, row) => (
    Number(text(report.candidates, "verdict", row) === "kept")
  ));
}

/** The rows of at most `most` kept clips with the worst values, the worst first. */
export function worstRows(values: Float64Array, kept: Uint8Array, worst: Worst, most: number): number[] {
  const badness = (row: number) => {
    if ("from" in worst) return Math.abs(values[row] - worst.from);
    return worst.end === "least" ? -values[row] : values[row];
  };
  const found: number[] = [];
  for (let row = 0; row < values.length; row++) {
    if (!kept[row] || Number.isNaN(values[row])) continue;
    if (found.length === most && badness(row) <= badness(found[most - 1])) continue;
    let place = found.length;
    while (place > 0 && badness(row) > badness(found[place - 1])) place--;
    found.splice(place, 0, row);
    found.length = Math.min(found.length, most);
  }
  return found;
}
