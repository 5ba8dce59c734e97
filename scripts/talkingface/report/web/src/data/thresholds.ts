/** Which thresholds are compared with which measures. */
import type { Run, Setting } from "./data";

/** The column of the candidates that a threshold of `segments` is compared with, by its key. */
const OF_SEGMENTS: Record<string, string> = {
  min_frames: "n_frames",
  min_face_height: "segments.face_height",
  min_detected_share: "segments.detected_share",
  max_other_face_share: "segments.other_face_share",
  min_loudness: "segments.loudness",
  min_speech_share: "segments.speech_share",
  min_mouth_motion: "segments.mouth_motion",
  min_probability: "segments.probability",
  unsure_probability: "segments.probability",
  min_confidence: "segments.confidence",
  max_offset: "segments.offset",
};

/** A setting as `section.key`. */
export function settingName({ section, key }: Setting): string {
  return `${section}.${key}`;
}

/** The column of the candidates that a setting is compared with; "" of one that is no threshold.
 *
 * Its name is `section.key`; of `quality` the gates say what they compare.
 */
export function measureOf({ gates }: Run, setting: string): string {
  const [section, key] = setting.split(".");
  if (section === "segments") return Object.hasOwn(OF_SEGMENTS, key) ? OF_SEGMENTS[key] : "";
  const gate = section === "quality" && gates.find((one) => one.key === key);
  return gate ? `quality.${gate.measure}` : "";
}

/** Whether a threshold, by its key, asks for at least this much; else it is for at most. */
export function asksForLeast(key: string): boolean {
  return !key.startsWith("max_");
}
