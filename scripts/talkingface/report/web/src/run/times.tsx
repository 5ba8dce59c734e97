/** Where the time of the run went, stage by stage. */
import { useMemo } from "preact/hooks";
import type { StageTime } from "../data/data";
import { Plot, PlotFrame } from "../shared/plot";
import { count, length, measure, share } from "../shared/quantity";
import type { Report } from "../data/report";

const BAR = 11;
const UNITS: [string, number][] = [["hours", 3600], ["minutes", 60], ["seconds", 1]];

/** A plot and a table of what every stage took. */
export function Times({ report }: { report: Report }) {
  const { times } = report.run;
  const total = useMemo(() => totals(times), [times]);
  const sampled = times.some(({ jobs, sampled: read }) => read < jobs);
  return (
    <section aria-labelledby="times">
      <h2 id="times">Where the time went</h2>
      {times.length === 0 ? <p>No job left a record of its time in results/benchmarks.</p> : (
        <>
          <p>
            All jobs together took {length(total.seconds)}, and {length(total.cpu)} of processor time. Where jobs ran side by side, the run itself was shorter.
            {sampled && " Of stages with very many jobs some were read, and the others taken to be as these."}
          </p>
          <p class="legend">
            <span><i class="swatch elapsed" /> upper bar: time from start to end</span>
            <span><i class="swatch processor" /> lower bar: processor time</span>
          </p>
          <PlotFrame
            label="Time and processor time of every stage; the table below has the numbers"
            height={times.length * (2 * BAR + 8) + 50}
            options={(width) => options(times, width)}
            of={[times]}
          />
          <div class="scroll" tabIndex={0} role="region" aria-labelledby="times">
            <table class="times">
              <thead>
                <tr>
                  <th scope="col">Stage</th>
                  <th scope="col" class="number">Jobs</th>
                  <th scope="col" class="number">Time</th>
                  <th scope="col" class="number">Share</th>
                  <th scope="col" class="number">Processor time</th>
                  <th scope="col" class="number">Processors busy</th>
                  <th scope="col" class="number">Frames</th>
                  <th scope="col" class="number">Frames a second</th>
                  <th scope="col" class="number">Memory, median</th>
                  <th scope="col" class="number">Memory, most</th>
                </tr>
              </thead>
              <tbody>{times.map((time) => <Line time={time} whole={total.seconds} />)}</tbody>
              <tfoot>
                <tr>
                  <th scope="row">All</th>
                  <td class="number">{count(total.jobs)}</td>
                  <td class="number">{length(total.seconds)}</td>
                  <td class="number">{total.seconds > 0 ? "100 %" : ""}</td>
                  <td class="number">{length(total.cpu)}</td>
                  <td class="number">{ratio(total.cpu, total.seconds)}</td>
                  <td class="number" /><td class="number" /><td class="number" />
                  <td class="number">{memory(total.memory)}</td>
                </tr>
              </tfoot>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

function Line({ time, whole }: { time: StageTime; whole: number }) {
  const { seconds, frames } = time;
  const cpu = time.cpu_seconds ?? NaN;
  return (
    <tr data-stage={time.stage} data-seconds={seconds}>
      <th scope="row"><code>{time.stage}</code></th>
      <td class="number">{count(time.jobs)}</td>
      <td class="number">{length(seconds)}</td>
      <td class="number">{share(seconds, whole)}</td>
      <td class="number">{length(cpu)}</td>
      <td class="number">{ratio(cpu, seconds)}</td>
      <td class="number">{frames > 0 ? count(frames) : ""}</td>
      <td class="number">{frames > 0 ? ratio(frames, seconds) : ""}</td>
      <td class="number">{memory(time.median_rss_mb)}</td>
      <td class="number">{memory(time.max_rss_mb)}</td>
    </tr>
  );
}

function totals(times: StageTime[]) {
  const sum = (key: "jobs" | "seconds" | "cpu_seconds") => (
    times.reduce((total, time) => total + (time[key] ?? 0), 0)
  );
  return {
    jobs: sum("jobs"), seconds: sum("seconds"), cpu: sum("cpu_seconds"),
    memory: Math.max(0, ...times.map((time) => time.max_rss_mb ?? 0)),
  };
}

function ratio(one: number, other: number): string {
  return other > 0 && Number.isFinite(one) ? measure(Number((one / other).toPrecision(2))) : "";
}

function memory(megabytes: number | null): string {
  if (!megabytes) return "";
  return megabytes >= 1000 ? `${(megabytes / 1000).toFixed(1)} GB` : `${Math.round(megabytes)} MB`;
}

function options(times: StageTime[], width: number): Plot.PlotOptions {
  const longest = Math.max(0, ...times.map((time) => Math.max(time.seconds, time.cpu_seconds ?? 0)));
  const [unit, size] = UNITS.find(([, seconds]) => longest >= 2 * seconds) ?? UNITS[UNITS.length - 1];
  const bars = times.flatMap((time) => [
    { stage: time.stage, kind: "elapsed", value: time.seconds / size, words: `${time.stage}: ${length(time.seconds)}` },
    { stage: time.stage, kind: "processor", value: (time.cpu_seconds ?? 0) / size, words: `${time.stage}: ${length(time.cpu_seconds ?? NaN)} of processor time` },
  ]);
  return {
    marginLeft: 96, marginRight: 16, marginTop: 6, marginBottom: 36,
    x: { label: unit, labelArrow: "none", grid: true, ticks: Math.max(3, Math.floor(width / 110)) },
    y: { axis: null, domain: ["elapsed", "processor"], padding: 0.05 },
    fy: { label: null, padding: 0.25, domain: times.map(({ stage }) => stage) },
    color: { domain: ["elapsed", "processor"], range: ["var(--series-1)", "var(--series-2)"] },
    marks: [
      Plot.axisFy({ label: null, anchor: "left", textAnchor: "end", tickSize: 0, dx: -6 }),
      Plot.barX(bars, { x: "value", y: "kind", fy: "stage", fill: "kind", title: "words" }),
      Plot.ruleX([0], { stroke: "currentColor" }),
    ],
  };
}
