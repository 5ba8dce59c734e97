/** Values sorted into ranges. */
import { niceStep } from "../shared/steps";

/** The values of one side in a range: how many, and the least and most of them. */
export interface Side {
  count: number;
  least: number;
  most: number;
}

/** A range of values as they are shown; the first and last have all that is beyond them, too. */
export interface Bin {
  from: number;
  to: number;
  kept: Side;
  rejected: Side;
}

/** Values in a few numbers. */
export interface Summary {
  count: number;
  low: number;
  median: number;
  high: number;
  /** How many of the values are from `low` to `high`, in words. */
  part: string;
}

// Of fewer values percentiles say nothing.
const FEW = 20;
const MOST_BINS = 24;

/** Median, and 5th and 95th percentile, or least and most of few; NaN of nothing. */
export function summarise(values: Float64Array): Summary {
  const found = values.filter((value) => !Number.isNaN(value)).sort();
  const at = (part: number) => (found.length ? found[Math.round(part * (found.length - 1))] : NaN);
  const tail = found.length < FEW ? 0 : 0.05;
  const half = (found.length - 1) / 2;
  const median = (found[Math.floor(half)] + found[Math.ceil(half)]) / 2;
  return {
    count: found.length, low: at(tail), median, high: at(1 - tail),
    part: tail ? "nine in ten" : "all",
  };
}

/**
 * The ends of the ranges for values: far values do not stretch them. A value at an end is in the
 * range that begins there, but the `greatest` that there can be, at which the last range ends.
 */
export function edges(
  values: Float64Array, whole: boolean, most = MOST_BINS, greatest = Infinity,
): number[] {
  const found = values.filter((value) => !Number.isNaN(value)).sort();
  if (!found.length) return [];
  let [low, high] = [found[0], found[found.length - 1]];
  const at = (part: number) => found[Math.round(part * (found.length - 1))];
  const [inner, outer] = [at(0.005), at(0.995)];
  if (high - low > 2 * (outer - inner) && outer > inner) [low, high] = [inner, outer];
  let step = niceStep(high > low || greatest === Infinity ? high - low : greatest, most);
  if (whole) step = Math.max(1, step);
  // Whole numbers stand in the middle of their range.
  const shift = whole && step === 1 ? 0.5 : 0;
  const last = Math.min(Math.floor((high + shift) / step) + 1, Math.round(greatest / step));
  const first = Math.min(Math.floor((low + shift) / step), last - 1);
  return Array.from({ length: last - first + 1 }, (_, place) => (
    Number(((first + place) * step - shift).toPrecision(12))
  ));
}

/** The place of a value among ranges with these ends. */
export function binOf(value: number, ends: number[]): number {
  let [low, high] = [0, ends.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (value >= ends[middle]) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Sorts what was measured, each value times `factor`, into ranges; `kept` says of which side. */
export function histogram(
  values: Float64Array, kept: Uint8Array, factor: number, whole: boolean, greatest?: number,
): Bin[] {
  const ends = edges(values.map((value) => value * factor), whole, MOST_BINS, greatest);
  const side = (): Side => ({ count: 0, least: Infinity, most: -Infinity });
  const bins = ends.slice(1).map((to, place): Bin => (
    { from: ends[place], to, kept: side(), rejected: side() }
  ));
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (Number.isNaN(value)) continue;
    const bin = bins[binOf(value * factor, ends)];
    addTo(kept[row] ? bin.kept : bin.rejected, value);
  }
  return bins;
}

/** Counts a value into a side. */
export function addTo(side: Side, value: number): void {
  side.count += 1;
  if (value < side.least) side.least = value;
  if (value > side.most) side.most = value;
}
