/** Names of columns and their values in words. */
import { reasonTitle, statusMeaning } from "../data/meanings";

/** What columns are called where their own name says too little. */
const LABELS: Record<string, string> = {
  clip_id: "clip",
  video_id: "video",
  duration: "length",
  n_frames: "frames",
  value: "value judged",
  stage: "rejected by stage",
  decision: "marked by hand",
  note: "note by hand",
  kind: "kind of row",
  "segments.probability": "sync probability",
  "segments.other_probability": "sync probability of another face",
  "segments.offset": "sync offset",
  "segments.trusted": "sync offset trusted",
  "segments.confidence": "sync confidence",
  "segments.detected_share": "face seen share",
  "quality.max_abs_yaw": "largest yaw",
  "quality.max_abs_pitch": "largest pitch",
  "quality.max_abs_roll": "largest roll",
  "pose.max_abs_yaw": "largest yaw",
  "pose.max_abs_pitch": "largest pitch",
  "pose.max_abs_roll": "largest roll",
  "preview.speaking": "speaking probability",
  "video.duration_s": "length of the video",
  "video.fps": "frame rate of the source",
  "video.place": "site or folder",
  "video.webpage_url": "page of the video",
  "video.kind": "local or downloaded",
};

/** A column's name in words, without its group. */
export function label(name: string): string {
  return LABELS[name] ?? name.slice(name.indexOf(".") + 1).replaceAll("_", " ");
}

/** A column's name in words where columns of several stages stand together. */
export function fullLabel(name: string): string {
  const group = groupOf(name);
  return LABELS[name] || group === "candidate" || group === "segments"
    ? label(name)
    : `${group}: ${label(name)}`;
}

/** The stage that a column is of; `candidate` of those that are of none. */
export function groupOf(name: string): string {
  const dot = name.indexOf(".");
  return dot < 0 ? "candidate" : name.slice(0, dot);
}

/** What is shown of a text: its words, and words for none. */
export function choiceLabel(name: string, value: string): string {
  if (value === "") return EMPTY[name] ?? "none";
  if (name === "decision" && value === "note") return "only a note";
  if (name === "kind" && value === "candidate") return "stretch of a face";
  if (name === "kind" && value === "video") return "whole video";
  if (name === "reason" || name === "segments.reason") return reasonTitle(value);
  return name === "video.status" ? statusMeaning(value).title : value;
}

const EMPTY: Record<string, string> = {
  decision: "not marked",
  split: "in neither",
  identity: "not given",
  stage: "not rejected",
  "video.title": "without a title",
};

/** Words as a sentence: with a capital, and a full stop; "" of none. */
export function sentence(words: string): string {
  return words && `${capital(words)}.`;
}

/** Words with a capital at their beginning. */
export function capital(words: string): string {
  return words && `${words[0].toUpperCase()}${words.slice(1)}`;
}
