/** Which columns the list of clips shows, and how wide they are. */
import { useState } from "preact/hooks";
import { field, fieldNames } from "../filters/fields";
import type { Report } from "../data/report";
import { store, stored } from "../shared/remember";
import { fullLabel, groupOf } from "../shared/words";

const FIRST = [
  "verdict",
  "reason",
  "duration",
  "segments.probability",
  "segments.offset",
  "segments.speech_share",
  "segments.face_height",
  "quality.sharpness",
  "quality.yaw_range",
  "identity",
  "split",
];
const WIDTHS: Record<string, number> = {
  verdict: 98,
  reason: 156,
  detail: 220,
  "video.title": 220,
  split: 70,
};
const NUMBER_WIDTH = 94;
const TEXT_WIDTH = 120;

/** A column of the list. */
export interface ListColumn {
  name: string;
  /** In pixels. */
  width: number;
  numeric: boolean;
}

/** The chosen columns, and how to choose others, which the browser remembers. */
export function useColumns(report: Report): [ListColumn[], string[], (names: string[]) => void] {
  const [names, setNames] = useState<string[]>(() => readChosen() ?? FIRST);
  const choose = (wanted: string[]) => {
    setNames(wanted);
    store("columns", JSON.stringify(wanted));
  };
  const columns = names.flatMap((name) => {
    const of = field(report, name);
    const numeric = of?.kind === "number";
    return of
      ? [{ name, numeric, width: WIDTHS[name] ?? (numeric ? NUMBER_WIDTH : TEXT_WIDTH) }]
      : [];
  });
  return [columns, names, choose];
}

function readChosen(): string[] | null {
  try {
    const found: unknown = JSON.parse(stored("columns") || "null");
    return Array.isArray(found)
      ? found.filter((name): name is string => typeof name === "string")
      : null;
  } catch {
    return null;
  }
}

/** The boxes to choose columns by, grouped by stage. */
export function ColumnChoice({
  report,
  names,
  choose,
}: {
  report: Report;
  names: string[];
  choose: (names: string[]) => void;
}) {
  const [open, setOpen] = useState(false);
  // In every row already.
  const all = fieldNames(report).filter((name) => !["clip_id", "decision"].includes(name));
  const groups = [...new Set(all.map(groupOf))];
  return (
    <details
      class="columns"
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        setOpen(false);
        event.currentTarget.querySelector("summary")!.focus();
      }}
    >
      <summary>Columns</summary>
      {open && (
        <div class="choices">
          <button type="button" onClick={() => choose(FIRST)}>
            The usual columns
          </button>
          {groups.map((group) => (
            <fieldset key={group}>
              <legend>{group}</legend>
              {all
                .filter((name) => groupOf(name) === group)
                .map((name) => (
                  <label class="choice" key={name} title={field(report, name)?.meaning}>
                    <input
                      type="checkbox"
                      checked={names.includes(name)}
                      onChange={() =>
                        choose(
                          names.includes(name)
                            ? names.filter((other) => other !== name)
                            : [...names, name],
                        )
                      }
                    />
                    <span class="name">{fullLabel(name)}</span>
                  </label>
                ))}
            </fieldset>
          ))}
        </div>
      )}
    </details>
  );
}
