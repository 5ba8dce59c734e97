/** What the workflow wrote beside the page, and how it gets in.
 *
 * A page that is opened from disk may not fetch, but it may load scripts. So every data file is a
 * script that calls `talkingface.receive(name, JSON.parse("..."))`. All text in it that comes from
 * videos and sites is plain text and is only ever shown as text.
 */

/** A column of numbers: null where nothing was measured. */
export interface NumberColumn {
  kind: "number";
  unit: string;
  meaning: string;
  values: (number | null)[];
}

/** A column of text: `codes[row]` is the place of the row's text in `texts`. */
export interface TextColumn {
  kind: "text";
  unit: string;
  meaning: string;
  texts: string[];
  codes: number[];
}

/** A column of either kind. */
export type Column = NumberColumn | TextColumn;

/** A table by columns, all of `length` rows. */
export interface Columns {
  length: number;
  columns: Record<string, Column>;
}

/** A setting that is a threshold: its section and key in config.yaml, and what the schema says. */
export interface Setting {
  section: "segments" | "quality";
  key: string;
  value: number | boolean | string | null;
  default: number | boolean | string | null;
  description: string;
  unit: string;
  minimum: number | null;
  maximum: number | null;
  integer: boolean;
  nullable: boolean;
}

/** A gate of `quality`, in the order of judging: see dataset/gates.py. */
export interface Gate {
  key: string;
  measure: string;
  reason: string;
  certainty: string;
}

/** Causes that share a reason with others, which the beginning of `detail` tells apart: see
 * clips/verdict.py. */
export type DetailName =
  | "lips_still" | "lips_apart" | "other_in_turn" | "other_likelier" | "between_speech";

/** Where a stage's time went, over all videos; null where it was not measured. */
export interface StageTime {
  /** A stage, `dataset`, `card`, `report` or `export_NAME`. */
  stage: string;
  jobs: number;
  /** Jobs whose records were read; where they are fewer, the sums below are estimates by them. */
  sampled: number;
  seconds: number;
  cpu_seconds: number | null;
  median_rss_mb: number | null;
  max_rss_mb: number | null;
  /** Frames of the videos, of their candidates or of their clips, whatever the stage goes through;
   * 0 where it goes through none. */
  frames: number;
}

/** What the page knows of the run as a whole. */
export interface Run {
  release: string;
  /** What summary.json says; of an older dataset it may lack parts. */
  summary: { same_recording?: string[][] };
  settings: Setting[];
  /** Settings that the judging depends on and that are no thresholds, such as segments.cut. */
  fixed: Record<string, number | boolean | string | null>;
  gates: Gate[];
  /** How `detail` begins, by its cause. */
  details: Record<DetailName, string>;
  trusted_certainty: number;
  times: StageTime[];
  /** Path pattern of every product, relative to the results folder, by its column. */
  products: Record<string, string>;
  /** Name and colour (#rrggbb) of every label of face parsing. */
  labels: [string, string][];
  /** In a strip: number of pictures and the side of each in pixels. */
  strip: { pictures: number; side: number };
  /** What was decided by hand before, by clip. */
  decisions: Record<string, { decision: "" | "keep" | "reject"; note: string }>;
}

/** The curves and boxes of one stretch, one value a frame; null where there is none, and a whole
 * curve is null where nothing of it was measured.
 *
 * Of a clip, all goes with the clip as it is played: what was measured of the sound was moved with
 * it, by its audio_shift. Of what is no clip all is as it is in the video.
 */
export interface Detail {
  clip_id: string;
  n_frames: number;
  /** Of the clip, in pixels; 0 of what is no clip, which has no pose, points and boxes either. */
  width: number;
  height: number;
  /** How likely somebody is heard, 0 to 1. */
  speech: (number | null)[] | null;
  /** Height of the mouth's opening, in lengths of the nose. */
  opening: (number | null)[] | null;
  /** How clearly lips and sound go together, in the unit of the backend of sync. */
  score: (number | null)[] | null;
  /** How likely this face is the one that speaks, 0 to 1. */
  probability: (number | null)[] | null;
  /** Degrees. */
  yaw: (number | null)[] | null;
  pitch: (number | null)[] | null;
  roll: (number | null)[] | null;
  /** Least and most sample of every hundredth of a second, int8, [4 N, 2], base64. */
  sound: string | null;
  /** 68 points, uint16 little endian in 1/8 clip pixels, [N, 68, 2], base64; 65535 without a face.
   * Null of clips of more than 8,191 pixels. */
  points68: string | null;
  /** Face box x, y, width, height, in 1/8 clip pixels as int16, [N, 4], base64. Null of clips of
   * more than 4,095 pixels. */
  boxes: string | null;
}

interface Receiver {
  receive(name: string, data: unknown): void;
  /** What the page judges by, so that it can be asked from outside: see `offer`. */
  [offered: string]: unknown;
}

const received = new Map<string, unknown>();
const loading = new Map<string, Promise<unknown>>();

/** A file that is there and does not hold what it should. */
export class DamagedFile extends Error {}

/** Makes the object that the data files call. */
export function listen(): void {
  const receiver: Receiver = { receive: (name, data) => void received.set(name, data) };
  (globalThis as unknown as { talkingface: Receiver }).talkingface = receiver;
}

/** Puts a function beside `receive`, where the console and tests find it. */
export function offer(name: string, thing: unknown): void {
  (globalThis as unknown as { talkingface: Receiver }).talkingface[name] = thing;
}

/** Loads one data file, relative to the page, which calls `receive` with `name`. Fails with
 * DamagedFile where it does not, as one that was cut. */
export function load<T>(name: string, path: string): Promise<T> {
  if (received.has(name)) return Promise.resolve(received.get(name) as T);
  const begun = loading.get(name);
  if (begun) return begun as Promise<T>;
  const script = document.createElement("script");
  const loaded = new Promise<T>((resolve, reject) => {
    script.onerror = () => reject(new Error(`${path} could not be loaded`));
    // It has run by now, if it could.
    script.onload = () =>
      received.has(name)
        ? resolve(received.get(name) as T)
        : reject(new DamagedFile(`${path} is damaged`));
  }).finally(() => {
    loading.delete(name);
    script.remove();
  });
  loading.set(name, loaded);
  script.src = path;
  document.head.append(script);
  return loaded;
}

/** Lets go of a file that was loaded, so that clips that were looked at do not pile up. */
export function forget(name: string): void {
  received.delete(name);
}

/** The path of a file of the results folder, seen from the page; its parts may hold any character. */
export function resultPath(path: string): string {
  return `../${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** A cell as a number; NaN where nothing was measured or there is no such column. */
export function number(table: Columns, column: string, row: number): number {
  const found = table.columns[column];
  return found?.kind === "number" ? (found.values[row] ?? NaN) : NaN;
}

/** A cell as text; "" where there is no such column. */
export function text(table: Columns, column: string, row: number): string {
  const found = table.columns[column];
  return found?.kind === "text" ? found.texts[found.codes[row]] : "";
}
