/** The candidates of which other thresholds change what becomes of them, list by list. */
import { number, text } from "../data/data";
import { type Outcome, type Prepared, verdictOn } from "./explore";
import { type Report, rowKey } from "../data/report";
import { address } from "../shared/route";
import type { Values } from "./values";
import { listHeight } from "./summary";
import { secondsOf } from "../data/grid";
import { meaningOf } from "../data/meanings";
import { count, length, measure } from "../shared/quantity";
import { VirtualList } from "../shared/virtual";

/** The lists by what other thresholds change. */
export type ListName = "kept" | "rejected" | "unknown";

/** All lists, in the order in which they are shown. */
export const LISTS: ListName[] = ["kept", "rejected", "unknown"];

const NAMES: Record<ListName, string> = {
  kept: "newly kept",
  rejected: "newly rejected",
  unknown: "not known",
};

const ROW_HEIGHT = 52;

const EMPTY: Record<ListName, string> = {
  kept: "Nothing that is not in the dataset now is sure to come in.",
  rejected: "Nothing that is in the dataset now is left out.",
  unknown: "What these thresholds keep is known of every candidate.",
};
const MEANING: Record<ListName, string> = {
  kept: "Not in the dataset now, and in it with these thresholds.",
  rejected: "In the dataset now, and not with these thresholds.",
  unknown:
    "These pass as stretches, but their clips were never made, so the gates of quality cannot be " +
    "asked. A run makes and measures them; it keeps some, all or none.",
};

function rowsOf(outcome: Outcome, list: ListName): number[] {
  if (list === "kept") return outcome.newlyKept;
  return list === "rejected" ? outcome.newlyRejected : outcome.unknown;
}

/** How many a list has, and what they are. */
export function ListTitle({ outcome, list }: { outcome: Outcome; list: ListName }) {
  const [first, last] = NAMES[list].split(" ");
  const less = list === "unknown" ? first : <span class="if-wide">{first}</span>;
  return <>{count(rowsOf(outcome, list).length)} {less} {last}</>;
}

interface ChangesProps {
  report: Report;
  prepared: Prepared;
  outcome: Outcome;
  values: Values;
  list: ListName;
  choose: (list: ListName) => void;
}

/** One of the lists, and buttons for the others. */
export function Changes({ report, prepared, outcome, values, list, choose }: ChangesProps) {
  const rows = rowsOf(outcome, list);
  return (
    <section class="changes" aria-labelledby="changes-heading">
      <h2 id="changes-heading" tabIndex={-1}>What changes</h2>
      <div class="choice" role="group" aria-label="Which candidates">
        {LISTS.map((name) => (
          <button type="button" aria-pressed={name === list} onClick={() => choose(name)}>
            <ListTitle outcome={outcome} list={name} />
          </button>
        ))}
      </div>
      <p class="quiet meaning">{rows.length ? MEANING[list] : EMPTY[list]}</p>
      <VirtualList count={rows.length} rowHeight={ROW_HEIGHT} label={`Candidates ${NAMES[list]}`}
        height={listHeight(Math.max(rows.length, 4), ROW_HEIGHT)}
        render={(place) => (
          <ChangedRow report={report} prepared={prepared} values={values} list={list}
            row={rows[place]} />
        )} />
    </section>
  );
}

interface ChangedRowProps {
  report: Report;
  prepared: Prepared;
  values: Values;
  list: ListName;
  row: number;
}

function ChangedRow({ report, prepared, values, list, row }: ChangedRowProps) {
  const { candidates } = report;
  const key = rowKey(candidates, row);
  return (
    <div class="row">
      <a class="name" href={address("clip", { id: key })}>{key}</a>
      <span class="quiet amount">
        {length(secondsOf(number(candidates, "n_frames", row)))}, {list === "rejected"
          ? because(prepared, row, values) : before(report, row)}
      </span>
    </div>
  );
}

/** What became of a row in this run. */
function before({ candidates }: Report, row: number): string {
  if (text(candidates, "verdict", row) === "kept") return "is in the dataset";
  const why = reason(
    text(candidates, "stage", row), text(candidates, "reason", row),
    number(candidates, "value", row), number(candidates, "threshold", row),
  );
  return `was left out: ${why}`;
}

/** Why a row is rejected by some values. */
function because(prepared: Prepared, row: number, values: Values): string {
  // The rows of candidates rise.
  const verdict = verdictOn(prepared, prepared.rows.indexOf(row), values);
  if (!verdict || verdict.kept) return "";
  return reason(verdict.stage, verdict.reason, verdict.value ?? NaN, verdict.threshold ?? NaN);
}

function reason(stage: string, word: string, value: number, threshold: number): string {
  const why = word ? meaningOf(stage, word).title : "no longer so";
  if (Number.isNaN(threshold)) return why;
  return `${why}: ${measure(value)} against ${measure(threshold)}`;
}
