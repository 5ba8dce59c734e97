/** Where a stretch comes from, and where its files are. */
import { CopyButton } from "../shared/copy";
import { number, text } from "../data/data";
import { NOT_MEASURED, exactClock, measure } from "../shared/quantity";
import type { Report } from "../data/report";
import { address } from "../shared/route";
import { secondsOf } from "../data/grid";
import { statusMeaning } from "../data/meanings";
import { linkOf } from "../data/origins";
import type { Stretch } from "../data/stretch";
import { productPath } from "../data/paths";
import { rowOfVideo } from "../data/video_rows";

/** What is known of the video of a stretch. */
export function Provenance({ report, stretch }: { report: Report; stretch: Stretch }) {
  const { videos } = report;
  const row = rowOfVideo(report, stretch.video);
  const words = (column: string) => (row < 0 ? "" : text(videos, column, row));
  const value = (column: string) => (row < 0 ? NaN : number(videos, column, row));
  const { start, end } = stretch;
  const size = `${measure(value("width"))} x ${measure(value("height"))} pixels`;
  return (
    <section class="provenance" aria-label="Where it comes from">
      <h2>Where it comes from</h2>
      <dl>
        <dt>Video</dt>
        <dd>
          {stretch.video}{" "}
          <a href={address("clips", { video_id: stretch.video })}>all of its rows</a>
        </dd>
        <dt>Place in the video</dt>
        <dd>
          {Number.isNaN(start) ? (
            "the whole video"
          ) : (
            <>
              {exactClock(secondsOf(start))} to {exactClock(secondsOf(end))}
              <span class="quiet">
                {" "}
                (frames {start} to {end} of the grid, the end exclusive)
              </span>
            </>
          )}
        </dd>
        <dt>Source</dt>
        <dd>
          <Outside words={words("source")} />
        </dd>
        {words("webpage_url") && words("webpage_url") !== words("source") && (
          <>
            <dt>Its page</dt>
            <dd>
              <Outside words={words("webpage_url")} />
            </dd>
          </>
        )}
        <dt>Title</dt>
        <dd>{words("title") || "not known"}</dd>
        <dt>Uploader</dt>
        <dd>{words("uploader") || "not known"}</dd>
        <dt>Licence</dt>
        <dd>{words("licence") || "not known"}</dd>
        <dt>Who speaks</dt>
        <dd>{words("identity") || "not said in videos.csv"}</dd>
        <dt>Status</dt>
        <dd>{[words("status") && statusMeaning(words("status")).title, words("reason")].filter(Boolean).join(": ") || "not known"}</dd>
        <dt>Length</dt>
        <dd>{exactClock(value("duration_s"))}</dd>
        <dt>Picture</dt>
        <dd>
          {Number.isNaN(value("width"))
            ? NOT_MEASURED
            : `${size}, ${measure(value("fps"), "frames a second")}`}
        </dd>
      </dl>
    </section>
  );
}

function Outside({ words }: { words: string }) {
  if (!words) return <>not known</>;
  const link = linkOf(words);
  if (!link) return <span class="path">{words}</span>;
  return (
    <a class="path" href={link} rel="noreferrer">
      {words}
    </a>
  );
}

/** Paths of what was made of a clip. */
export function Files({ report, stretch }: { report: Report; stretch: Stretch }) {
  const paths = Object.keys(report.run.products).map((column) => [
    column,
    `results/${productPath(report, stretch.video, stretch.clip, column)}`,
  ]);
  return (
    <section aria-label="Its files">
      <h2>Its files</h2>
      <ul class="files">
        {paths.map(([column, path]) => (
          <li key={column}>
            <span class="quiet">{column}</span>
            <code class="path">{path}</code>
            <CopyButton text={() => path} label={`Copy the path of ${column}`}>
              Copy
            </CopyButton>
          </li>
        ))}
      </ul>
    </section>
  );
}
