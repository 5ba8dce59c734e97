/** Why a stretch was rejected: the picture that shows it, and sentences. */
import { number, resultPath } from "../data/data";
import { causeOf, comparison } from "./reasons";
import type { Report } from "../data/report";
import { address } from "../shared/route";
import { Still } from "./side_pictures";
import type { Stretch } from "../data/stretch";
import { rowOfVideo } from "../data/video_rows";

export function Why({ report, stretch }: { report: Report; stretch: Stretch }) {
  const cause = causeOf(report.run, stretch);
  const compared = comparison(report, stretch, cause);
  const rejected = stretch.verdict === "rejected";
  const title = rejected
    ? "Why it was rejected"
    : stretch.stage === "decisions"
      ? "Why it was kept"
      : "Kept in doubt";
  const { video, clip, stage, reason, detail } = stretch;
  // Of a clip that was cut the film shows it, and of a gap there is nothing to see.
  const pictured =
    rejected &&
    !stretch.cut &&
    (clip
      ? number(report.candidates, "preview.cause_frame", stretch.row) >= 0
      : stage !== "download" && Number.isNaN(stretch.start));
  const settings = cause.settings.map((name) => ({ name, known: settingOf(report, name) }));
  return (
    <section class="why" aria-label={title}>
      <div class="why-words">
        <h2>{title}</h2>
        <p class="reason">
          <strong class={rejected ? "rejected" : stage === "decisions" ? "kept" : "unsure"}>
            {reason}
          </strong>{" "}
          {cause.words}
        </p>
        {compared && (
          <p>
            <code>{compared}</code>
          </p>
        )}
        {detail && <p>{detail}</p>}
        {stage && (
          <p class="quiet">
            Found by the stage <code>{stage}</code>.
          </p>
        )}
        {settings.length > 0 && (
          <>
            <p class="decides">
              What decides in <code>config.yaml</code>:
            </p>
            <ul class="settings">
              {settings.map(({ name, known }) => (
                <li key={name}>
                  <code>
                    {name}
                    {known && `: ${String(known.value)}`}
                  </code>
                  {known && <span class="quiet"> {known.description}</span>}
                </li>
              ))}
            </ul>
            {settings.some(({ known }) => known) && (
              <p>
                <a href={address("thresholds")}>Try other thresholds</a>
              </p>
            )}
          </>
        )}
      </div>
      {pictured && (
        <div class="why-picture" style={{ "--wide": String(shapeOf(report, video)) }}>
          <Still
            address={resultPath(`preview/${video}/${clip || video}.why.jpg`)}
            label={`The whole picture with the face marked, where it shows ${reason || "why"}`}
          />
        </div>
      )}
    </section>
  );
}

/** Width of a video's picture by its height; 16:9 where it is not known. */
function shapeOf(report: Report, video: string): number {
  const row = rowOfVideo(report, video);
  const shape = number(report.videos, "width", row) / number(report.videos, "height", row);
  return shape > 0 ? shape : 16 / 9;
}

function settingOf(report: Report, name: string) {
  const [section, key] = name.split(".");
  return report.run.settings.find((one) => one.section === section && one.key === key);
}
