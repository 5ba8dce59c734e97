/** Addresses of the pictures and films of a row, seen from the page. */
import { number, resultPath, text } from "./data";
import { type Report, rowKind } from "./report";
import { videoRow } from "./video_rows";

/** Path of a product of a clip, relative to the results folder; "" where it is not made. */
export function productPath({ run }: Report, video: string, clip: string, column: string): string {
  const pattern = run.products[column];
  // Functions, as in a text `$&` would stand for something else.
  return pattern ? pattern.replaceAll("{video}", () => video).replaceAll("{clip}", () => clip) : "";
}

/** The address of a row's film; "" where none was made. */
export function filmPath(report: Report, row: number): string {
  const { candidates } = report;
  const clip = text(candidates, "clip_id", row);
  if (!clip || Number.isNaN(number(candidates, "clips.width", row))) return "";
  const path = productPath(report, text(candidates, "video_id", row), clip, "video");
  return path && resultPath(path);
}

/** The address of a row's strip of pictures; "" where none was made. */
export function stripPath({ candidates }: Report, row: number): string {
  const clip = text(candidates, "clip_id", row);
  if (!clip || !(number(candidates, "preview.pictures", row) > 0)) return "";
  return resultPath(`preview/${text(candidates, "video_id", row)}/${clip}.jpg`);
}

/** The address of the picture that shows why a row was rejected; "" where there cannot be one. */
export function whyPath(report: Report, row: number): string {
  const { candidates } = report;
  if (text(candidates, "verdict", row) !== "rejected") return "";
  const video = text(candidates, "video_id", row);
  const kind = rowKind(candidates, row);
  if (kind === "video") {
    // Of a video that was not had there is nothing to look at.
    const of = videoRow(report, row);
    const had = of >= 0 && text(report.videos, "status", of) === "ok";
    return had ? resultPath(`preview/${video}/${video}.why.jpg`) : "";
  }
  if (kind === "gap" || !(number(candidates, "preview.cause_frame", row) >= 0)) return "";
  return resultPath(`preview/${video}/${text(candidates, "clip_id", row)}.why.jpg`);
}
