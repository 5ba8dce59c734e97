/** Why a stretch was rejected: the picture that shows it, and sentences. */
import { resultPath } from "./data";
import { causeOf, comparison } from "./reasons";
import type { Report } from "./report";
import { address } from "./route";
import { Still } from "./sidepictures";
import type { Stretch } from "./stretch";

export function Why({ report, stretch }: { report: Report; stretch: Stretch }) {
  const cause = causeOf(report.run, stretch);
  const compared = comparison(report, stretch, cause);
  const rejected = stretch.verdict === "rejected";
  const { video, clip, stage, reason, detail } = stretch;
  const settings = cause.settings.map((name) => ({ name, known: settingOf(report, name) }));
  return (
    <section class="why" aria-label={rejected ? "Why it was rejected" : "Why it is in doubt"}>
      <h2>{rejected ? "Why it was rejected" : "Kept in doubt"}</h2>
      <p class="reason">
        <strong class={rejected ? "rejected" : "unsure"}>{reason}</strong> {cause.words}
      </p>
      {compared && <p><code>{compared}</code></p>}
      {detail && <p>{detail}</p>}
      {stage && <p class="quiet">Found by the stage <code>{stage}</code>.</p>}
      {settings.length > 0 && (
        <>
          <p class="decides">What decides in <code>config.yaml</code>:</p>
          <ul class="settings">
            {settings.map(({ name, known }) => (
              <li key={name}>
                <code>{name}{known && `: ${String(known.value)}`}</code>
                {known && <span class="quiet"> {known.description}</span>}
              </li>
            ))}
          </ul>
          {settings.some(({ known }) => known) && (
            <p><a href={address("thresholds")}>Try other thresholds</a></p>
          )}
        </>
      )}
      {rejected && (clip || Number.isNaN(stretch.start)) && (
        <div class="why-picture">
          <Still
            address={resultPath(`preview/${video}/${clip || video}.why.jpg`)}
            label={`The whole picture with the face marked, at the frame that shows ${reason || "why"}`}
          />
        </div>
      )}
    </section>
  );
}

function settingOf(report: Report, name: string) {
  const [section, key] = name.split(".");
  return report.run.settings.find((one) => one.section === section && one.key === key);
}
