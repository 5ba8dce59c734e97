/** One threshold: what it means, a slider before its histogram, a field, and "off". */
import { useEffect, useId, useState } from "preact/hooks";
import type { Setting } from "../data/data";
import { count } from "../shared/quantity";
import { type Histogram, countSides } from "./histogram";
import { settingName } from "../data/thresholds";
import { type Bounds, type Value, readValue, writeValue } from "./values";

interface ThresholdControlProps {
  setting: Setting;
  value: Value;
  bounds: Bounds;
  histogram: Histogram | undefined;
  /** What "off" means, where that is not that everything is let through. */
  off: string;
  /** What else is to be said of it. */
  note: string;
  change: (name: string, value: Value) => void;
}

/** The control of one threshold. */
export function ThresholdControl(props: ThresholdControlProps) {
  const { setting, value, note, change } = props;
  const name = settingName(setting);
  const changed = value !== setting.value;
  return (
    <fieldset class={`threshold${changed ? " changed" : ""}`} data-setting={name}>
      <legend><code>{setting.key}</code></legend>
      <p class="meaning">{setting.description.replaceAll("`", "")} {note}</p>
      {typeof setting.value === "boolean"
        ? <YesOrNo name={name} value={value === true} label={setting.key} change={change} />
        : <Numeric {...props} name={name} />}
      <p class="before">
        <span class="quiet">In this run: {inWords(setting)}</span>
        <button type="button" class="link" disabled={!changed} aria-label={`Set ${name} back`}
          onClick={() => change(name, setting.value as Value)}>Set back</button>
      </p>
    </fieldset>
  );
}

function inWords({ value, unit }: Setting): string {
  if (value === null) return "off";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return unit ? `${value} ${unit}` : String(value);
}

interface YesOrNoProps {
  name: string;
  label: string;
  value: boolean;
  change: (name: string, value: Value) => void;
}

function YesOrNo({ name, label, value, change }: YesOrNoProps) {
  return (
    <label class="switch">
      <input type="checkbox" name={name} checked={value}
        onChange={(event) => change(name, event.currentTarget.checked)} />
      {label}: {value ? "yes" : "no"}
    </label>
  );
}

function Numeric(props: ThresholdControlProps & { name: string }) {
  const { setting, value, bounds, histogram, off, change, name } = props;
  const start = typeof setting.value === "number" ? setting.value
    : typeof setting.default === "number" ? setting.default : startOf(histogram);
  // What it was before it was switched off, to which it comes back.
  const [last, setLast] = useState(start);
  useEffect(() => {
    if (typeof value === "number") setLast(value);
  }, [value]);
  const isOff = value === null;
  const shown = typeof value === "number" ? value : last;
  const unit = setting.unit && ` ${setting.unit}`;
  return (
    <>
      {histogram && <Bars histogram={histogram} threshold={isOff ? null : shown} />}
      <input type="range" class="slider" name={`${name} slider`} aria-label={`${name}, slider`}
        min={histogram?.least ?? bounds.least} max={histogram?.most ?? bounds.most}
        step={histogram?.step ?? "any"} value={shown} disabled={isOff}
        aria-valuetext={`${shown}${unit}`}
        onInput={(event) => change(name, within(bounds, event.currentTarget.valueAsNumber))} />
      {histogram && <Sides histogram={histogram} threshold={isOff ? null : shown} off={off} />}
      <div class="exact">
        <NumberField {...props} shown={shown} disabled={isOff} />
        {setting.unit && <span class="quiet">{setting.unit}</span>}
        {setting.nullable && (
          <label class="switch">
            <input type="checkbox" name={`${name} off`} checked={isOff}
              onChange={(event) => change(name, event.currentTarget.checked ? null : last)} />
            off<span class="visually-hidden">, {name}</span>
          </label>
        )}
      </div>
    </>
  );
}

/** Where a threshold that was never given begins: so that it lets everything through. */
function startOf(histogram: Histogram | undefined): number {
  if (!histogram) return 0;
  return histogram.atLeast ? histogram.least : histogram.most;
}

function within({ least, most }: Bounds, value: number): number {
  return Math.min(most, Math.max(least, value));
}

type NumberFieldProps = ThresholdControlProps & { name: string; shown: number; disabled: boolean };

function NumberField({ setting, bounds, name, shown, disabled, change }: NumberFieldProps) {
  const [written, setWritten] = useState(String(shown));
  const id = useId();
  const value = readValue(setting, bounds, written);
  useEffect(() => {
    if (readValue(setting, bounds, written) !== shown) setWritten(writeValue(shown));
  }, [shown]);
  const wrong = value === undefined || value === null;
  return (
    <>
      <input type="text" inputMode="decimal" class="field" name={name} aria-label={name}
        value={written} disabled={disabled} aria-invalid={wrong} aria-describedby={`${id}-error`}
        onInput={(event) => {
          const text = event.currentTarget.value;
          setWritten(text);
          const read = readValue(setting, bounds, text);
          if (typeof read === "number") change(name, read);
        }}
        onBlur={() => setWritten(writeValue(shown))} />
      <span id={`${id}-error`} class="error" role="status">
        {wrong ? allowed(setting, bounds) : ""}
      </span>
    </>
  );
}

function allowed({ integer }: Setting, { least, most }: Bounds): string {
  const kind = integer ? "a whole number" : "a number";
  if (Number.isFinite(least) && Number.isFinite(most)) return `${kind} from ${least} to ${most}`;
  if (Number.isFinite(least)) return `${kind} from ${least}`;
  return Number.isFinite(most) ? `${kind} up to ${most}` : kind;
}

const HEIGHT = 40;

interface SidesProps {
  histogram: Histogram;
  /** null where it is off. */
  threshold: number | null;
}

function Bars({ histogram, threshold }: SidesProps) {
  const { bins, least, most, atLeast } = histogram;
  const id = useId();
  const highest = Math.max(1, ...bins);
  const path = bins.map((count, place) => {
    // Few among many are still to be seen.
    const height = count ? Math.max(1.5, (count / highest) * HEIGHT) : 0;
    return `M${place} ${HEIGHT}V${HEIGHT - height}h1V${HEIGHT}z`;
  }).join("");
  const share = threshold === null ? (atLeast ? 0 : 1) : (threshold - least) / (most - least);
  const at = Math.min(1, Math.max(0, share)) * bins.length;
  const [first, second] = atLeast ? ["missed", "reached"] : ["reached", "missed"];
  return (
    <svg class="bars" viewBox={`0 0 ${bins.length} ${HEIGHT}`} preserveAspectRatio="none"
      aria-hidden="true">
      <clipPath id={`${id}-a`}><rect x="0" y="0" width={at} height={HEIGHT} /></clipPath>
      <clipPath id={`${id}-b`}>
        <rect x={at} y="0" width={bins.length - at} height={HEIGHT} />
      </clipPath>
      <path class={first} d={path} clip-path={`url(#${id}-a)`} />
      <path class={second} d={path} clip-path={`url(#${id}-b)`} />
      {threshold !== null && <path class="at" d={`M${at} 0V${HEIGHT}`} />}
    </svg>
  );
}

function Sides({ histogram, threshold, off }: SidesProps & { off: string }) {
  const { sorted, missing, atLeast } = histogram;
  const unmeasured = missing ? `, ${count(missing)} not measured` : "";
  if (threshold === null) {
    return <p class="sides quiet">{off}: {count(sorted.length)} measured{unmeasured}</p>;
  }
  const [reached, missed] = countSides(histogram, threshold);
  const few = <span class="rejected">{count(missed)} {atLeast ? "below" : "above"}</span>;
  const many = <span class="kept">{count(reached)} {atLeast ? "at or above" : "at or below"}</span>;
  return (
    <p class="sides">
      {atLeast ? few : many}
      {unmeasured && <span class="quiet">{count(missing)} not measured</span>}
      {atLeast ? many : few}
    </p>
  );
}
