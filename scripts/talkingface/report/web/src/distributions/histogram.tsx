/** A measure: how it is distributed, kept above and rejected below, and its worst clips. */
import { useMemo } from "preact/hooks";
import { type Bin, type Side, histogram, summarise } from "./bins";
import { type Condition, listOf } from "../shared/links";
import { type Measure, columnValues, isOfOthersToo, worstRows } from "../data/measures";
import { Plot, PlotFrame } from "../shared/plot";
import { count, measure } from "../shared/quantity";
import type { Report } from "../data/report";
import { Worst } from "./worst";
import { capital, label } from "../shared/words";

const HEIGHT = 190;
const MOST_WORST = 5;

interface Bar {
  from: number;
  to: number;
  height: number;
  words: string;
  link: string;
}

/** The card of one measure. */
export function MeasureCard({ report, of, kept }: { report: Report; of: Measure; kept: Uint8Array }) {
  const values = useMemo(() => columnValues(report, of.column), [report, of]);
  const bins = useMemo(
    () => histogram(values, kept, of.factor, of.whole, of.greatest), [values, kept, of],
  );
  const summary = useMemo(
    () => summarise(values.filter((_, row) => kept[row] === 1)), [values, kept],
  );
  const worst = useMemo(() => worstRows(values, kept, of.worst, MOST_WORST), [values, kept, of]);
  const total = (side: "kept" | "rejected") => bins.reduce((sum, bin) => sum + bin[side].count, 0);
  const shown = (value: number) => measure(value * of.factor, of.short);
  const id = `measure-${of.column.replace(".", "-")}`;
  return (
    <section class="card" aria-labelledby={id} data-column={of.column}>
      <h2 id={id}>{titleOf(of)}</h2>
      <p class="quiet">{of.words}</p>
      {bins.length === 0 ? <p class="nothing">Not measured of any candidate.</p> : (
        <>
          <p class="legend">
            <span><i class="swatch kept" /> above: {count(total("kept"))} kept</span>
            <span><i class="swatch rejected" /> below: {count(total("rejected"))} rejected</span>
          </p>
          <PlotFrame
            label={`${titleOf(of)} of kept clips above, of rejected candidates below`}
            height={HEIGHT}
            options={(width) => options(of, bins, width)}
            of={[of, bins]}
          />
          <p class="summary">
            {summary.count > 0
              ? <>Kept: median {shown(summary.median)}, {summary.part} from {measure(summary.low * of.factor)} to {shown(summary.high)}.</>
              : <>No kept clip was measured.</>}
          </p>
          <Numbers of={of} bins={bins} />
          <Worst report={report} of={of} rows={worst} words={(row) => shown(values[row])} />
        </>
      )}
    </section>
  );
}

function titleOf({ title, column }: Measure): string {
  return title ?? capital(label(column));
}

/** The candidates of one side of a range, as the view `clips` lists them. */
function sideLink(of: Measure, verdict: "kept" | "rejected", side: Side): string {
  const conditions: Condition[] = [
    ["verdict", verdict], [`min.${of.column}`, side.least], [`max.${of.column}`, side.most],
  ];
  if (isOfOthersToo(of.column)) conditions.push(["kind", "candidate"]);
  return listOf([...conditions, ["sort", of.column]]);
}

function rangeWords(of: Measure, bin: Bin): string {
  if (of.whole && bin.to - bin.from === 1) return measure(bin.from + 0.5, of.short);
  return `${measure(bin.from)} to ${measure(bin.to, of.short)}`;
}

function options(of: Measure, bins: Bin[], width: number): Plot.PlotOptions {
  const bars = (verdict: "kept" | "rejected", sign: number): Bar[] => (
    bins.filter((bin) => bin[verdict].count > 0).map((bin) => ({
      from: bin.from, to: bin.to, height: sign * bin[verdict].count,
      words: `${rangeWords(of, bin)}: ${count(bin[verdict].count)} ${verdict}`,
      link: sideLink(of, verdict, bin[verdict]),
    }))
  );
  const highest = (verdict: "kept" | "rejected") => Math.max(0, ...bins.map((bin) => bin[verdict].count));
  const mark = (verdict: "kept" | "rejected", sign: number) => Plot.rectY(bars(verdict, sign), {
    x1: "from", x2: "to", y1: 0, y2: "height", fill: `var(--${verdict})`,
    insetLeft: 0.5, insetRight: 0.5, title: "words", ariaLabel: "words", href: "link",
  });
  return {
    marginLeft: 52, marginRight: 18, marginTop: 8, marginBottom: 40,
    x: { label: of.unit || null, labelArrow: "none", labelOffset: 34, ticks: Math.max(3, Math.floor(width / 80)) },
    y: { label: null, ticks: Math.min(5, highest("kept") + highest("rejected")), grid: true, nice: true, tickFormat: wholeCount },
    marks: [mark("kept", 1), mark("rejected", -1), Plot.ruleY([0], { stroke: "currentColor" })],
  };
}

/** A count on the axis, either way; between two counts there is none. */
function wholeCount(value: number): string {
  return Number.isInteger(value) ? count(Math.abs(value)) : "";
}

/** The plot's numbers as a table. */
function Numbers({ of, bins }: { of: Measure; bins: Bin[] }) {
  const cell = (verdict: "kept" | "rejected", side: Side) => (
    <td class="number">{side.count > 0 ? <a href={sideLink(of, verdict, side)}>{count(side.count)}</a> : "0"}</td>
  );
  return (
    <details>
      <summary>Show numbers</summary>
      <div class="numbers" tabIndex={0} role="region" aria-label={`Numbers of ${titleOf(of)}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">{of.unit || "Range"}</th>
              <th scope="col" class="number">Kept</th>
              <th scope="col" class="number">Rejected</th>
            </tr>
          </thead>
          <tbody>
            {bins.map((bin, place) => (
              <tr>
                <th scope="row">
                  {place === 0 && "up to " /* what is beyond the ends is in them */}
                  {place === 0 ? measure(bin.to) : rangeWords({ ...of, short: "" }, bin)}
                </th>
                {cell("kept", bin.kept)}
                {cell("rejected", bin.rejected)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
