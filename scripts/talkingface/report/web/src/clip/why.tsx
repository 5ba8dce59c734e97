/** Why a stretch was rejected: the picture that shows it, and sentences. */
import { number } from "../data/data";
import { meaningOf } from "../data/meanings";
import { whyPath } from "../data/paths";
import { causeOf, comparison } from "./reasons";
import { sentence } from "../shared/words";
import type { Report } from "../data/report";
import { address } from "../shared/route";
import { Still } from "./side_pictures";
import type { Stretch } from "../data/stretch";
import { settingName } from "../data/thresholds";
import { rowOfVideo } from "../data/video_rows";

/** The reason of a verdict in words, with numbers, settings and a picture. */
export function Why({ report, stretch }: { report: Report; stretch: Stretch }) {
  const cause = causeOf(report.run, stretch);
  const compared = comparison(report, stretch, cause);
  const rejected = stretch.verdict === "rejected";
  const title = rejected
    ? "Why it was rejected"
    : stretch.stage === "decisions"
      ? "Why it was kept"
      : "Kept in doubt";
  const { video, stage, reason, detail } = stretch;
  // That of a gate says what was compared once more, unless the clip misses several.
  const further = stage === "quality" && !detail.includes(";") ? "" : detail;
  // Of a clip that was cut the film shows it.
  const picture = stretch.cut ? "" : whyPath(report, stretch.row);
  const meaning = meaningOf(stage, reason);
  const settings = cause.settings.map((name) => ({ name, known: settingOf(report, name) }));
  return (
    <section class="why" aria-label={title}>
      <div class="why-words">
        <h2>{title}</h2>
        <p class="reason">
          <strong class={rejected ? "rejected" : stage === "decisions" ? "kept" : "unsure"}>
            {meaning.title}
          </strong>
          {meaning.words && `: ${meaning.words}.`}
        </p>
        {compared && <p class="compared">{sentence(compared)}</p>}
        {further && <p>{sentence(further)}</p>}
        {stage && (
          <p class="quiet">
            Found by the stage <code>{stage}</code>, as <code>{reason}</code>.
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
                  {known && <span class="quiet"> {known.description.replaceAll("`", "")}</span>}
                  {known && (
                    <>
                      {" "}
                      <a href={address("thresholds", { at: name })}>
                        Try another value<span class="visually-hidden"> of {name}</span>
                      </a>
                    </>
                  )}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
      {picture && (
        <div class="why-picture" style={{ "--wide": String(shapeOf(report, video)) }}>
          <Still
            address={picture}
            label={`The whole picture with the face marked, where it shows: ${meaning.title}`}
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
  return report.run.settings.find((setting) => settingName(setting) === name);
}
