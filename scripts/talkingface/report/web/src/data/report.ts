/** The report's data as all views share it. */
import {
  type Columns,
  DamagedFile,
  type Detail,
  type Run,
  load,
  number,
  resultPath,
  text,
} from "./data";
import { type Decoded, decodeDetail } from "./decode";
import { placeColumn } from "./origins";

const CURVES = ["speech", "opening", "score", "probability", "yaw", "pitch", "roll"] as const;

/** The tables that all views look at. */
export interface Report {
  run: Run;
  /** A row for every video of the list. */
  videos: Columns;
  /** A row for every row of the ledgers, with its last verdict, in the order of videos and time. */
  candidates: Columns;
  /** Row of a candidate by its key, see `rowKey`. */
  rows: Map<string, number>;
}

/** What names a row in addresses: its clip_id; of a whole video or a gap its video and frame. */
export function rowKey(candidates: Columns, row: number): string {
  const clip = text(candidates, "clip_id", row);
  if (clip) return clip;
  const start = number(candidates, "start_frame", row);
  return `${text(candidates, "video_id", row)}@${Number.isNaN(start) ? "all" : start}`;
}

/** What a row is called: its clip, or its video where it is none. */
export function rowName(candidates: Columns, row: number): string {
  return text(candidates, "clip_id", row) || text(candidates, "video_id", row);
}

/** What a row stands for: a `candidate`, or a whole `video` or a `gap`, which have no name. */
export function rowKind(candidates: Columns, row: number): "candidate" | "video" | "gap" {
  if (text(candidates, "clip_id", row)) return "candidate";
  return Number.isNaN(number(candidates, "start_frame", row)) ? "video" : "gap";
}

/** Loads what the page shows; rejects where one of the files beside the page is not there. */
export async function loadReport(): Promise<Report> {
  const [run, videos, candidates] = await Promise.all([
    load<Run>("run", "data/run.js"),
    load<Columns>("videos", "data/videos.js"),
    load<Columns>("candidates", "data/candidates.js"),
  ]);
  videos.columns.place = placeColumn(videos);
  const rows = new Map<string, number>();
  for (let row = 0; row < candidates.length; row++) {
    rows.set(rowKey(candidates, row), row);
  }
  return { run, videos, candidates, rows };
}

/** The curves of one stretch, and what is packed in them. */
export interface Curved {
  detail: Detail;
  decoded: Decoded;
}

/** Loads the curves of one stretch; fails with DamagedFile where its file does not hold them. */
export async function loadDetail(video: string, clip: string): Promise<Curved> {
  const path = resultPath(`preview/${video}/${clip}.js`);
  const detail = await load<Detail>(clip, path);
  try {
    for (const name of CURVES) {
      if (detail[name] !== null && !Array.isArray(detail[name])) throw new Error(name);
    }
    return { detail, decoded: decodeDetail(detail) };
  } catch {
    throw new DamagedFile(`${path} is damaged`);
  }
}
