/** The rows before and after one in the list that one came from. */
import { clipAddress } from "../filters/filters";
import type { Report } from "../data/report";

/** Where a row stands in its list, and what is beside it. */
export interface Neighbours {
  /** Place in the list from 1; 0 where the row is not in it. */
  place: number;
  count: number;
  /** Addresses of the rows beside it; "" at the ends. */
  previous: string;
  next: string;
}

/** What lies beside `row` in `rows`, which are those of the list with `parameters`, in its order. */
export function neighboursOf(
  report: Report,
  rows: Uint32Array,
  row: number,
  parameters: URLSearchParams,
): Neighbours {
  const at = rows.indexOf(row);
  const address = (place: number) =>
    at >= 0 && place >= 0 && place < rows.length
      ? clipAddress(report, rows[place], parameters)
      : "";
  return { place: at + 1, count: rows.length, previous: address(at - 1), next: address(at + 1) };
}
