/** A clip's film, or the picture of why a stretch was rejected, large above its row. */
import { useEffect, useRef, useState } from "preact/hooks";
import { number, resultPath, text } from "../data/data";
import { videoRow } from "../data/video_rows";
import { rowKind } from "../filters/fields";
import { MarkButtons } from "../marks/marks";
import type { Report } from "../data/report";
import { measure } from "../shared/quantity";
import { choiceLabel } from "../shared/words";

export type Shown = "film" | "why";

/** The path of a row's film; "" where none was made. */
export function filmPath(report: Report, row: number): string {
  const pattern = report.run.products.video;
  const clip = text(report.candidates, "clip_id", row);
  if (!pattern || !clip || Number.isNaN(number(report.candidates, "clips.width", row))) return "";
  const video = text(report.candidates, "video_id", row);
  return resultPath(pattern.replaceAll("{video}", video).replaceAll("{clip}", clip));
}

/** The path of the picture that shows why; "" where there cannot be one. */
export function whyPath(report: Report, row: number): string {
  const { candidates } = report;
  if (text(candidates, "verdict", row) !== "rejected") return "";
  const video = text(candidates, "video_id", row);
  const kind = rowKind(candidates, row);
  // Of a video that was not had there is nothing to look at.
  const had =
    videoRow(report, row) >= 0 && text(report.videos, "status", videoRow(report, row)) === "ok";
  if (kind === "video" && !had) return "";
  if (kind === "video") return resultPath(`preview/${video}/${video}.why.jpg`);
  if (kind === "gap" || !(number(candidates, "preview.cause_frame", row) >= 0)) return "";
  return resultPath(`preview/${video}/${text(candidates, "clip_id", row)}.why.jpg`);
}

/** Why a row was rejected or is kept in doubt, in few words. */
export function whyShort(report: Report, row: number): string {
  const { candidates } = report;
  const reason = text(candidates, "reason", row);
  const detail = text(candidates, "detail", row);
  // What `quality` adds are the same numbers again.
  const more =
    detail && text(candidates, "stage", row) !== "quality" ? detail : judged(report, row);
  return [reason && choiceLabel("reason", reason), more].filter(Boolean).join(": ");
}

/** What was measured, and what it was compared with. */
function judged({ candidates }: Report, row: number): string {
  const value = number(candidates, "value", row);
  const threshold = number(candidates, "threshold", row);
  if (Number.isNaN(value)) return "";
  return Number.isNaN(threshold)
    ? measure(value)
    : `${measure(value)} (threshold ${measure(threshold)})`;
}

/** The same with all that there is. */
export function why(report: Report, row: number): string {
  const { candidates } = report;
  const reason = text(candidates, "reason", row);
  const detail = text(candidates, "detail", row);
  const parts = [reason && choiceLabel("reason", reason), judged(report, row)];
  if (detail && detail !== reason) parts.push(detail);
  return parts.filter(Boolean).join(": ");
}

const STEERING = new Set([
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "ArrowRight",
  "Home",
  "End",
  "PageUp",
  "PageDown",
  " ",
]);

export interface EnlargedProps {
  report: Report;
  row: number;
  shown: Shown;
  /** Whether it lies upwards from its row, as near the end of a list. */
  upwards: boolean;
  /** Whether it lies leftwards, as near the right edge. */
  leftwards?: boolean;
  onClose: () => void;
}

export function Enlarged({ report, row, shown, upwards, leftwards, onClose }: EnlargedProps) {
  const [missing, setMissing] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const name = text(report.candidates, "clip_id", row) || text(report.candidates, "video_id", row);
  useEffect(() => {
    setMissing(false);
    frame.current!.querySelector<HTMLElement>("video, .close")?.focus({ preventScroll: true });
    frame.current!.scrollIntoView({ block: "nearest" });
  }, [row, shown]);
  return (
    <div
      ref={frame}
      class={`enlarged${upwards ? " upwards" : ""}${leftwards ? " leftwards" : ""}`}
      role="group"
      aria-label={shown === "film" ? `Film of ${name}` : `Why ${name} was rejected`}
      onKeyDown={(event) => {
        // These steer the film and are not meant for the list then; marks are.
        if (STEERING.has(event.key)) event.stopPropagation();
      }}
    >
      {missing ? (
        <p class="none">
          {shown === "film" ? "This film cannot be played here." : "There is no picture of it."}
        </p>
      ) : shown === "film" ? (
        <video
          src={filmPath(report, row)}
          controls
          autoplay
          playsInline
          onError={() => setMissing(true)}
        />
      ) : (
        <img
          src={whyPath(report, row)}
          alt={why(report, row) || "rejected"}
          decoding="async"
          onError={() => setMissing(true)}
        />
      )}
      <div class="caption">
        <span>{shown === "why" ? why(report, row) : name}</span>
        <MarkButtons report={report} clip={text(report.candidates, "clip_id", row)} compact />
        <button type="button" class="close" onClick={onClose}>
          Close
        </button>
      </div>
    </div>
  );
}
