/** The verdict on a stretch of a face by other thresholds, as the workflow itself would give it.
 *
 * The rules are those of clips/judgement.py (`judge`) and dataset/gates.py (`judgeQuality`), in the
 * same order and with the same comparisons: NaN stands for what was not measured, and every
 * comparison with it is false.
 */
import type { Gate } from "../data/data";
import { asksForLeast } from "../data/thresholds";

/** What `judge` goes by, one value a row; the names are those of the ledger and of `preview`. */
export interface Measures {
  n_frames: Float64Array;
  face_height: Float64Array;
  detected_share: Float64Array;
  other_face_share: Float64Array;
  loudness: Float64Array;
  speech_share: Float64Array;
  offset: Float64Array;
  mouth_motion: Float64Array;
  confidence: Float64Array;
  probability: Float64Array;
  other_probability: Float64Array;
  /** NaN where there is no other face. */
  other_track: Float64Array;
  speaking: Float64Array;
  other_speaking: Float64Array;
  /** 1 where no other face is seen. */
  alone: Float64Array;
  /** 1 where `sync` says something of the face. */
  judged: Float64Array;
}

/** The section `segments` of the settings, as far as it judges. */
export interface SegmentThresholds {
  min_frames: number;
  min_face_height: number;
  min_detected_share: number;
  max_other_face_share: number;
  min_loudness: number;
  min_speech_share: number;
  min_mouth_motion: number;
  min_probability: number;
  unsure_probability: number;
  keep_unsure: boolean;
  min_confidence: number | null;
  max_offset: number;
  cut: string;
}

/** Whether a stretch is kept, and what it is rejected or doubted for: "" and null where nothing. */
export interface Verdict {
  kept: boolean;
  stage: string;
  reason: string;
  value: number | null;
  threshold: number | null;
}

/** The verdict on what misses nothing. */
export const KEPT: Verdict = { kept: true, stage: "", reason: "", value: null, threshold: null };

/** Kept, or rejected for the first threshold of the section `segments` that `row` misses. */
export function judge(measures: Measures, row: number, thresholds: SegmentThresholds): Verdict {
  const missed = judgeFace(measures, row, thresholds);
  if (missed) return missed;
  if (measures.judged[row] === 1) return judgeVoice(measures, row, thresholds) ?? KEPT;
  return KEPT;
}

/** Kept, or rejected for the first gate that `row` misses. `measures` and `thresholds` go by the
 * names and keys of the gates; a threshold that is null lets everything through. */
export function judgeQuality(
  measures: Record<string, Float64Array>,
  row: number,
  thresholds: Record<string, number | null>,
  gates: Gate[],
  trustedCertainty: number,
): Verdict {
  for (const gate of gates) {
    const threshold = thresholds[gate.key];
    if (threshold === null) continue;
    const value = measures[gate.measure][row];
    const reached = asksForLeast(gate.key) ? value >= threshold : Math.abs(value) <= threshold;
    if (reached) continue;
    if (gate.certainty && !(measures[gate.certainty][row] >= trustedCertainty)) continue;
    return rejected("quality", gate.reason, value, threshold);
  }
  return KEPT;
}

function judgeFace(m: Measures, row: number, t: SegmentThresholds): Verdict | undefined {
  if (m.n_frames[row] < t.min_frames) {
    return rejected("tracks", "too_short", m.n_frames[row], t.min_frames);
  }
  if (m.face_height[row] < t.min_face_height) {
    return rejected("tracks", "small_face", m.face_height[row], t.min_face_height);
  }
  if (m.detected_share[row] < t.min_detected_share) {
    return rejected("tracks", "face_lost", m.detected_share[row], t.min_detected_share);
  }
  if (m.other_face_share[row] > t.max_other_face_share) {
    return rejected("tracks", "other_face", m.other_face_share[row], t.max_other_face_share);
  }
  if (m.loudness[row] < t.min_loudness) {
    return rejected("proxy", "silent", m.loudness[row], t.min_loudness);
  }
  if (m.speech_share[row] < t.min_speech_share) {
    return rejected("speech", "no_speech", m.speech_share[row], t.min_speech_share);
  }
  return undefined;
}

function judgeVoice(m: Measures, row: number, t: SegmentThresholds): Verdict | undefined {
  if (m.mouth_motion[row] < t.min_mouth_motion) {
    return bySync("not_speaking", m.mouth_motion[row], t.min_mouth_motion);
  }
  const verdict = t.cut === "speaking" ? judgeTurn(m, row) : judgeSpeaker(m, row, t);
  if (verdict) return verdict;
  if (Math.abs(m.offset[row]) > t.max_offset) return bySync("offset", m.offset[row], t.max_offset);
  return undefined;
}

/** A stretch that was cut out because its face speaks in it. */
function judgeTurn(m: Measures, row: number): Verdict | undefined {
  const own = m.speaking[row];
  const other = m.other_speaking[row];
  return own < other ? bySync("other_speaks", own, other) : undefined;
}

function judgeSpeaker(m: Measures, row: number, t: SegmentThresholds): Verdict | undefined {
  const lowest = t.min_confidence;
  if (lowest !== null && !(m.confidence[row] >= lowest)) {
    return bySync("not_speaking", m.confidence[row], lowest);
  }
  const own = m.probability[row];
  const other = m.other_probability[row];
  const least = t.min_probability;
  if (own >= least && own >= other) return undefined;
  // Where nothing is known of this face, something may be known of another.
  if (!Number.isNaN(m.other_track[row]) && other >= least && !(own >= other)) {
    return bySync("other_speaks", own, other);
  }
  if (own < t.unsure_probability) {
    const reason = Number.isNaN(m.mouth_motion[row]) ? "not_speaking" : "other_speaks";
    return bySync(reason, own, t.unsure_probability);
  }
  const unsure = bySync("unsure", own, least);
  return m.alone[row] === 1 && t.keep_unsure ? { ...unsure, kept: true } : unsure;
}

function rejected(stage: string, reason: string, value: number, threshold: number): Verdict {
  return { kept: false, stage, reason, value, threshold };
}

function bySync(reason: string, value: number, threshold: number): Verdict {
  return rejected("sync", reason, roundTo4(value), roundTo4(threshold));
}

/** A number to 4 digits after the point as Python's `round` gives it: of two that are equally near,
 * the one whose last digit is even. */
function roundTo4(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value)) return value;
  const rounded = Number(value.toFixed(4));
  // Halfway lie only odd multiples of 1/32, and `toFixed` takes the one away from zero.
  if (Math.abs((value * 32) % 2) !== 1) return rounded;
  const last = Math.round(Math.abs(rounded) * 1e4);
  return last % 2 === 0 ? rounded : Math.sign(value) * ((last - 1) / 1e4);
}
