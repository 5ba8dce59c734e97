/** The filters that are on, each to take off by itself, and what they find. */
import { useMemo, useRef } from "preact/hooks";
import { lengthOf } from "./facets";
import { field } from "./fields";
import { type FilterState, clearFilters, toggleChoice } from "./filter_state";
import { NOT_MEASURED, count, length } from "../shared/quantity";
import { choiceLabel, fullLabel } from "../shared/words";
import "./chips.css";

interface Chip {
  words: string;
  remove: (parameters: URLSearchParams) => void;
}

/** How many rows were found, and how long they are together. */
export function Found({ state }: { state: FilterState }) {
  const { report, rows } = state;
  const found = useMemo(() => lengthOf(report, rows), [report, rows]);
  const all = useMemo(
    () =>
      lengthOf(
        report,
        Uint32Array.from({ length: report.candidates.length }, (_, row) => row),
      ),
    [report],
  );
  return (
    <p role="status" class="found">
      <strong>{count(rows.length)}</strong> of {count(report.candidates.length)} rows,{" "}
      {length(found)} of {length(all)}
    </p>
  );
}

/** A button for every filter that is on. */
export function Chips({ state }: { state: FilterState }) {
  const list = useRef<HTMLDivElement>(null);
  const shown = chips(state);
  if (!shown.length) return null;
  const change = (edit: (parameters: URLSearchParams) => void) => {
    // The button that had the focus is gone then.
    list.current!.focus();
    state.change(edit);
  };
  return (
    <div class="chips" role="group" aria-label="Filters that are on" tabIndex={-1} ref={list}>
      {shown.map(({ words, remove }) => (
        <button
          type="button"
          class="chip"
          key={words}
          aria-label={`Remove the filter ${words}`}
          onClick={() => change(remove)}
        >
          {words} <span aria-hidden="true">{"\u2715"}</span>
        </button>
      ))}
      <button type="button" class="link" onClick={() => change(clearFilters)}>
        Clear all
      </button>
    </div>
  );
}

function chips({ report, filters, parameters }: FilterState): Chip[] {
  const found: Chip[] = [];
  const words = parameters.get("q");
  if (words?.trim())
    found.push({ words: `search: ${words}`, remove: (edited) => edited.delete("q") });
  for (const [column, values] of filters.choices) {
    const numeric = field(report, column)?.kind === "number";
    for (const value of values) {
      const shown = numeric && value === "" ? NOT_MEASURED : choiceLabel(column, value);
      found.push({
        words: `${fullLabel(column)}: ${shown}`,
        remove: (edited) => toggleChoice(edited, column, value),
      });
    }
  }
  for (const [column, { min, max }] of filters.ranges) {
    const unit = field(report, column)?.unit;
    const ends = min === null ? `up to ${max}` : max === null ? `from ${min}` : `${min} to ${max}`;
    found.push({
      words: `${fullLabel(column)}: ${ends}${unit ? ` ${unit}` : ""}`,
      remove: (edited) => {
        edited.delete(`min.${column}`);
        edited.delete(`max.${column}`);
      },
    });
  }
  return found;
}
