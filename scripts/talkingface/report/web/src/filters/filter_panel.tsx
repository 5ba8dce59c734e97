/** The filters of the view `clips`: one for every column of the candidates. */
import { useMemo, useState } from "preact/hooks";
import { type NumberField, type TextField, field, fieldNames } from "./fields";
import { BINS, histogram, scaleOf, textCounts } from "./facets";
import { type FilterState, setBound, testPlace, toggleChoice } from "./filter_state";
import { count, measure } from "../shared/quantity";
import { choiceLabel, fullLabel, groupOf, label } from "../shared/words";
import "./filter_panel.css";

/** Those that are used most. */
const FIRST = [
  "verdict",
  "reason",
  "decision",
  "identity",
  "split",
  "duration",
  "segments.probability",
  "segments.offset",
  "segments.speech_share",
  "quality.yaw_range",
  "quality.pitch_range",
  "quality.sharpness",
  "segments.face_height",
];
/** Nearly every row has a text of its own here; the search finds them. */
const UNLISTED = new Set(["clip_id"]);
const MOST_CHOICES = 8;
const MOST_FOUND = 40;
const GROUPS: Record<string, string> = { candidate: "Candidate", video: "Video" };

/** The search, the filters that are used most, and all others by stage. */
export function FilterPanel({ state }: { state: FilterState }) {
  const { report, filters } = state;
  const all = useMemo(
    () => fieldNames(report).filter((name) => !UNLISTED.has(name) && field(report, name)),
    [report],
  );
  const active = new Set([...filters.choices.keys(), ...filters.ranges.keys()]);
  const first = FIRST.filter((name) => all.includes(name));
  const more = all.filter((name) => !FIRST.includes(name));
  const groups = [...new Set(more.map(groupOf))];
  return (
    <div class="filters">
      <Search state={state} />
      {[...first, ...more.filter((name) => active.has(name))].map((name) => (
        <Filter key={name} name={name} state={state} />
      ))}
      <h2>More filters</h2>
      {groups.map((group) => (
        <Group
          key={group}
          name={group}
          columns={more.filter((name) => groupOf(name) === group && !active.has(name))}
          state={state}
        />
      ))}
    </div>
  );
}

function Group({ name, columns, state }: { name: string; columns: string[]; state: FilterState }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="group" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {GROUPS[name] ?? `Stage ${name}`} <span class="quiet">({columns.length})</span>
      </summary>
      {open && columns.map((column) => <Filter key={column} name={column} state={state} />)}
    </details>
  );
}

function Search({ state }: { state: FilterState }) {
  const value = state.parameters.get("q") ?? "";
  return (
    <div class="filter">
      <label for="filter-q">Search</label>
      <input
        id="filter-q"
        type="search"
        placeholder="clip, video, title, uploader"
        value={value}
        onInput={(event) => {
          const words = event.currentTarget.value;
          state.change(
            (parameters) => (words.trim() ? parameters.set("q", words) : parameters.delete("q")),
            "q",
          );
        }}
      />
    </div>
  );
}

function Filter({ name, state }: { name: string; state: FilterState }) {
  const of = field(state.report, name);
  if (!of) return null;
  return of.kind === "number" ? (
    <RangeFilter name={name} of={of} state={state} />
  ) : (
    <ChoiceFilter name={name} of={of} state={state} />
  );
}

function RangeFilter({ name, of, state }: { name: string; of: NumberField; state: FilterState }) {
  const scale = scaleOf(of);
  const own = testPlace(state, name);
  const bins = useMemo(() => histogram(of, state.failures, own), [of, state.failures, own]);
  const unmeasured = useMemo(
    () => of.values.reduce((sum, value) => sum + Number(Number.isNaN(value)), 0),
    [of],
  );
  const range = state.filters.ranges.get(name);
  const chosen = state.filters.choices.get(name);
  const title = fullLabel(name);
  if (Number.isNaN(scale.least)) return null;
  const exact = [...(chosen ?? [])].filter((value) => value !== "").join(", ");
  const bound = (end: "min" | "max", words: string) => (
    <label>
      <span>{words}</span>
      <NumberInput
        label={`${title}, ${words}${of.unit ? `, ${of.unit}` : ""}`}
        placeholder={measure(end === "min" ? scale.least : scale.most)}
        value={String(range?.[end] ?? "")}
        onValue={(value) =>
          state.change((parameters) => setBound(parameters, end, name, value), `${end}.${name}`)
        }
      />
    </label>
  );
  return (
    <fieldset class="filter">
      <legend title={of.meaning}>
        {title}
        {of.unit && <span class="quiet"> ({of.unit})</span>}
      </legend>
      <p class="meaning">{of.meaning}</p>
      <Histogram
        bins={bins}
        from={scale.from}
        to={scale.to}
        min={range?.min ?? null}
        max={range?.max ?? null}
      />
      <div class="range">
        {bound("min", "from")}
        {bound("max", "to")}
      </div>
      {exact && <p class="meaning">exactly {exact}</p>}
      {(unmeasured > 0 || chosen?.has("")) && (
        <label class="choice">
          <input
            type="checkbox"
            checked={chosen?.has("") ?? false}
            onChange={() => state.change((parameters) => toggleChoice(parameters, name, ""))}
          />
          <span class="name">{range ? "also" : "only"} where not measured</span>
          <span class="quiet">{count(unmeasured)}</span>
        </label>
      )}
    </fieldset>
  );
}

/** A field for a number that keeps what is written, such as `0.50`, while it has the focus. */
function NumberInput({
  label,
  placeholder,
  value,
  onValue,
}: {
  label: string;
  placeholder: string;
  value: string;
  onValue: (value: string) => void;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <input
      type="number"
      step="any"
      aria-label={label}
      placeholder={placeholder}
      value={draft ?? value}
      onInput={(event) => {
        const { value: written, validity } = event.currentTarget;
        if (validity.badInput) return;
        setDraft(written);
        onValue(written);
      }}
      onBlur={() => setDraft(null)}
    />
  );
}

const HEIGHT = 28;

/** Bars of how many rows there are; those outside the range are pale. */
function Histogram({
  bins,
  from,
  to,
  min,
  max,
}: {
  bins: Uint32Array;
  from: number;
  to: number;
  min: number | null;
  max: number | null;
}) {
  const most = Math.max(1, ...bins);
  const width = (to - from) / BINS;
  const paths = { inside: "", outside: "" };
  bins.forEach((rows, place) => {
    if (!rows) return;
    const left = from + place * width;
    const inside = (max === null || left <= max) && (min === null || left + width >= min);
    // Square roots, so that single rows are seen beside thousands.
    const height = Math.max(1.5, HEIGHT * Math.sqrt(rows / most));
    paths[inside ? "inside" : "outside"] += `M${place},${HEIGHT}v${-height}h.85v${height}z`;
  });
  return (
    <svg
      class="histogram"
      viewBox={`0 0 ${BINS} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="outside" d={paths.outside} />
      <path class="inside" d={paths.inside} />
    </svg>
  );
}

function ChoiceFilter({ name, of, state }: { name: string; of: TextField; state: FilterState }) {
  const [search, setSearch] = useState("");
  const [all, setAll] = useState(false);
  const own = testPlace(state, name);
  const counts = useMemo(() => textCounts(of, state.failures, own), [of, state.failures, own]);
  const chosen = state.filters.choices.get(name);
  const title = fullLabel(name);
  const many = of.texts.length > MOST_CHOICES;
  const words = search.toLowerCase();
  const choices = of.texts
    .map((value, place) => ({
      value,
      rows: counts[place],
      chosen: chosen?.has(value) ?? false,
      words: choiceLabel(name, value),
    }))
    .filter(
      (choice) =>
        choice.chosen ||
        (words ? choice.words.toLowerCase().includes(words) : choice.rows > 0 || !many),
    )
    .sort((a, b) => Number(b.chosen) - Number(a.chosen) || b.rows - a.rows);
  for (const value of chosen ?? []) {
    if (!of.texts.includes(value))
      choices.unshift({ value, rows: 0, chosen: true, words: choiceLabel(name, value) });
  }
  const shown = choices.slice(0, all || words ? MOST_FOUND : MOST_CHOICES);
  if (of.texts.length < 2 && !chosen) return null;
  return (
    <fieldset class="filter">
      <legend title={of.meaning}>{title}</legend>
      {groupOf(name) !== "candidate" && of.meaning !== label(name) && (
        <p class="meaning">{of.meaning}</p>
      )}
      {many && (
        <input
          type="search"
          aria-label={`Find a choice of ${title}`}
          placeholder={`find one of ${count(of.texts.length)}`}
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      {shown.map((choice) => (
        <label class="choice" key={choice.value}>
          <input
            type="checkbox"
            checked={choice.chosen}
            onChange={() =>
              state.change((parameters) => toggleChoice(parameters, name, choice.value))
            }
          />
          <span class="name" title={choice.words}>
            {choice.words}
          </span>
          <span class="quiet">{count(choice.rows)}</span>
        </label>
      ))}
      {choices.length > shown.length &&
        (all || words ? (
          <p class="meaning">{count(choices.length - shown.length)} more: find them above</p>
        ) : (
          <button type="button" class="link" onClick={() => setAll(true)}>
            show more ({count(choices.length - shown.length)})
          </button>
        ))}
    </fieldset>
  );
}
