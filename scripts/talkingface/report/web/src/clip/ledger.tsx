/** All that was measured of a stretch, by stages, beside the thresholds it is compared with. */
import { useMemo } from "preact/hooks";
import { type Setting, number, text } from "../data/data";
import { measure } from "../shared/quantity";
import type { Report } from "../data/report";
import { asksForLeast, measureOf, settingName } from "../data/thresholds";

/** A column of the candidates with its value in one row. */
interface Cell {
  name: string;
  meaning: string;
  words: string;
  measured: boolean;
  limits: Limit[];
}

/** A threshold for a measure. */
interface Limit {
  setting: string;
  least: boolean;
  threshold: number;
  met: boolean;
  /** By how much it is met as a share of the threshold; below 0 where it is missed. */
  margin: number;
}

interface Group {
  stage: string;
  cells: Cell[];
}

/** The columns of a row by stages, in the order of the tables. */
function groupsOf(report: Report, row: number): Group[] {
  const { candidates } = report;
  const limits = limitsOf(report);
  const groups = new Map<string, Cell[]>();
  for (const [name, column] of Object.entries(candidates.columns)) {
    const dot = name.indexOf(".");
    const stage = dot < 0 ? "" : name.slice(0, dot);
    const value = number(candidates, name, row);
    const words =
      column.kind === "text" ? text(candidates, name, row) : measure(value, column.unit);
    const measured = column.kind === "text" ? words !== "" : !Number.isNaN(value);
    const cell = {
      name: name.slice(dot + 1),
      meaning: column.meaning,
      words: measured ? words : column.kind === "text" ? "-" : words,
      measured,
      limits: (measured ? (limits.get(name) ?? []) : []).map((limit) => compare(value, limit)),
    };
    if (!groups.has(stage)) groups.set(stage, []);
    groups.get(stage)!.push(cell);
  }
  return [...groups].map(([stage, cells]) => ({ stage, cells }));
}

/** The limit that is missed by most, or else met by least; undefined where there is none. */
function tightest(groups: Group[]): Limit | undefined {
  const all = groups.flatMap(({ cells }) => cells.flatMap(({ limits }) => limits));
  return all.reduce<Limit | undefined>(
    (found, limit) => (found && found.margin <= limit.margin ? found : limit),
    undefined,
  );
}

function limitsOf({ run, candidates }: Report): Map<string, Setting[]> {
  const found = new Map<string, Setting[]>();
  for (const setting of run.settings) {
    const name = measureOf(run, settingName(setting));
    const value = thresholdOf(setting, run.fixed.default_max_offset);
    if (value === null || !candidates.columns[name]) continue;
    found.set(name, [...(found.get(name) ?? []), { ...setting, value }]);
  }
  return found;
}

function thresholdOf(setting: Setting, maxOffset: unknown): number | null {
  if (typeof setting.value === "number") return setting.value;
  // Where the settings leave the offset open, the backend of sync says it.
  return setting.key === "max_offset" && typeof maxOffset === "number" ? maxOffset : null;
}

function compare(value: number, setting: Setting): Limit {
  const threshold = setting.value as number;
  const least = asksForLeast(setting.key);
  const above = least ? value - threshold : threshold - Math.abs(value);
  return {
    setting: settingName(setting),
    least,
    threshold,
    met: above >= 0,
    margin: above / Math.max(Math.abs(threshold), 1e-6),
  };
}

/** Characters of a value that stand in one line. */
const LONGEST_LINE = 32;

/** The names of the groups of which the stages say nothing themselves. */
const HEADINGS: Record<string, string> = { "": "The row itself" };

/** Tables of all that was measured, one a stage. */
export function Ledger({ report, row }: { report: Report; row: number }) {
  const groups = useMemo(() => groupsOf(report, row), [report, row]);
  const worst = tightest(groups);
  // All of it is long on a phone, so there one opens what one wants to see.
  const wide = useMemo(() => matchMedia("(min-width: 40rem)").matches, []);
  return (
    <section class="ledger" aria-label="All that was measured">
      <h2>All that was measured</h2>
      {groups.map(({ stage, cells }) => {
        const any = cells.some(({ measured }) => measured);
        return (
          <details key={stage} open={wide && any && stage !== "preview"}>
            <summary>
              <h3>{HEADINGS[stage] ?? stage}</h3>
              {!any && <span class="quiet"> nothing was measured</span>}
            </summary>
            <div
              class="scroll"
              tabIndex={0}
              role="region"
              aria-label={`Measures of ${HEADINGS[stage] ?? stage}`}
            >
              <table>
                <thead>
                  <tr>
                    <th scope="col">Column</th>
                    <th scope="col" class="number">
                      Value
                    </th>
                    <th scope="col">Threshold</th>
                    <th scope="col">Meaning</th>
                  </tr>
                </thead>
                <tbody>
                  {cells.map((cell) => (
                    <tr key={cell.name}>
                      <th scope="row">
                        <code>{cell.name}</code>
                      </th>
                      <td
                        class={`number${cell.measured ? "" : " quiet"}${isLong(cell) ? " long" : ""}`}
                      >
                        {cell.words}
                      </td>
                      <td>
                        {cell.limits.map((limit) => (
                          <LimitWords key={limit.setting} limit={limit} worst={limit === worst} />
                        ))}
                      </td>
                      <td class="quiet">{cell.meaning.replaceAll("`", "")}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        );
      })}
    </section>
  );
}

/** Whether a cell is a text such as a name or a note, which would leave no room for the others. */
function isLong({ words }: { words: string }): boolean {
  return words.length > LONGEST_LINE;
}

function LimitWords({ limit, worst }: { limit: Limit; worst: boolean }) {
  const { met, least, threshold, setting } = limit;
  return (
    <p class="limit">
      <span class={met ? "kept" : "rejected"}>{met ? "\u2713 meets" : "\u2717 misses"}</span>{" "}
      {least ? "at least" : "at most"} {measure(threshold)}{" "}
      <code class="quiet">{setting}</code>
      {worst && <b class="tightest">{met ? "closest to its threshold" : "missed by most"}</b>}
    </p>
  );
}
