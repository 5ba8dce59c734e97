/** The rows before and after one in the list that one came from. */
import * as filters from "./filters";
import { type Report, rowKey } from "./report";

/** Of the view `clip` itself; all others are the list's. */
const OWN = ["id", "frame"];

export interface Neighbours {
  /** Place in the list from 1; 0 where the row is not in it. */
  place: number;
  count: number;
  /** Keys of the rows beside it; "" at the ends. */
  previous: string;
  next: string;
}

/** The parameters of the list that are among those of the view `clip`. */
export function listParameters(parameters: URLSearchParams): URLSearchParams {
  const found = new URLSearchParams(parameters);
  for (const name of OWN) found.delete(name);
  return found;
}

/** The address of a row in the view `clip`, with the list that it was found in. */
export function clipAddress(key: string, list: URLSearchParams, frame?: number): string {
  const parameters = new URLSearchParams([["id", key], ...list]);
  if (frame !== undefined) parameters.set("frame", String(frame));
  return `#clip?${parameters}`;
}

/** The rows of the list in its order. */
export function listRows(report: Report, list: URLSearchParams): ArrayLike<number> {
  return filters.matchingRows(report, list);
}

export function neighboursOf(report: Report, rows: ArrayLike<number>, row: number): Neighbours {
  const at = Array.prototype.indexOf.call(rows, row);
  const key = (place: number) => (
    at >= 0 && place >= 0 && place < rows.length ? rowKey(report.candidates, rows[place]) : ""
  );
  return { place: at + 1, count: rows.length, previous: key(at - 1), next: key(at + 1) };
}
