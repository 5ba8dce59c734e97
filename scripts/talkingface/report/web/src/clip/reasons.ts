/** Why a stretch was rejected, in sentences. */
import type { Run } from "../data/data";
import { measure } from "../shared/quantity";
import type { Report } from "../data/report";
import type { Stretch } from "../data/stretch";

/** What a reason means, what was compared, and what decides. */
export interface Cause {
  words: string;
  /** Column of the candidates that was compared; "" where that is unknown or there is none. */
  measure: string;
  /** Settings that decide, as `section.key`. */
  settings: string[];
  /** What stands for the threshold where it is no setting. */
  against?: string;
}

const OF_WHOLE: Record<string, Cause> = {
  no_audio: { words: "There is no sound.", measure: "", settings: [] },
  no_stream: {
    words: "The file has no stream of the number that was asked for.",
    measure: "",
    settings: ["media.video_stream", "media.audio_stream"],
  },
  too_demanding: { words: "The file claims more than is allowed.", measure: "", settings: [] },
  broken: { words: "The file cannot be decoded.", measure: "", settings: [] },
  truncated: {
    words: "The file ends much earlier than it says. What is there is used.",
    measure: "",
    settings: [],
  },
  gap: { words: "No new picture is shown for more than half a second.", measure: "", settings: [] },
  clock_jump: {
    words: "The timestamps of the file jump here. What comes before and after is used.",
    measure: "",
    settings: [],
  },
  too_short: {
    words: "The whole video is shorter than a clip.",
    measure: "n_frames",
    settings: ["segments.min_frames"],
  },
  no_face: {
    words: "No face was found in the whole video.",
    measure: "",
    settings: ["tracks.min_confidence", "proxy.long_side"],
  },
};

const OF_FACE: Record<string, Cause> = {
  too_short: {
    words: "The face is there, or speaks, too briefly.",
    measure: "n_frames",
    settings: ["segments.min_frames"],
  },
  small_face: {
    words: "The face is too small.",
    measure: "segments.face_height",
    settings: ["segments.min_face_height"],
  },
  face_lost: {
    words: "The face was not seen in too many frames.",
    measure: "segments.detected_share",
    settings: ["segments.min_detected_share"],
  },
  other_face: {
    words: "Another face is too near.",
    measure: "segments.other_face_share",
    settings: ["segments.max_other_face_share"],
  },
  silent: {
    words: "The sound is too quiet.",
    measure: "segments.loudness",
    settings: ["segments.min_loudness", "media.audio_stream"],
  },
  no_speech: {
    words: "Nobody is heard to speak, or too little.",
    measure: "segments.speech_share",
    settings: ["segments.min_speech_share", "segments.speech_threshold"],
  },
  offset: {
    words: "Sound and lips are too far out of step.",
    measure: "segments.offset",
    settings: ["segments.max_offset"],
  },
  unsure: {
    words: "Too little is seen and heard to say whose voice it is.",
    measure: "segments.probability",
    settings: ["segments.min_probability", "segments.keep_unsure"],
  },
};

const OF_QUALITY: Record<string, string> = {
  face_lost: "The mesh found no face in too many frames.",
  small_face: "The face is too small.",
  at_border: "The face touches the edge of the source's picture.",
  dark: "The face is too dark.",
  bright: "The face is too bright.",
  blurred: "The face is not sharp enough.",
  hand: "Hands are in front of the face.",
  yaw: "The head is turned too far to a side.",
  pitch: "The head is turned too far up or down.",
  roll: "The head is tipped too far.",
  offset: "The sound of the finished clip is still out of step.",
  unsure: "It is too uncertain by how much the finished clip's sound is off.",
  poor_sound: "The sound is too poor.",
};

/** What is known of the reason of a stretch. */
export function causeOf(run: Run, stretch: Stretch): Cause {
  const { stage, reason, clip } = stretch;
  if (stage === "download") {
    return { words: "The video could not be had.", measure: "", settings: [] };
  }
  if (stage === "decisions") {
    return { words: "Decided by hand, in decisions.csv.", measure: "", settings: [] };
  }
  if (stage === "quality") {
    const gate = run.gates.find((one) => one.reason === reason);
    return {
      words: OF_QUALITY[reason] ?? "",
      measure: gate ? `quality.${gate.measure}` : "",
      settings: gate ? [`quality.${gate.key}`] : [],
    };
  }
  if (stage === "sync" && reason === "not_speaking") return causeOfSilence(run, stretch);
  if (stage === "sync" && reason === "other_speaks") return causeOfOther(stretch);
  const known = clip ? OF_FACE[reason] : (OF_WHOLE[reason] ?? OF_FACE[reason]);
  return known ?? { words: "", measure: "", settings: [] };
}

function causeOfSilence(run: Run, { detail }: Stretch): Cause {
  const words = "This face does not speak.";
  if (detail.startsWith("the lips are still")) {
    return { words, measure: "segments.mouth_motion", settings: ["segments.min_mouth_motion"] };
  }
  if (detail.startsWith("lips and voice")) {
    return { words, measure: "segments.probability", settings: ["segments.unsure_probability"] };
  }
  if (run.fixed.cut === "speaking") {
    return {
      words,
      measure: "",
      settings: ["segments.speaking_probability", "segments.speaking_score"],
    };
  }
  return { words, measure: "segments.confidence", settings: ["segments.min_confidence"] };
}

function causeOfOther({ detail }: Stretch): Cause {
  const words = "Somebody else speaks.";
  if (detail.startsWith("mean over the frames")) {
    return { words, measure: "preview.speaking", settings: [], against: "of the other face" };
  }
  if (detail.startsWith("the voice is rather")) {
    return {
      words,
      measure: "segments.probability",
      settings: ["segments.min_probability"],
      against: "of the other face",
    };
  }
  return { words, measure: "segments.probability", settings: ["segments.unsure_probability"] };
}

/** What was measured against what was asked for, as `face_height 62 < 100 source pixels`; "" where
 * nothing was compared. */
export function comparison(
  { candidates }: Report,
  { value, threshold }: Stretch,
  cause: Cause,
): string {
  const name = cause.measure.split(".").pop() || "value";
  if (Number.isNaN(threshold)) return "";
  const unit = candidates.columns[cause.measure]?.unit ?? "";
  const asked = [measure(threshold), unit, cause.against].filter(Boolean).join(" ");
  if (Number.isNaN(value)) return `${name} not measured, asked for ${asked}`;
  const setting = cause.settings[0] ?? "";
  const most = setting ? setting.includes(".max_") : !cause.against && value > threshold;
  // Angles and offsets are compared without their sign.
  const shown = most && value < 0 ? `|${measure(value)}|` : measure(value);
  return `${name} ${shown} ${most ? ">" : "<"} ${asked}`;
}
