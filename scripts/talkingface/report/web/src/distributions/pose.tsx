/** How heads are turned: clips by their median yaw and pitch. */
import { useMemo } from "preact/hooks";
import { type Side, addTo, binOf, edges, summarise } from "./bins";
import { listOf } from "../shared/links";
import { columnValues } from "../data/measures";
import { Plot, PlotFrame } from "../shared/plot";
import { count, counted, measure } from "../shared/quantity";
import type { Report } from "../data/report";

const YAW = "pose.median_yaw";
const PITCH = "pose.median_pitch";
const HEIGHT = 380;
const MOST_CELLS = 16;
// A number fits into a cell that is as wide as this, in pixels.
const LEAST_CELL = 24;

interface Cell {
  yaw: [number, number];
  pitch: [number, number];
  count: number;
  words: string;
  link: string;
}

/** The card of yaw and pitch. */
export function PoseCard({ report, kept }: { report: Report; kept: Uint8Array }) {
  const yaw = useMemo(() => ofKept(report, YAW, kept), [report, kept]);
  const pitch = useMemo(() => ofKept(report, PITCH, kept), [report, kept]);
  const cells = useMemo(() => cellsOf(yaw, pitch), [yaw, pitch]);
  const range = (values: Float64Array) => {
    const { low, high } = summarise(values);
    return `from ${measure(low)} to ${measure(high, "°")}`;
  };
  return (
    <section class="card wide" aria-labelledby="pose" data-column="pose">
      <h2 id="pose">Pose of the head</h2>
      <p class="quiet">kept clips by the median of yaw (to the right: turned to their own right) and pitch (up: looks up)</p>
      {cells.length === 0 ? <p class="nothing">Not measured of any kept clip. Pose is there where features has it.</p> : (
        <>
          <PlotFrame
            label="Number of kept clips by median yaw and pitch"
            height={HEIGHT}
            options={(width) => options(cells, width)}
            of={[cells]}
          />
          <p class="summary">Of {summarise(yaw).part} the yaw is {range(yaw)}, the pitch {range(pitch)}.</p>
          <details>
            <summary>Show numbers</summary>
            <div class="numbers" tabIndex={0} role="region" aria-label="Numbers of the pose of the head">
              <table>
                <thead>
                  <tr><th scope="col">Yaw</th><th scope="col">Pitch</th><th scope="col" class="number">Clips</th></tr>
                </thead>
                <tbody>
                  {cells.map((cell) => (
                    <tr>
                      <td>{cell.yaw[0]} to {cell.yaw[1]}</td>
                      <td>{cell.pitch[0]} to {cell.pitch[1]}</td>
                      <td class="number"><a href={cell.link}>{count(cell.count)}</a></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </section>
  );
}

function ofKept(report: Report, column: string, kept: Uint8Array): Float64Array {
  return columnValues(report, column).map((value, row) => (kept[row] ? value : NaN));
}

/** The cells with clips, by yaw, then by pitch. */
function cellsOf(yaw: Float64Array, pitch: Float64Array): Cell[] {
  const [ends, heights] = [edges(yaw, true, MOST_CELLS), edges(pitch, true, MOST_CELLS)];
  const found = new Map<number, { across: Side; down: Side }>();
  const side = (): Side => ({ count: 0, least: Infinity, most: -Infinity });
  for (let row = 0; row < yaw.length; row++) {
    if (Number.isNaN(yaw[row]) || Number.isNaN(pitch[row])) continue;
    const key = binOf(yaw[row], ends) * heights.length + binOf(pitch[row], heights);
    let cell = found.get(key);
    if (!cell) found.set(key, cell = { across: side(), down: side() });
    addTo(cell.across, yaw[row]);
    addTo(cell.down, pitch[row]);
  }
  return [...found].sort(([one], [other]) => one - other).map(([key, { across, down }]) => {
    const [x, y] = [Math.floor(key / heights.length), key % heights.length];
    const [of, height]: [number, number][] = [[ends[x], ends[x + 1]], [heights[y], heights[y + 1]]];
    return {
      yaw: of, pitch: height, count: across.count,
      words: `yaw ${of[0]} to ${of[1]}, pitch ${height[0]} to ${height[1]} degrees: ${counted(across.count, "clip")}`,
      link: listOf([
        ["verdict", "kept"],
        [`min.${YAW}`, across.least], [`max.${YAW}`, across.most],
        [`min.${PITCH}`, down.least], [`max.${PITCH}`, down.most],
      ]),
    };
  });
}

function options(cells: Cell[], width: number): Plot.PlotOptions {
  const left = Math.min(...cells.map(({ yaw }) => yaw[0]));
  const right = Math.max(...cells.map(({ yaw }) => yaw[1]));
  const widest = ((width - 60) * (cells[0].yaw[1] - cells[0].yaw[0])) / (right - left);
  const middle = ([from, to]: [number, number]) => (from + to) / 2;
  return {
    marginLeft: 48, marginRight: 12, marginTop: 24, marginBottom: 42,
    x: { label: "yaw, degrees", labelArrow: "none", labelOffset: 36, ticks: Math.max(3, Math.floor(width / 80)) },
    // Those who look up have a negative pitch.
    y: { label: "pitch, degrees", labelArrow: "none", reverse: true, ticks: 7 },
    opacity: { type: "sqrt", domain: [0, Math.max(...cells.map(({ count: clips }) => clips))], range: [0.12, 0.9] },
    marks: [
      Plot.gridX(), Plot.gridY(),
      Plot.rect(cells, {
        x1: (cell: Cell) => cell.yaw[0], x2: (cell: Cell) => cell.yaw[1],
        y1: (cell: Cell) => cell.pitch[0], y2: (cell: Cell) => cell.pitch[1],
        fill: "var(--series-1)", fillOpacity: "count", inset: 0.5,
        title: "words", ariaLabel: "words", href: "link",
      }),
      Plot.ruleX([0], { stroke: "var(--edge)", strokeDasharray: "4 3" }),
      Plot.ruleY([0], { stroke: "var(--edge)", strokeDasharray: "4 3" }),
      ...(widest >= LEAST_CELL ? [Plot.text(cells, {
        x: (cell: Cell) => middle(cell.yaw), y: (cell: Cell) => middle(cell.pitch),
        text: (cell: Cell) => count(cell.count), fill: "var(--text)", stroke: "var(--ground)",
        strokeWidth: 3, pointerEvents: "none", ariaHidden: "true",
      })] : []),
    ],
  };
}
