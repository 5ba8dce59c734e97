/** The heads of the list of clips, which sort it. */
import { field } from "../filters/fields";
import type { FilterState } from "../filters/filter_state";
import type { ListColumn } from "./list_columns";
import { fullLabel, label } from "../shared/words";

/** Sorts by a column, the other way when it is sorted by it; "" is the order of the ledgers. */
function sortBy(state: FilterState, column: string, down?: boolean): void {
  const { sort } = state.filters;
  const other = down ?? (sort?.column === column && !sort.down);
  state.change((parameters) => {
    if (!column) parameters.delete("sort");
    else parameters.set("sort", `${other ? "-" : ""}${column}`);
  });
}

/** The heads of all columns. */
export function ListHead({ state, columns }: { state: FilterState; columns: ListColumn[] }) {
  return (
    <div class="clip head">
      <div
        role="columnheader"
        class="place number"
        aria-sort={state.filters.sort ? "none" : "ascending"}
      >
        <button
          type="button"
          title="In the order of the videos"
          aria-label="Place, in the order of the videos"
          onClick={() => sortBy(state, "")}
        >
          #
        </button>
      </div>
      <div role="columnheader" class="picture">
        Pictures
      </div>
      <Head state={state} name="clip_id" numeric={false} />
      <Head state={state} name="decision" numeric={false} />
      {columns.map(({ name, numeric }) => (
        <Head key={name} state={state} name={name} numeric={numeric} />
      ))}
    </div>
  );
}

function Head({ state, name, numeric }: { state: FilterState; name: string; numeric: boolean }) {
  const { sort } = state.filters;
  const of = field(state.report, name);
  const sorted = sort?.column === name ? (sort.down ? "descending" : "ascending") : "none";
  return (
    <div role="columnheader" class={numeric ? "number" : "text"} aria-sort={sorted}>
      <button type="button" title={of?.meaning} onClick={() => sortBy(state, name)}>
        {fullLabel(name)}
        {of?.unit && of.unit !== label(name) && <span class="unit"> {of.unit}</span>}
        <span class="way" aria-hidden="true">
          {sorted === "none" ? "" : sorted === "ascending" ? " \u25b2" : " \u25bc"}
        </span>
      </button>
    </div>
  );
}

/** The same as a choice, for lists without heads. */
export function SortChoice({ state, columns }: { state: FilterState; columns: string[] }) {
  const { sort } = state.filters;
  const names = [...new Set(["clip_id", "decision", ...columns, ...(sort ? [sort.column] : [])])];
  return (
    <div class="sorted">
      <label>
        <span>Sort by</span>
        <select
          value={sort?.column ?? ""}
          onChange={(event) => sortBy(state, event.currentTarget.value, false)}
        >
          <option value="">order of the videos</option>
          {names
            .filter((name) => field(state.report, name))
            .map((name) => (
              <option key={name} value={name}>
                {fullLabel(name)}
              </option>
            ))}
        </select>
      </label>
      <button
        type="button"
        disabled={!sort}
        aria-label={sort?.down ? "Largest first" : "Smallest first"}
        title={sort?.down ? "Largest first" : "Smallest first"}
        onClick={() => sortBy(state, sort!.column)}
      >
        <span aria-hidden="true">{sort?.down ? "\u25bc" : "\u25b2"}</span>
      </button>
    </div>
  );
}
