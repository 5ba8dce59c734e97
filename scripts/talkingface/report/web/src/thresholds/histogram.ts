/** The values that one threshold is compared with, sorted and counted for its slider. */
import type { Setting } from "../data/data";
import { niceStep } from "../shared/steps";
import { asksForLeast, measureOf, settingName } from "../data/thresholds";
import type { Prepared } from "./explore";
import type { Measures } from "./judge";
import type { Bounds } from "./values";

const BINS = 60;
const MOST_STEPS = 300;

/** The values of one measure before a slider. */
export interface Histogram {
  /** The measured ones, rising. */
  sorted: Float64Array;
  /** How many have no value. */
  missing: number;
  /** Ends and step of the slider. */
  least: number;
  most: number;
  step: number;
  /** How many are in each of equal parts of the slider; those outside are in the first and last. */
  bins: number[];
  /** Whether the least is asked for, else the most. */
  atLeast: boolean;
}

/** The histogram of what a threshold is compared with; undefined of what has none. */
export function histogramOf(
  prepared: Prepared, setting: Setting, bounds: Bounds,
): Histogram | undefined {
  const values = valuesOf(prepared, setting);
  if (!values) return undefined;
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  const [least, most, step] = scale(sorted, setting, bounds);
  const bins = new Array<number>(BINS).fill(0);
  for (const value of sorted) {
    const place = Math.floor(((value - least) / (most - least)) * BINS);
    bins[Math.min(BINS - 1, Math.max(0, place))]++;
  }
  const missing = values.length - sorted.length;
  return { sorted, missing, least, most, step, bins, atLeast: asksForLeast(setting.key) };
}

function valuesOf(prepared: Prepared, setting: Setting): number[] | undefined {
  const values: number[] = [];
  const sign = asksForLeast(setting.key) ? (value: number) => value : Math.abs;
  if (setting.section === "segments") {
    const measure = measureOf(prepared.report.run, settingName(setting)).replace("segments.", "");
    if (!measure) return undefined;
    const column = prepared.measures[measure as keyof Measures];
    for (let i = 0; i < prepared.length; i++) {
      if (prepared.judged[i]) values.push(sign(column[i]));
    }
    return values;
  }
  const { gates, trusted_certainty } = prepared.report.run;
  const gate = gates.find(({ key }) => key === setting.key);
  if (!gate) return undefined;
  const column = prepared.quality[gate.measure];
  const certainty = gate.certainty ? prepared.quality[gate.certainty] : undefined;
  for (let i = 0; i < prepared.length; i++) {
    if (!prepared.measured[i]) continue;
    if (certainty && !(certainty[i] >= trusted_certainty)) continue;
    values.push(sign(column[i]));
  }
  return values;
}

/** Ends and step of a slider: all that a share may be, of other measures what there is. */
function scale(sorted: Float64Array, setting: Setting, bounds: Bounds): [number, number, number] {
  const stated = [setting.value, setting.default].filter((value) => typeof value === "number");
  let least = bounds.least;
  let most = bounds.most;
  if (!(most - least <= 1)) {
    // A few far values would leave the slider no room for the others.
    const last = sorted.length - 1;
    const seen = last < 0
      ? [] : [sorted[Math.floor(last * 0.002)], sorted[Math.ceil(last * 0.998)]];
    const ends = [...seen, ...stated];
    if (ends.length === 0) ends.push(0, 1);
    const room = (Math.max(...ends) - Math.min(...ends)) * 0.05 || 1;
    least = Math.max(least, Math.min(...ends) - room);
    most = Math.min(most, Math.max(...ends) + room);
  }
  const fine = tidy(niceStep(most - least, MOST_STEPS));
  const step = setting.integer ? Math.max(1, fine) : fine;
  least = Math.max(tidy(Math.floor(least / step) * step), finite(bounds.least, -Infinity));
  most = Math.min(tidy(Math.ceil(most / step) * step), finite(bounds.most, Infinity));
  if (!(most > least)) most = least + step;
  return [least, most, step];
}

function finite(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}

function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

/** How many of the values a threshold lets through, and how many not. */
export function countSides(histogram: Histogram, threshold: number): [number, number] {
  const { sorted, atLeast } = histogram;
  const below = countBelow(sorted, threshold, !atLeast);
  return atLeast ? [sorted.length - below, below] : [below, sorted.length - below];
}

/** How many of some rising values are below another, or `including` those equal to it. */
function countBelow(sorted: Float64Array, value: number, including: boolean): number {
  let first = 0;
  let last = sorted.length;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (including ? sorted[middle] <= value : sorted[middle] < value) first = middle + 1;
    else last = middle;
  }
  return first;
}
