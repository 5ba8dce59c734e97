/** By what a stretch was rejected: what was compared, and which settings decide. */
import type { Run } from "../data/data";
import type { Report } from "../data/report";
import type { Stretch } from "../data/stretch";
import { asksForLeast, measureOf } from "../data/thresholds";
import { measure } from "../shared/quantity";
import { capital, label } from "../shared/words";

/** What was compared, and what decides. */
export interface Cause {
  /** Column of the candidates that was compared; "" where that is unknown or there is none. */
  measure: string;
  /** Settings that decide, as `section.key`. */
  settings: string[];
  /** What stands for the threshold where it is no setting. */
  against?: string;
}

/** The settings that decide, by stage and reason; of those compared with a measure it is the first. */
const SETTINGS: Record<string, string[]> = {
  "proxy/no_stream": ["media.video_stream", "media.audio_stream"],
  "proxy/too_short": ["segments.min_frames"],
  "proxy/silent": ["segments.min_loudness", "media.audio_stream"],
  "speech/no_speech": ["segments.min_speech_share", "segments.speech_threshold"],
  "tracks/no_face": ["tracks.min_confidence", "proxy.long_side"],
  "tracks/too_short": ["segments.min_frames"],
  "tracks/small_face": ["segments.min_face_height"],
  "tracks/face_lost": ["segments.min_detected_share"],
  "tracks/other_face": ["segments.max_other_face_share"],
  "sync/offset": ["segments.max_offset"],
  "sync/unsure": ["segments.min_probability", "segments.keep_unsure"],
};

/** What is known of the cause of a stretch's verdict. */
export function causeOf(run: Run, stretch: Stretch): Cause {
  const { stage, reason } = stretch;
  if (stage === "sync" && reason === "not_speaking") return causeOfSilence(run, stretch);
  if (stage === "sync" && reason === "other_speaks") return causeOfOther(run, stretch);
  if (stage === "quality") {
    const gate = run.gates.find((one) => one.reason === reason);
    return decidedBy(run, gate ? [`quality.${gate.key}`] : []);
  }
  return decidedBy(run, SETTINGS[`${stage}/${reason}`] ?? []);
}

function decidedBy(run: Run, settings: string[]): Cause {
  return { measure: settings.length ? measureOf(run, settings[0]) : "", settings };
}

function causeOfSilence(run: Run, { detail }: Stretch): Cause {
  if (detail.startsWith(run.details.lips_still)) return decidedBy(run, ["segments.min_mouth_motion"]);
  if (detail.startsWith(run.details.lips_apart)) return decidedBy(run, ["segments.unsure_probability"]);
  if (run.fixed.cut === "speaking") {
    return decidedBy(run, ["segments.speaking_probability", "segments.speaking_score"]);
  }
  return decidedBy(run, ["segments.min_confidence"]);
}

function causeOfOther(run: Run, { detail }: Stretch): Cause {
  const against = "of the other face";
  if (detail.startsWith(run.details.other_in_turn)) {
    return { measure: "preview.speaking", settings: [], against };
  }
  if (detail.startsWith(run.details.other_likelier)) {
    return { ...decidedBy(run, ["segments.min_probability"]), against };
  }
  return decidedBy(run, ["segments.unsure_probability"]);
}

/** What was measured and what was asked for, as "Face height: 62 source pixels, asked for at least
 * 100"; "" where nothing was compared. */
export function comparison(
  { candidates }: Report,
  { value, threshold }: Stretch,
  cause: Cause,
): string {
  if (Number.isNaN(threshold)) return "";
  const name = capital(label(cause.measure || "value"));
  if (cause.against) {
    return `${name}: ${measure(value)} of this face, ${measure(threshold)} ${cause.against}`;
  }
  const key = cause.settings[0]?.split(".")[1] ?? "";
  const most = key ? !asksForLeast(key) : value > threshold;
  // Angles and offsets are compared without their sign.
  const either = most && value < 0 ? " to either side" : "";
  const asked = `asked for ${most ? "at most" : "at least"} ${measure(threshold)}${either}`;
  return `${name}: ${measure(value, candidates.columns[cause.measure]?.unit)}, ${asked}`;
}
