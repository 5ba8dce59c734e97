/** One lane of curves: values of every frame over the time of a stretch. */
import { useMemo } from "preact/hooks";
import { secondsOf } from "../data/grid";
import { NOT_MEASURED, measure } from "../shared/quantity";
import { Plot, PlotFrame } from "../shared/plot";
import { type Playhead, usePlayhead } from "./playhead";
import { spread, thin } from "../shared/thin";

/** Margins of all lanes in pixels, so that their times are one above the other. */
export const LEFT = 44;
export const RIGHT = 44;

/** One curve of a lane. */
export interface Curve {
  name: string;
  /** One a frame, null where nothing was measured; null where nothing was measured at all. */
  values: (number | null)[] | null;
  unit: string;
}

/** What a lane shows. */
export interface LaneProps {
  title: string;
  height: number;
  curves: Curve[];
  /** Least and most value of the axis; null where the values say it. */
  range: [number, number] | null;
  /** Least and most sample of every hundredth of a second, behind the curves. */
  sound?: Float32Array | null;
  frames: number;
  playhead: Playhead;
}

/** Curves are told apart by colour and by dashes. */
const STYLES = [
  { colour: "var(--series-1)", dashes: "" },
  { colour: "var(--series-2)", dashes: "6 3" },
  { colour: "var(--series-3)", dashes: "2 3" },
];

/** The plot of a lane in which nothing was measured. */
const NOTHING: Plot.PlotOptions = {
  axis: null,
  marks: [Plot.frame({ stroke: "var(--line)" })],
  marginLeft: LEFT,
  marginRight: RIGHT,
};

/** Places along the width at which curves are drawn at most. */
const MOST = 2000;

/** A lane: its curves with their values at the frame that is looked at, and their plot. */
export function Lane({ title, height, curves, range, sound, frames, playhead }: LaneProps) {
  const empty = !sound && curves.every(({ values }) => !values?.some((value) => value !== null));
  const drawn = useMemo(
    () => curves.map(({ values }) => (values ? thin(values, MOST) : [])),
    [curves],
  );
  const names = curves.map(({ name }) => name).join(", ");
  const label = `${title}: ${names} over ${secondsOf(frames).toFixed(1)} s`;
  return (
    <div class="lane">
      <div class="lane-head">
        <h3>{title}</h3>
        {sound !== undefined && (
          <span class="key">
            <Sample colour="var(--edge)" dashes="" wide />
            sound, share of full scale
          </span>
        )}
        {curves.map((curve, place) => (
          <Reading key={curve.name} curve={curve} playhead={playhead} place={place} />
        ))}
      </div>
      <div class="lane-plot" style={{ height: `${height}px` }}>
        <PlotFrame
          label={label}
          height={height}
          of={[drawn, sound, frames]}
          options={() => (empty ? NOTHING : options(curves, drawn, range, sound ?? null, frames))}
        />
        {empty && <p class="lane-empty quiet">{NOT_MEASURED}</p>}
      </div>
    </div>
  );
}

function Sample({ colour, dashes, wide }: { colour: string; dashes: string; wide?: boolean }) {
  return (
    <svg class="sample" width="24" height="10" aria-hidden="true">
      <line
        x1="1"
        x2="23"
        y1="5"
        y2="5"
        style={{ stroke: colour }}
        stroke-width={wide ? 8 : 2}
        stroke-dasharray={dashes}
      />
    </svg>
  );
}

/** A curve's name and its value at the frame that is looked at. */
function Reading({ curve, playhead, place }: { curve: Curve; playhead: Playhead; place: number }) {
  const value = usePlayhead(playhead, (one) => curve.values?.[one.frame] ?? null);
  return (
    <span class="key">
      <Sample {...STYLES[place]} />
      {curve.name}
      <output class={curve.unit ? "with-unit" : ""}>{measure(value, curve.unit)}</output>
    </span>
  );
}

function options(
  curves: Curve[],
  drawn: [number, number | null][][],
  range: [number, number] | null,
  sound: Float32Array | null,
  frames: number,
): Plot.PlotOptions {
  const [least, most] = range ?? spread(curves.map(({ values }) => values));
  // Sound and curve have a scale each; the curve's is moved onto the sound's.
  const moved = sound !== null;
  const onto = (value: number | null) =>
    value === null || !moved ? value : -1 + (2 * (value - least)) / (most - least);
  const ticks = [least, (least + most) / 2, most];
  const marks: Plot.Markish[] = [];
  if (sound) {
    marks.push(
      Plot.areaY(hundredths(sound), {
        className: "sound",
        x: "x",
        y1: "low",
        y2: "high",
        fill: "var(--edge)",
        fillOpacity: 0.55,
      }),
    );
    marks.push(Plot.axisY([-1, 0, 1], { anchor: "left", label: null, tickSize: 3 }));
    marks.push(
      Plot.axisY(ticks.map(onto) as number[], {
        anchor: "right",
        label: null,
        tickSize: 3,
        tickFormat: (_value: number, at: number) => String(Number(ticks[at].toPrecision(2))),
      }),
    );
  } else {
    marks.push(Plot.gridY({ ticks: 4, stroke: "var(--line)", strokeOpacity: 1 }));
    marks.push(Plot.axisY({ anchor: "left", label: null, ticks: 4, tickSize: 3 }));
    if (least < 0 && most > 0) marks.push(Plot.ruleY([0], { stroke: "var(--edge)" }));
  }
  drawn.forEach((line, place) => {
    marks.push(
      Plot.lineY(
        line.map(([frame, value]) => ({ x: secondsOf(frame + 0.5), y: onto(value) })),
        {
          className: "curve",
          x: "x",
          y: "y",
          stroke: STYLES[place].colour,
          strokeWidth: 1.6,
          strokeDasharray: STYLES[place].dashes || undefined,
        },
      ),
    );
  });
  marks.push(
    Plot.axisX({ label: null, tickSize: 3, tickFormat: (second: number) => `${second} s` }),
  );
  return {
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginTop: 8,
    marginBottom: 20,
    x: { domain: [0, secondsOf(frames)] },
    y: { domain: moved ? [-1, 1] : [least, most] },
    marks,
  };
}

/** Pairs of least and most sample with their time, thinned out for long stretches. */
function hundredths(sound: Float32Array): { x: number; low: number; high: number }[] {
  const pairs = sound.length >> 1;
  const step = Math.max(1, Math.ceil(pairs / MOST));
  const found = [];
  for (let pair = 0; pair < pairs; pair += step) {
    let low = 1;
    let high = -1;
    for (let at = pair; at < Math.min(pair + step, pairs); at++) {
      low = Math.min(low, sound[2 * at]);
      high = Math.max(high, sound[2 * at + 1]);
    }
    found.push({ x: (pair + step / 2) / 100, low, high });
  }
  return found;
}
