/** The filters of the view `clips`: what they find, and how they are changed. */
import { useMemo, useRef } from "preact/hooks";
import { type Failures, failures } from "./facets";
import {
  type Filters,
  type Test,
  listAddress,
  listParameters,
  matchingRows,
  readFilters,
  tests,
} from "./filters";
import { useMarks } from "../marks/mark_store";
import type { Report } from "../data/report";
import { type Route, go, readRoute } from "../shared/route";

/** What the controls of the view share. */
export interface FilterState {
  report: Report;
  /** Parameters of the address that are filters. */
  parameters: URLSearchParams;
  filters: Filters;
  tests: Test[];
  failures: Failures;
  /** Rows that pass all, in order. */
  rows: Uint32Array;
  /** Changes the address. Changes by one control in a row are one step of the history. */
  change: (edit: (parameters: URLSearchParams) => void, control?: string) => void;
}

/** The filters of the address; `onChange` hears of the address that they become. */
export function useFilterState(
  report: Report,
  route: Route,
  onChange: (address: string) => void,
): FilterState {
  const marks = useMarks();
  const query = listParameters(report, route.parameters).toString();
  const control = useRef("");
  return useMemo(() => {
    const parameters = new URLSearchParams(query);
    const filters = readFilters(report, parameters);
    const found = tests(report, filters);
    return {
      report,
      parameters,
      filters,
      tests: found,
      failures: failures(report.candidates.length, found),
      rows: matchingRows(report, parameters),
      change(edit, by = "") {
        // Not those that were drawn last: there may have been a change since.
        const before = listParameters(report, readRoute().parameters);
        const wanted = new URLSearchParams(before);
        edit(wanted);
        const address = listAddress(report, wanted);
        const again = by !== "" && by === control.current;
        control.current = by;
        if (wanted.toString() === before.toString()) return;
        onChange(address);
        go(address, again);
      },
    };
  }, [report, query, marks]);
}

/** Place of a column's test among the tests, -1 where it has none. */
export function testPlace({ tests }: FilterState, column: string): number {
  return tests.findIndex((test) => test.column === column);
}

/** Adds or takes away one choice of a column. */
export function toggleChoice(parameters: URLSearchParams, column: string, value: string): void {
  const values = parameters.getAll(column);
  parameters.delete(column);
  const left = values.includes(value)
    ? values.filter((other) => other !== value)
    : [...values, value];
  for (const each of left) parameters.append(column, each);
}

/** Sets one end of a range; "" takes it away. */
export function setBound(
  parameters: URLSearchParams,
  end: "min" | "max",
  column: string,
  value: string,
): void {
  if (value === "") parameters.delete(`${end}.${column}`);
  else parameters.set(`${end}.${column}`, value);
}

/** Takes away all filters but the order. */
export function clearFilters(parameters: URLSearchParams): void {
  for (const name of [...parameters.keys()]) if (name !== "sort") parameters.delete(name);
}
