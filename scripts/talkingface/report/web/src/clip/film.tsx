/** The film of a clip with what was found in it drawn over it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { resultPath } from "../data/data";
import type { Decoded } from "../data/decode";
import { FPS, secondsOf } from "../data/grid";
import { exactClock } from "../shared/quantity";
import { FramePicture } from "./frame_picture";
import { FaceCanvas } from "./overlays";
import { PARSING_FILTER, ParsingLegend } from "./parsing";
import { type Playhead, usePlayhead } from "./playhead";
import { useRemembered } from "../shared/remember";
import type { Report } from "../data/report";
import { type Stretch, numberedPicture } from "../data/stretch";
import { productPath } from "../data/paths";

interface PlayerProps {
  report: Report;
  stretch: Stretch;
  playhead: Playhead;
  /** Null while they are loaded and where there are none. */
  decoded: Decoded | null;
  loading: boolean;
}

/** The film with what is drawn over it, and its controls. */
export function Player({ report, stretch, playhead, decoded, loading }: PlayerProps) {
  const [points, setPoints] = useRemembered("overlay.points", "on");
  const [box, setBox] = useRemembered("overlay.box", "off");
  const [parsing, setParsing] = useRemembered("overlay.parsing", "off");
  const [opacity, setOpacity] = useRemembered("overlay.opacity", "50");
  const labels = productPath(report, stretch.video, stretch.clip, "parsing");
  const { width, height } = stretch;
  const absent = loading ? "loading" : "not in the files beside the page";
  return (
    <section
      class="player"
      aria-label="Film"
      style={{ "--across": String(width), "--down": String(height) }}
    >
      <div class="stage">
        <Film report={report} stretch={stretch} playhead={playhead} />
        <div class="over">
          {parsing === "on" && labels && (
            <FramePicture
              playhead={playhead}
              of={labels}
              address={(frame) => numberedPicture(labels, frame)}
              label="Parsing"
              class="labels"
              style={{ filter: PARSING_FILTER, opacity: String(Number(opacity) / 100) }}
              decorative
            />
          )}
          <FaceCanvas
            playhead={playhead}
            decoded={decoded}
            width={width}
            height={height}
            points={points === "on"}
            box={box === "on"}
          />
        </div>
      </div>
      <FrameControls playhead={playhead} />
      <fieldset class="toggles">
        <legend>Shown over the film</legend>
        <Toggle
          name="Landmarks"
          value={points}
          set={setPoints}
          lacks={decoded?.hasPoints ? "" : absent}
        />
        <Toggle name="Face box" value={box} set={setBox} lacks={decoded?.hasBoxes ? "" : absent} />
        <Toggle
          name="Parsing"
          value={parsing}
          set={setParsing}
          lacks={labels ? "" : notMade("parsing")}
        />
        <label class="opacity">
          Opacity of the parsing
          <input
            type="range"
            min="10"
            max="100"
            step="5"
            value={opacity}
            disabled={!labels || parsing !== "on"}
            aria-valuetext={`${opacity} percent`}
            onInput={(event) => setOpacity(event.currentTarget.value)}
          />
        </label>
      </fieldset>
      {labels && <ParsingLegend labels={report.run.labels} />}
    </section>
  );
}

/** The words of what a feature would show that was not made. */
export function notMade(feature: string): string {
  return `not made: add ${feature} to the setting features`;
}

interface ToggleProps {
  name: string;
  value: string;
  set: (value: string) => void;
  /** Why it cannot be shown; "" where it can. */
  lacks: string;
}

function Toggle({ name, value, set, lacks }: ToggleProps) {
  return (
    <label class={lacks ? "toggle lacks" : "toggle"}>
      <input
        type="checkbox"
        checked={value === "on" && !lacks}
        disabled={lacks !== ""}
        onChange={(event) => set(event.currentTarget.checked ? "on" : "off")}
      />
      {name}
      {lacks && <span class="quiet"> ({lacks})</span>}
    </label>
  );
}

function Film({
  report,
  stretch,
  playhead,
}: {
  report: Report;
  stretch: Stretch;
  playhead: Playhead;
}) {
  const film = useRef<HTMLVideoElement>(null);
  const [missing, setMissing] = useState(false);
  const path = productPath(report, stretch.video, stretch.clip, "video");
  useEffect(() => {
    const element = film.current!;
    setMissing(false);
    const leave = playhead.attach(element);
    element.src = resultPath(path);
    return () => {
      leave();
      // Without this browsers keep what they have decoded.
      element.pause();
      element.removeAttribute("src");
      element.load();
    };
  }, [playhead, path]);
  return (
    <>
      <video
        ref={film}
        class="film"
        controls
        playsInline
        preload="auto"
        aria-label={`Film of ${stretch.clip}, with sound`}
        onError={(event) => event.currentTarget.hasAttribute("src") && setMissing(true)}
      />
      {missing && (
        <p class="no-film" role="status">
          The film is not where it was made, or damaged: <code>results/{path}</code>. What was
          measured is still here.
        </p>
      )}
    </>
  );
}

/** Buttons to play and to step, and which frame is shown. */
function FrameControls({ playhead }: { playhead: Playhead }) {
  const playing = usePlayhead(playhead, (one) => one.playing);
  return (
    <div class="frames">
      <div class="buttons" role="group" aria-label="Frames">
        <button
          type="button"
          aria-label="Back 25 frames"
          title="Shift and left arrow"
          onClick={() => playhead.step(-FPS)}
        >
          &#8722;25
        </button>
        <button
          type="button"
          aria-label="Back one frame"
          title="Left arrow"
          onClick={() => playhead.step(-1)}
        >
          &#8722;1
        </button>
        <button type="button" class="play" title="Space" onClick={() => playhead.toggle()}>
          {playing ? "Pause" : "Play"}
        </button>
        <button
          type="button"
          aria-label="Forward one frame"
          title="Right arrow"
          onClick={() => playhead.step(1)}
        >
          +1
        </button>
        <button
          type="button"
          aria-label="Forward 25 frames"
          title="Shift and right arrow"
          onClick={() => playhead.step(FPS)}
        >
          +25
        </button>
      </div>
      <FrameNumber playhead={playhead} />
    </div>
  );
}

/** The frame that is shown, counted from 0 as in all tables, and its time in the clip. */
export function FrameNumber({ playhead }: { playhead: Playhead }) {
  const frame = usePlayhead(playhead, (one) => one.frame);
  return (
    <p class="frame-number">
      Frame <b>{frame}</b> <span class="quiet">(0 to {playhead.frames - 1}),</span>{" "}
      {exactClock(secondsOf(frame))}
    </p>
  );
}
