/** Values of the thresholds: as the run had them, as the address says them, as config.yaml does. */
import type { Report } from "../data/report";
import { type Setting, number, text } from "../data/data";
import { settingName } from "../data/thresholds";

/** A value of a threshold; null is off. */
export type Value = number | boolean | null;

/** Values by the settings' names, such as `quality.min_sharpness`; null is off. */
export type Values = Record<string, Value>;

/** The values that the run went by. */
export function runValues(settings: Setting[]): Values {
  return Object.fromEntries(settings.map((each) => [settingName(each), each.value as Value]));
}

/** What a threshold may be, ends included. */
export interface Bounds {
  least: number;
  most: number;
}

/** What a threshold may be: by the schema, and of `min_frames` what changes no cut. */
export function boundsOf(setting: Setting, cut: Bounds): Bounds {
  const least = setting.minimum ?? -Infinity;
  const most = setting.maximum ?? Infinity;
  if (settingName(setting) !== "segments.min_frames") return { least, most };
  return { least: Math.max(least, cut.least), most: Math.min(most, cut.most) };
}

/** Within which values of `min_frames` every track is cut as it was, with `cut: track`.
 *
 * A track that is longer than `max_frames` is cut into equal parts, and only where these would be
 * shorter than `min_frames` into parts of `max_frames` each: see clips/segments.py. Its candidates
 * follow each other without a gap, so that together they are as long as what was cut.
 */
export function cutBounds(report: Report): Bounds {
  const { candidates, run } = report;
  const longest = Number(run.fixed.max_frames);
  const now = Number(run.settings.find(({ key }) => key === "min_frames")?.value);
  const lengths = new Map<string, number>();
  for (let row = 0; row < candidates.length; row++) {
    if (!text(candidates, "clip_id", row)) continue;
    const track = `${number(candidates, "track", row)} ${text(candidates, "video_id", row)}`;
    lengths.set(track, (lengths.get(track) ?? 0) + number(candidates, "n_frames", row));
  }
  // Less than two trims would leave nothing of a track, and is refused.
  let least = 2 * Number(run.fixed.trim_frames ?? 0) + 1;
  let most = longest;
  for (const length of lengths.values()) {
    const parts = Math.ceil(length / longest);
    if (parts < 2) continue;
    const each = Math.floor(length / parts);
    if (each < now) least = Math.max(least, each + 1);
    else most = Math.min(most, each);
  }
  return { least, most };
}

/** The value that a text stands for; undefined where it stands for none that is allowed. */
export function readValue(setting: Setting, bounds: Bounds, written: string): Value | undefined {
  if (typeof setting.value === "boolean") {
    return written === "true" ? true : written === "false" ? false : undefined;
  }
  if (written === "off") return setting.nullable ? null : undefined;
  const value = written.trim() === "" ? NaN : Number(written);
  if (!Number.isFinite(value) || value < bounds.least || value > bounds.most) return undefined;
  return setting.integer && !Number.isInteger(value) ? undefined : value;
}

/** A value as the address has it. */
export function writeValue(value: Value): string {
  return value === null ? "off" : String(value);
}

/** The values in an address; what it does not name, or what is not allowed, is as in the run. */
export function valuesOf(settings: Setting[], cut: Bounds, parameters: URLSearchParams): Values {
  const values = runValues(settings);
  for (const setting of settings) {
    const written = parameters.get(settingName(setting));
    const value = written === null
      ? undefined : readValue(setting, boundsOf(setting, cut), written);
    if (value !== undefined) values[settingName(setting)] = value;
  }
  return values;
}

function changedSettings(settings: Setting[], values: Values): Setting[] {
  return settings.filter((setting) => values[settingName(setting)] !== setting.value);
}

/** What an address says of values: those that are not as in the run. */
export function parametersOf(settings: Setting[], values: Values): Record<string, string> {
  return Object.fromEntries(changedSettings(settings, values).map((setting) => {
    const name = settingName(setting);
    return [name, writeValue(values[name])];
  }));
}

/** The lines of config.yaml that change the values of the run to these, and nothing else. */
export function configLines(settings: Setting[], values: Values): string {
  const lines: string[] = [];
  let section = "";
  for (const setting of changedSettings(settings, values)) {
    if (setting.section !== section) lines.push(`${setting.section}:`);
    section = setting.section;
    lines.push(`  ${setting.key}: ${yaml(values[settingName(setting)])}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** A value as YAML 1.1 reads it, to which `1e-7` is no number. */
function yaml(value: Value): string {
  if (typeof value !== "number") return String(value);
  const written = String(value);
  if (!written.includes("e")) return written;
  if (Number.isInteger(value)) return BigInt(value).toString();
  let digits = 1;
  while (digits < 100 && Number(value.toFixed(digits)) !== value) digits++;
  return value.toFixed(digits);
}
