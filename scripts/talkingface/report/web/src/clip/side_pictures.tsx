/** Small pictures of the current frame beside the film: depth, parsing, background, torso. */
import { useState } from "preact/hooks";
import { resultPath } from "../data/data";
import { FramePicture } from "./frame_picture";
import { PARSING_FILTER } from "./parsing";
import { notMade } from "./film";
import type { Playhead } from "./playhead";
import { useRemembered } from "../shared/remember";
import type { Report } from "../data/report";
import { type Stretch, numberedPicture } from "../data/stretch";
import { productPath } from "../data/paths";

interface SideProps {
  report: Report;
  stretch: Stretch;
  playhead: Playhead;
}

/** The pictures that the features made of the current frame. */
export function SidePictures({ report, stretch, playhead }: SideProps) {
  const [contrast, setContrast] = useRemembered("depth.contrast", "1");
  const path = (column: string) => productPath(report, stretch.video, stretch.clip, column);
  const shape = { aspectRatio: `${stretch.width} / ${stretch.height}` };
  const film = path("overlay");
  return (
    <section class="views" aria-label="Pictures of this frame">
      <Numbered
        name="Depth"
        folder={path("depth")}
        feature="depth"
        playhead={playhead}
        shape={shape}
        style={{ filter: `contrast(${contrast})` }}
      />
      <Numbered
        name="Parsing"
        folder={path("parsing")}
        feature="parsing"
        playhead={playhead}
        shape={shape}
        class="labels"
        style={{ filter: PARSING_FILTER }}
      />
      <Numbered
        name="Torso"
        folder={path("torso")}
        feature="torso"
        playhead={playhead}
        shape={shape}
        class="clear"
      />
      <figure>
        <div class="picture" style={shape}>
          {path("background") ? (
            <Still address={resultPath(path("background"))} label="The room without the person" />
          ) : (
            <span class="nothing">{notMade("background")}</span>
          )}
        </div>
        <figcaption>Background</figcaption>
      </figure>
      <div class="below">
        <label class="opacity contrast">
          <span>
            Contrast of the depth <span class="quiet">(nearer is brighter, black is none)</span>
          </span>
          <input
            type="range"
            min="1"
            max="5"
            step="0.5"
            value={contrast}
            disabled={!path("depth")}
            aria-valuetext={`${contrast} times`}
            onInput={(event) => setContrast(event.currentTarget.value)}
          />
        </label>
        {film && (
          <p class="overlay-film">
            <a href={resultPath(film)}>The film with all of it drawn in</a>
          </p>
        )}
      </div>
    </section>
  );
}

interface NumberedProps {
  name: string;
  /** Folder of the pictures; "" where they are not made. */
  folder: string;
  feature: string;
  playhead: Playhead;
  shape: Record<string, string>;
  class?: string;
  style?: Record<string, string>;
}

function Numbered(props: NumberedProps) {
  const { name, folder, feature, playhead } = props;
  return (
    <figure>
      <div class={`picture ${props.class ?? ""}`} style={props.shape}>
        {folder ? (
          <FramePicture
            playhead={playhead}
            of={folder}
            address={(frame) => numberedPicture(folder, frame)}
            label={`${name} of the frame that is shown`}
            style={props.style}
          />
        ) : (
          <span class="nothing">{notMade(feature)}</span>
        )}
      </div>
      <figcaption>{name}</figcaption>
    </figure>
  );
}

/** A picture, or calm words where it is not there. */
export function Still({ address, label }: { address: string; label: string }) {
  const [missing, setMissing] = useState("");
  if (missing === address) return <span class="nothing">This picture is not there.</span>;
  return <img src={address} alt={label} onError={() => setMissing(address)} />;
}
