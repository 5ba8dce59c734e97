/** One candidate in the list of clips: a row of a table, two lines on a phone, or a tile. */
import type { ComponentChildren } from "preact";
import { text } from "../data/data";
import { secondsOf } from "../data/grid";
import { videoRow } from "../data/video_rows";
import { type Field, field, numbersOf } from "../filters/fields";
import { clipAddress } from "../filters/filters";
import type { ListColumn } from "./list_columns";
import { MarkButtons } from "../marks/marks";
import { Enlarged, type Shown, reasonOf, why, whyShort } from "./enlarged";
import { filmPath, whyPath } from "../data/paths";
import { type Report, rowKind, rowName } from "../data/report";
import { Strip } from "../shared/strip";
import { NOT_MEASURED, clock, length, measure } from "../shared/quantity";
import { choiceLabel } from "../shared/words";

/** What a row or tile shows. */
export interface ClipRowProps {
  report: Report;
  row: number;
  /** Place in the list, from 0. */
  place: number;
  columns: ListColumn[];
  /** Whether the focus is on it, or would be. */
  active: boolean;
  /** What is shown large above it. */
  shown: Shown | null;
  /** Whether that lies upwards. */
  upwards: boolean;
  /** Whether it and the note lie leftwards. */
  leftwards?: boolean;
  parameters: URLSearchParams;
  onShow: (place: number, shown: Shown | null) => void;
}

/** A row of the table. */
export function ClipRow(props: ClipRowProps) {
  const { report, row, place, columns } = props;
  return (
    <div class={`clip${props.upwards ? " upwards" : ""}`} data-place={place}>
      <div role="gridcell" class="place number">
        {place + 1}
      </div>
      <div role="gridcell" class="picture">
        <Picture {...props} size={64} />
      </div>
      <div role="gridcell" class="name">
        <Name report={report} row={row} />
      </div>
      <div role="gridcell" class="actions">
        <Actions {...props} />
      </div>
      {columns.map(({ name, numeric }) => (
        <div key={name} role="gridcell" class={numeric ? "number" : "text"}>
          {name === "verdict" ? (
            <Verdict report={report} row={row} />
          ) : name === "reason" ? (
            <span title={why(report, row)}>{whyShort(report, row)}</span>
          ) : (
            <Value report={report} name={name} row={row} />
          )}
        </div>
      ))}
      <Large {...props} />
    </div>
  );
}

/** The same in two lines. */
export function NarrowClipRow(props: ClipRowProps) {
  const { report, row, place } = props;
  return (
    <div class={`clip narrow${props.upwards ? " upwards" : ""}`} data-place={place}>
      <div role="gridcell" class="picture">
        <Picture {...props} size={72} />
      </div>
      <div role="gridcell" class="name">
        <Name report={report} row={row} place={place} />
      </div>
      <div role="gridcell" class="judged">
        <Verdict report={report} row={row} />{" "}
        <span class="quiet">{whyShort(report, row) || summary(report, row)}</span>
      </div>
      <div role="gridcell" class="actions">
        <Actions {...props} />
      </div>
      <Large {...props} />
    </div>
  );
}

/** A tile of the gallery. */
export function ClipTile(props: ClipRowProps & { size: number }) {
  const { report, row, place, size } = props;
  return (
    <div
      role="gridcell"
      class={`clip tile${props.upwards ? " upwards" : ""}${props.leftwards ? " leftwards" : ""}`}
      data-place={place}
      style={{ width: `${size}px` }}
    >
      <Picture {...props} size={size} />
      <div class="name">
        <Name report={report} row={row} place={place} />
      </div>
      <div class="judged">
        <Verdict report={report} row={row} />
        <span class="quiet">
          {reasonOf(report, row) || summary(report, row)}
        </span>
      </div>
      <div class="actions">
        <Actions {...props} />
      </div>
      <Large {...props} />
    </div>
  );
}

function Picture({
  report,
  row,
  place,
  active,
  parameters,
  size,
}: ClipRowProps & { size: number }) {
  const name = rowName(report.candidates, row);
  return (
    <Strip
      report={report}
      row={row}
      size={size}
      href={clipAddress(report, row, parameters)}
      tabIndex={active ? 0 : -1}
      label={`${name}, ${text(report.candidates, "verdict", row)}, place ${place + 1}`}
    />
  );
}

function Actions({ report, row, place, active, shown, onShow }: ClipRowProps) {
  const name = rowName(report.candidates, row);
  const tabIndex = active ? 0 : -1;
  const button = (what: Shown, sign: ComponentChildren, label: string, title: string) => (
    <button
      type="button"
      class="show"
      tabIndex={tabIndex}
      aria-expanded={shown === what}
      aria-label={label}
      title={title}
      onClick={() => onShow(place, shown === what ? null : what)}
    >
      {sign}
    </button>
  );
  return (
    <>
      {filmPath(report, row) &&
        button("film", <span aria-hidden="true">{"\u25b6"}</span>, `Play ${name}`, "Play (p)")}
      {whyPath(report, row) &&
        button(
          "why",
          <span aria-hidden="true">?</span>,
          `Show why ${name} was rejected`,
          "Show why (w)",
        )}
      <MarkButtons
        report={report}
        clip={text(report.candidates, "clip_id", row)}
        compact
        tabIndex={tabIndex}
      />
    </>
  );
}

function Large({ report, row, place, shown, upwards, leftwards, onShow }: ClipRowProps) {
  if (!shown) return null;
  return (
    <div role="gridcell">
      <Enlarged
        report={report}
        row={row}
        shown={shown}
        upwards={upwards}
        leftwards={leftwards}
        onClose={() => onShow(place, null)}
      />
    </div>
  );
}

function Name({ report, row, place }: { report: Report; row: number; place?: number }) {
  const name = rowName(report.candidates, row);
  const kind = rowKind(report.candidates, row);
  const video = videoRow(report, row);
  const title = video < 0 ? "" : text(report.videos, "title", video);
  return (
    <>
      <span class="clip-name" title={name}>
        {place !== undefined && <span class="quiet">{place + 1}. </span>}
        {name}
      </span>
      <span class="quiet" title={title}>
        {kind === "candidate"
          ? title
          : [kind === "video" ? "whole video" : gap(report, row), title].filter(Boolean).join(": ")}
      </span>
    </>
  );
}

function Verdict({ report, row }: { report: Report; row: number }) {
  const verdict = text(report.candidates, "verdict", row);
  const unsure = verdict === "kept" && text(report.candidates, "reason", row) === "unsure";
  const sign = verdict === "rejected" ? "\u2715" : unsure ? "?" : "\u2713";
  return (
    <span class={`verdict ${unsure ? "unsure" : verdict}`}>
      <span aria-hidden="true">{sign}</span> {verdict}
    </span>
  );
}

function Value({ report, name, row }: { report: Report; name: string; row: number }) {
  const of = field(report, name);
  if (of?.kind === "number" && Number.isNaN(of.values[row])) {
    return (
      <span class="quiet" title={NOT_MEASURED}>
        <span aria-hidden="true">{"\u2013"}</span>
        <span class="visually-hidden">{NOT_MEASURED}</span>
      </span>
    );
  }
  const shown = cell(name, of, row);
  return <span title={shown}>{shown}</span>;
}

/** What a row has in a field, as text. */
function cell(name: string, field: Field | undefined, row: number): string {
  if (!field) return "";
  if (field.kind === "number") return measure(field.values[row]);
  const value = field.texts[field.codes[row]];
  return value === "" ? "" : choiceLabel(name, value);
}

/** Length and sync of a row in a few words. */
function summary(report: Report, row: number): string {
  const parts: string[] = [];
  const seconds = numbersOf(report, "duration")[row];
  const probability = numbersOf(report, "segments.probability")[row];
  if (!Number.isNaN(seconds)) parts.push(length(seconds));
  if (!Number.isNaN(probability)) parts.push(`sync ${probability.toFixed(2)}`);
  return parts.join(", ");
}

function gap(report: Report, row: number): string {
  const start = secondsOf(numbersOf(report, "start_frame")[row]);
  const end = secondsOf(numbersOf(report, "end_frame")[row]);
  return `gap, ${clock(start)} to ${clock(end)}`;
}
