/** Curves of a stretch over its time, with a line at the frame that is looked at. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Detail } from "../data/data";
import type { Decoded } from "../data/decode";
import { secondsOf } from "../data/grid";
import { exactClock, measure } from "../shared/quantity";
import { type Curve, LEFT, Lane, type LaneProps, RIGHT } from "./lane";
import { type Playhead, usePlayhead } from "./playhead";

interface CurvesProps {
  playhead: Playhead;
  detail: Detail | null;
  decoded: Decoded | null;
  /** What is said where there are no curves; "" while they are loaded. */
  absent: string;
}

type Named = Omit<LaneProps, "frames" | "playhead">;

/** The lanes of `detail`, in order; their number and heights do not depend on what was measured. */
function lanesOf(detail: Detail | null, decoded: Decoded | null): Named[] {
  const curve = (name: string, values: Curve["values"] | undefined, unit = ""): Curve => ({
    name,
    values: values ?? null,
    unit,
  });
  return [
    {
      title: "Sound and mouth",
      height: 110,
      sound: decoded?.sound ?? null,
      range: null,
      curves: [curve("mouth opening", detail?.opening, "lengths of the nose")],
    },
    {
      title: "Probabilities",
      height: 100,
      range: [0, 1],
      curves: [
        curve("somebody is heard to speak", detail?.speech),
        curve("this face speaks", detail?.probability),
      ],
    },
    {
      title: "Sync score",
      height: 90,
      range: null,
      curves: [curve("lips with the sound", detail?.score)],
    },
    {
      title: "Pose",
      height: 120,
      range: null,
      curves: [
        curve("yaw", detail?.yaw, "degrees"),
        curve("pitch", detail?.pitch, "degrees"),
        curve("roll", detail?.roll, "degrees"),
      ],
    },
  ];
}

/** All lanes of a stretch, below a slider for its place. */
export function Curves({ playhead, detail, decoded, absent }: CurvesProps) {
  const frame = useRef<HTMLDivElement>(null);
  const line = useRef<HTMLDivElement>(null);
  const lanes = useMemo(() => lanesOf(detail, decoded), [detail, decoded]);
  useEffect(() => {
    const element = frame.current!;
    const marker = line.current!;
    let width = element.clientWidth;
    const place = () => {
      const across = LEFT + ((playhead.frame + 0.5) / playhead.frames) * (width - LEFT - RIGHT);
      marker.style.transform = `translateX(${across}px)`;
    };
    const observer = new ResizeObserver(([entry]) => {
      width = entry.contentRect.width;
      place();
    });
    observer.observe(element);
    const leave = playhead.subscribe(place);
    place();
    return () => {
      leave();
      observer.disconnect();
    };
  }, [playhead]);
  const seek = (event: PointerEvent) => {
    const { left, width } = frame.current!.getBoundingClientRect();
    const share = (event.clientX - left - LEFT) / (width - LEFT - RIGHT);
    playhead.seek(Math.floor(share * playhead.frames));
  };
  return (
    <section class="curves" aria-label="Curves">
      <h2>Curves</h2>
      <p class="quiet help">
        Click or drag in the curves to go there. Left and right arrow step by a frame, with Shift
        by 25; Space plays, unless letter keys are off.
      </p>
      {absent && <p role="status">{absent}</p>}
      <div
        class="lanes"
        ref={frame}
        onPointerDown={(event) => {
          if (event.button !== 0 || !(event.target as Element).closest(".plot, .ruler-line"))
            return;
          if ((event.target as Element).closest("input")) return;
          frame.current!.setPointerCapture(event.pointerId);
          seek(event);
        }}
        onPointerMove={(event) => {
          if (frame.current!.hasPointerCapture(event.pointerId)) seek(event);
        }}
      >
        <Ruler playhead={playhead} />
        {lanes.map((lane) => (
          <Lane key={lane.title} {...lane} playhead={playhead} frames={playhead.frames} />
        ))}
        <div class="playhead" ref={line} aria-hidden="true" />
      </div>
    </section>
  );
}

/** The place in the clip as a slider, above the curves and as wide as they are. */
function Ruler({ playhead }: { playhead: Playhead }) {
  const frame = usePlayhead(playhead, (one) => one.frame);
  return (
    <div class="ruler-line" style={{ paddingLeft: `${LEFT}px`, paddingRight: `${RIGHT}px` }}>
      <input
        type="range"
        class="ruler"
        min="0"
        max={playhead.frames - 1}
        step="1"
        value={frame}
        aria-label="Place in the clip"
        aria-valuetext={`frame ${measure(frame)}, ${exactClock(secondsOf(frame))}`}
        onInput={(event) => playhead.seek(Number(event.currentTarget.value))}
      />
    </div>
  );
}
