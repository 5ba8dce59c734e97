/** Counts, lengths, times and measures as words. All views say them by this module. */

/** What is said in place of a measure that there is not. */
export const NOT_MEASURED = "not measured";

/** A count with thousands apart. */
export function count(value: number): string {
  return value.toLocaleString("en-GB");
}

/** A count with its noun, such as "1 clip" or "1,204 clips". */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** A length as people say it: hours, or minutes or seconds where there is less. */
export function length(seconds: number): string {
  if (!Number.isFinite(seconds)) return NOT_MEASURED;
  if (seconds >= 3600) {
    return `${(seconds / 3600).toLocaleString("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} h`;
  }
  if (seconds >= 60) return `${(seconds / 60).toFixed(1)} min`;
  return seconds >= 10 || Number.isInteger(seconds) ? `${Math.round(seconds)} s` : `${seconds.toFixed(1)} s`;
}

/** Two amounts in words as one, or as a range where they are not the same. */
export function range(least: number, most: number, words: (value: number) => string): string {
  const [first, last] = [words(least), words(most)];
  return first === last ? first : `${first} to ${last}`;
}

/** A time in a video as h:mm:ss. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "not known";
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** A time in a video as h:mm:ss.ff, to the hundredth of a second. */
export function exactClock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "not known";
  const hundredths = Math.round(seconds * 100);
  return `${clock(Math.floor(hundredths / 100))}.${two(hundredths % 100)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** A part of a whole in percent; "" where the whole is nothing. */
export function share(part: number, whole: number): string {
  if (!(whole > 0)) return "";
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)} %`;
}

const MEASURE = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 4, useGrouping: false });

/** A measure with at most four significant digits, of whole numbers with all, and its unit. */
export function measure(value: number | null | undefined, unit = ""): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOT_MEASURED;
  const words = Number.isInteger(value) ? String(value) : MEASURE.format(value);
  if (unit === "frames" && Math.abs(value) === 1) return `${words} frame`;
  if (unit === "°") return `${words}°`;
  return unit ? `${words} ${unit}` : words;
}
