/** How much there is of what, over all videos or over some of them. */
import { type Columns, number, text } from "./data";
import type { Report } from "./report";
import { videoRows } from "./video_rows";

/** What was rejected for one reason of one stage. */
export interface Loss {
  stage: string;
  reason: string;
  /** Rows of the ledger. */
  count: number;
  /** Of them those that stand for whole videos, and for gaps in videos. */
  whole: number;
  gaps: number;
  /** Frames of the rows that have some, as summary.json counts them. */
  frames: number;
  /** Length of the whole videos, as far as it is known, and of what files lack at their ends. */
  fileSeconds: number;
}

/** A number of clips or candidates, and how long they are together. */
export interface Amount {
  clips: number;
  frames: number;
}

/** What was counted. */
export interface Tally {
  videos: number;
  /** Of the videos those that could be had. */
  had: number;
  secondsIn: number;
  shots: number;
  shotFrames: number;
  tracks: number;
  trackFrames: number;
  candidates: Amount;
  kept: Amount;
  /** Of the kept those in which it is not certain who speaks. */
  unsure: Amount;
  /** Of the kept those that a person kept against what was measured. */
  byHand: Amount;
  train: Amount;
  eval: Amount;
  /** Named ones with a kept clip. */
  identities: number;
  losses: Loss[];
}

function numbers(table: Columns, name: string): (row: number) => number {
  return (row) => number(table, name, row) || 0;
}

/** Counts one more of so many frames. */
export function addTo(amount: Amount, frames: number): void {
  amount.clips += 1;
  amount.frames += frames;
}

/** An amount to count into. */
export function nothing(): Amount {
  return { clips: 0, frames: 0 };
}

/** Counts the videos for which `included` is true, and what is of them. */
export function tally(report: Report, included: (videoRow: number) => boolean): Tally {
  const { videos, candidates } = report;
  const found: Tally = {
    videos: 0, had: 0, secondsIn: 0, shots: 0, shotFrames: 0, tracks: 0, trackFrames: 0,
    candidates: nothing(), kept: nothing(), unsure: nothing(), byHand: nothing(), train: nothing(), eval: nothing(),
    identities: 0, losses: [],
  };
  const chosen = new Uint8Array(videos.length);
  const seconds = numbers(videos, "duration_s");
  for (let row = 0; row < videos.length; row++) {
    if (!included(row)) continue;
    chosen[row] = 1;
    found.videos += 1;
    if (text(videos, "status", row) === "ok") found.had += 1;
    found.secondsIn += seconds(row);
    found.shots += number(videos, "shots", row) || 0;
    found.shotFrames += number(videos, "shot_frames", row) || 0;
    found.tracks += number(videos, "tracks", row) || 0;
    found.trackFrames += number(videos, "track_frames", row) || 0;
  }
  const rows = videoRows(report);
  const losses = new Map<string, Loss>();
  const identities = new Set<string>();
  const frames = numbers(candidates, "n_frames");
  for (let row = 0; row < candidates.length; row++) {
    if (rows[row] < 0 || !chosen[rows[row]]) continue;
    const isCandidate = text(candidates, "clip_id", row) !== "";
    if (isCandidate) addTo(found.candidates, frames(row));
    if (text(candidates, "verdict", row) === "kept") {
      addTo(found.kept, frames(row));
      if (text(candidates, "reason", row) === "unsure") addTo(found.unsure, frames(row));
      if (text(candidates, "stage", row) === "decisions") addTo(found.byHand, frames(row));
      const side = text(candidates, "split", row);
      if (side === "train" || side === "eval") addTo(found[side], frames(row));
      const identity = text(candidates, "identity", row);
      if (identity) identities.add(identity);
      continue;
    }
    const stage = text(candidates, "stage", row);
    const reason = text(candidates, "reason", row);
    const key = `${stage}/${reason}`;
    let loss = losses.get(key);
    if (!loss) {
      loss = { stage, reason, count: 0, whole: 0, gaps: 0, frames: 0, fileSeconds: 0 };
      losses.set(key, loss);
    }
    loss.count += 1;
    loss.frames += frames(row);
    if (Number.isNaN(number(candidates, "start_frame", row))) {
      loss.whole += 1;
      loss.fileSeconds += seconds(rows[row]);
    } else if (!isCandidate) {
      loss.gaps += 1;
      if (reason === "truncated") loss.fileSeconds += number(candidates, "value", row) || 0;
    }
  }
  found.identities = identities.size;
  found.losses = [...losses.values()];
  return found;
}

/** What a group of videos gives: those of one site or folder, or of one person. */
export interface Group {
  name: string;
  videos: number;
  secondsIn: number;
  candidates: number;
  clips: number;
  keptFrames: number;
}

/** The groups by a text column of the videos, those that give most first. */
export function groupsBy(report: Report, column: string): Group[] {
  const { videos, candidates } = report;
  const names = videos.columns[column];
  if (names?.kind !== "text") return [];
  const groups = names.texts.map((name): Group => (
    { name, videos: 0, secondsIn: 0, candidates: 0, clips: 0, keptFrames: 0 }
  ));
  for (let row = 0; row < videos.length; row++) {
    const group = groups[names.codes[row]];
    group.videos += 1;
    group.secondsIn += number(videos, "duration_s", row) || 0;
  }
  const rows = videoRows(report);
  for (let row = 0; row < candidates.length; row++) {
    if (rows[row] < 0 || !text(candidates, "clip_id", row)) continue;
    const group = groups[names.codes[rows[row]]];
    group.candidates += 1;
    if (text(candidates, "verdict", row) === "kept") {
      group.clips += 1;
      group.keptFrames += number(candidates, "n_frames", row) || 0;
    }
  }
  return groups.filter(({ videos: some }) => some > 0).sort((one, other) => (
    other.keptFrames - one.keptFrames || other.secondsIn - one.secondsIn
    || other.videos - one.videos || (one.name < other.name ? -1 : 1)
  ));
}
