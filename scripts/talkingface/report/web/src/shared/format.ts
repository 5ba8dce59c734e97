/** Numbers and times as text. */

const NOT_MEASURED = "not measured";

/** A number with at most `digits` significant digits, without an exponent where that is readable. */
export function formatNumber(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOT_MEASURED;
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 10 ** digits) return String(Math.round(value));
  return String(Number(value.toPrecision(digits)));
}

/** A number with its unit. */
export function formatMeasure(value: number | null | undefined, unit: string): string {
  const words = formatNumber(value);
  return unit && words !== NOT_MEASURED ? `${words} ${unit}` : words;
}

/** A time as h:mm:ss.ff, to the hundredth of a second. */
export function formatTime(seconds: number): string {
  if (!Number.isFinite(seconds)) return NOT_MEASURED;
  const hundredths = Math.round(seconds * 100);
  const two = (value: number) => String(value).padStart(2, "0");
  const whole = Math.floor(hundredths / 100);
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}.${two(hundredths % 100)}`;
}
