/** The worst clips of a measure, each with a picture. */
import { useState } from "preact/hooks";
import { number } from "../data/data";
import { stripPath } from "../data/paths";
import type { Measure } from "../data/measures";
import { type Report, rowKey } from "../data/report";
import { address } from "../shared/route";

/** A list of few clips, with what was measured of each. */
export function Worst({ report, of, rows, words }: {
  report: Report;
  of: Measure;
  rows: number[];
  words: (row: number) => string;
}) {
  if (!rows.length) return null;
  return (
    <>
      <h3>{of.worstTitle}</h3>
      <ol class="worst">
        {rows.map((row) => (
          <li key={row}>
            <a href={clipLink(report, of, row)} aria-label={`${rowKey(report.candidates, row)}, ${words(row)}`} title={rowKey(report.candidates, row)}>
              <Thumb report={report} row={row} frame={of.frame} />
              <span>{words(row)}</span>
            </a>
          </li>
        ))}
      </ol>
    </>
  );
}

/** The view of a clip, from which one goes on to the next worst. */
function clipLink(report: Report, of: Measure, row: number): string {
  // What is farthest from a number cannot be sorted by.
  const sort = "end" in of.worst ? (of.worst.end === "least" ? of.column : `-${of.column}`) : "";
  return address("clip", { id: rowKey(report.candidates, row), verdict: "kept", sort });
}

/** One picture of a clip's strip: the one nearest to the frame that a column names, or the middle. */
function Thumb({ report, row, frame }: { report: Report; row: number; frame?: string }) {
  const [missing, setMissing] = useState(false);
  const { candidates, run } = report;
  const pictures = Math.min(number(candidates, "preview.pictures", row), run.strip.pictures);
  const path = stripPath(report, row);
  if (missing || !path) return <span class="thumb quiet">no picture</span>;
  const last = number(candidates, "n_frames", row) - 1;
  const at = frame ? number(candidates, frame, row) / last : NaN;
  const part = Number.isFinite(at) ? Math.min(Math.max(at, 0), 1) : 0.5;
  const place = Math.round(part * (pictures - 1)) / Math.max(pictures - 1, 1);
  return (
    <img
      class="thumb"
      src={path}
      alt=""
      loading="lazy"
      decoding="async"
      style={{ objectPosition: `${100 * place}% 50%` }}
      onError={() => setMissing(true)}
    />
  );
}
