/** How many candidates each choice of a filter would show, and how measures are spread. */
import { secondsOf } from "../data/grid";
import { type NumberField, type TextField, numbersOf } from "./fields";
import type { Test } from "./filters";
import type { Report } from "../data/report";

/** By row the tests that it fails: none, one (and which), or more. */
export interface Failures {
  count: Uint8Array;
  /** Place of the test that failed last. */
  which: Uint8Array;
}

const MANY = 255;

/** Counts the tests that every row fails. */
export function failures(length: number, tests: Test[]): Failures {
  const count = new Uint8Array(length);
  const which = new Uint8Array(length);
  tests.forEach(({ passes }, place) => {
    for (let row = 0; row < length; row++) {
      if (!passes[row]) {
        if (count[row] < MANY) count[row]++;
        which[row] = place;
      }
    }
  });
  return { count, which };
}

/** Whether a row passes all tests but that of place `own`, -1 for none. */
function passesOthers({ count, which }: Failures, own: number, row: number): boolean {
  return count[row] === 0 || (count[row] === 1 && which[row] === own);
}

/** Rows of every text of a field, of those that pass all other filters. */
export function textCounts(field: TextField, found: Failures, own: number): Uint32Array {
  const counts = new Uint32Array(field.texts.length);
  for (let row = 0; row < field.codes.length; row++) {
    if (passesOthers(found, own, row)) counts[field.codes[row]]++;
  }
  return counts;
}

/** The scale of a histogram: what is below `from` or above `to` is in the first and last bin. */
export interface Scale {
  from: number;
  to: number;
  /** The least and the largest value, NaN where nothing was measured. */
  least: number;
  most: number;
}

/** Bars of a histogram. */
export const BINS = 28;
const CUT_SHARE = 0.005;

const scales = new WeakMap<NumberField, Scale>();

/** A scale for all rows, that few far values do not stretch. */
export function scaleOf(field: NumberField): Scale {
  let scale = scales.get(field);
  if (!scale) {
    const sorted = field.values.filter((value) => !Number.isNaN(value)).sort();
    const last = sorted.length - 1;
    scale = sorted.length
      ? {
          from: sorted[Math.floor(last * CUT_SHARE)], to: sorted[Math.ceil(last * (1 - CUT_SHARE))],
          least: sorted[0], most: sorted[last],
        }
      : { from: 0, to: 0, least: NaN, most: NaN };
    scales.set(field, scale);
  }
  return scale;
}

/** Rows by bin, of those that pass all other filters. */
export function histogram(field: NumberField, found: Failures, own: number): Uint32Array {
  const { from, to } = scaleOf(field);
  const bins = new Uint32Array(BINS);
  const factor = to > from ? BINS / (to - from) : 0;
  for (let row = 0; row < field.values.length; row++) {
    const value = field.values[row];
    if (Number.isNaN(value) || !passesOthers(found, own, row)) continue;
    const bin = Math.floor((value - from) * factor);
    bins[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin]++;
  }
  return bins;
}

/** How long the stretches of some rows are together, in seconds. */
export function lengthOf(report: Report, rows: Uint32Array): number {
  const frames = numbersOf(report, "n_frames");
  let sum = 0;
  for (const row of rows) if (frames[row] > 0) sum += frames[row];
  return secondsOf(sum);
}
