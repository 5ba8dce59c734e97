/** A clip's film, or the picture of why a stretch was rejected, large above its row. */
import { useEffect, useRef, useState } from "preact/hooks";
import { number, text } from "../data/data";
import { meaningOf } from "../data/meanings";
import { filmPath, whyPath } from "../data/paths";
import { MarkButtons } from "../marks/marks";
import { type Report, rowName } from "../data/report";
import { measure } from "../shared/quantity";
import "./enlarged.css";

/** What is shown large: the film, or the picture of why. */
export type Shown = "film" | "why";

/** The title of a row's reason; "" where it has none. */
export function reasonOf({ candidates }: Report, row: number): string {
  const reason = text(candidates, "reason", row);
  return reason && meaningOf(text(candidates, "stage", row), reason).title;
}

/** Why a row was rejected or is kept in doubt, in few words. */
export function whyShort(report: Report, row: number): string {
  const { candidates } = report;
  const detail = text(candidates, "detail", row);
  // What `quality` adds are the same numbers again.
  const more =
    detail && text(candidates, "stage", row) !== "quality" ? detail : judged(report, row);
  return [reasonOf(report, row), more].filter(Boolean).join(": ");
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
  const parts = [reasonOf(report, row), judged(report, row)];
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

interface EnlargedProps {
  report: Report;
  row: number;
  shown: Shown;
  /** Whether it lies upwards from its row, as near the end of a list. */
  upwards: boolean;
  /** Whether it lies leftwards, as near the right edge. */
  leftwards?: boolean;
  onClose: () => void;
}

/** The film or picture in its frame, which takes the focus. */
export function Enlarged({ report, row, shown, upwards, leftwards, onClose }: EnlargedProps) {
  const [missing, setMissing] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const name = rowName(report.candidates, row);
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
