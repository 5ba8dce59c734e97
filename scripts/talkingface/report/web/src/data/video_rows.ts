/** Which row of the videos a candidate is of. */
import { type TextColumn, text } from "./data";
import type { Report } from "./report";

const byReport = new WeakMap<Report, { names: Map<string, number>; rows: Int32Array }>();

function known(report: Report): { names: Map<string, number>; rows: Int32Array } {
  const found = byReport.get(report);
  if (found) return found;
  const { videos, candidates } = report;
  const names = new Map<string, number>();
  for (let row = 0; row < videos.length; row++) names.set(text(videos, "video_id", row), row);
  const column = candidates.columns.video_id as TextColumn | undefined;
  const byCode = (column?.texts ?? []).map((name) => names.get(name) ?? -1);
  const rows = new Int32Array(candidates.length).fill(-1);
  if (column) for (let row = 0; row < rows.length; row++) rows[row] = byCode[column.codes[row]];
  const made = { names, rows };
  byReport.set(report, made);
  return made;
}

/** For every candidate the row of its video; -1 where the list has none. */
export function videoRows(report: Report): Int32Array {
  return known(report).rows;
}

/** The row of one candidate's video; -1 where it has none. */
export function videoRow(report: Report, row: number): number {
  return videoRows(report)[row] ?? -1;
}

/** The row of a video by its name; -1 where the list has none. */
export function rowOfVideo(report: Report, video: string): number {
  return known(report).names.get(video) ?? -1;
}
