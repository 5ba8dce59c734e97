/** Counts, lengths and measures as words. */

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
  if (!Number.isFinite(seconds)) return "not measured";
  if (seconds >= 3600) {
    return `${(seconds / 3600).toLocaleString("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} h`;
  }
  if (seconds >= 60) return `${(seconds / 60).toFixed(1)} min`;
  return seconds >= 10 || Number.isInteger(seconds) ? `${Math.round(seconds)} s` : `${seconds.toFixed(1)} s`;
}

/** A time in a video as h:mm:ss. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "not known";
  const whole = Math.floor(seconds);
  const part = (value: number) => String(value).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${part(Math.floor(whole / 60) % 60)}:${part(whole % 60)}`;
}

/** A part of a whole in percent; "" where the whole is nothing. */
export function share(part: number, whole: number): string {
  if (!(whole > 0)) return "";
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** A measure with as many digits as say something. */
export function measure(value: number, unit = ""): string {
  if (!Number.isFinite(value)) return "not measured";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  const words = value.toLocaleString("en-GB", { maximumFractionDigits: digits });
  if (unit === "frames" && Math.abs(value) === 1) return `${words} frame`;
  if (unit === "°") return `${words}°`;
  return unit ? `${words} ${unit}` : words;
}
