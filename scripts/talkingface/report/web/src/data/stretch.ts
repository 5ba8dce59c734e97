/** One row of the candidates as the view of a clip needs it. */
import { number, resultPath, text } from "./data";
import { type Report, rowKey } from "./report";

/** A stretch of a face, a gap in a video, or a whole video. */
export interface Stretch {
  row: number;
  key: string;
  video: string;
  /** "" of a gap and of a whole video. */
  clip: string;
  /** First frame on the video's grid and the one after the last; NaN of a whole video. */
  start: number;
  end: number;
  /** Length in frames; 0 of a whole video. */
  frames: number;
  verdict: string;
  stage: string;
  reason: string;
  detail: string;
  value: number;
  threshold: number;
  /** Whether a film of it was cut, which is so of what the ledger kept. */
  cut: boolean;
  /** Of the clip in pixels; 0 where none was cut. */
  width: number;
  height: number;
}

/** Reads a row. */
export function readStretch({ candidates }: Report, row: number): Stretch {
  const words = (column: string) => text(candidates, column, row);
  const value = (column: string) => number(candidates, column, row);
  return {
    row,
    key: rowKey(candidates, row),
    video: words("video_id"),
    clip: words("clip_id"),
    start: value("start_frame"),
    end: value("end_frame"),
    frames: value("n_frames") || 0,
    verdict: words("verdict"),
    stage: words("stage"),
    reason: words("reason"),
    detail: words("detail"),
    value: value("value"),
    threshold: value("threshold"),
    cut: value("clips.width") > 0,
    width: value("clips.width") || 0,
    height: value("clips.height") || 0,
  };
}

/** What a row is called in a sentence. */
export function nameOf(stretch: Stretch): string {
  if (stretch.clip) return stretch.clip;
  if (Number.isNaN(stretch.start)) return `${stretch.video}, the whole video`;
  return `${stretch.video}, frames ${stretch.start} to ${stretch.end}`;
}

/** Address of the picture of a frame in a folder of numbered pictures, which begin at 1. */
export function numberedPicture(folder: string, frame: number): string {
  return resultPath(`${folder}/${String(frame + 1).padStart(6, "0")}.png`);
}

/** The column of `preview` with the frame of the clip that shows a reason. */
const SHOWN_BY: Record<string, string> = {
  blurred: "sharpness_frame",
  dark: "dark_frame",
  bright: "bright_frame",
  hand: "hand_frame",
  at_border: "border_frame",
  face_lost: "absent_frame",
  yaw: "yaw_frame",
  pitch: "pitch_frame",
  roll: "roll_frame",
};

/** The frame of the stretch, from 0, that shows why it was rejected; 0 where none is known. */
export function frameThatShowsWhy({ candidates }: Report, stretch: Stretch): number {
  if (stretch.verdict !== "rejected") return 0;
  if (stretch.stage === "quality") {
    const frame = number(candidates, `preview.${SHOWN_BY[stretch.reason]}`, stretch.row);
    if (!Number.isNaN(frame)) return frame;
  }
  const cause = number(candidates, "preview.cause_frame", stretch.row) - stretch.start;
  return cause >= 0 && cause < stretch.frames ? cause : 0;
}
