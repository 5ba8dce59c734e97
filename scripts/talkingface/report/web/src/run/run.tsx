/** Videos that could not be had or used, gaps in others, and where the time of the run went. */
import { useMemo } from "preact/hooks";
import { Failures, Gaps, Unusable } from "./downloads";
import type { Report } from "../data/report";
import type { Route } from "../shared/route";
import "./run.css";
import { settingName } from "../data/thresholds";
import { Times } from "./times";

/** The view of the run. */
export function RunView({ report }: { report: Report; route: Route }) {
  return (
    <div class="run">
      <Failures report={report} />
      <Unusable report={report} />
      <Gaps report={report} />
      <Times report={report} />
      <Changed report={report} />
    </div>
  );
}

/** Thresholds that are not the defaults. */
function Changed({ report }: { report: Report }) {
  const changed = useMemo(
    () => report.run.settings.filter((setting) => setting.value !== setting.default), [report],
  );
  const shown = (value: unknown) => (value === null ? "none" : String(value));
  return (
    <section aria-labelledby="changed">
      <h2 id="changed">Thresholds that were changed</h2>
      {changed.length === 0 ? <p>All are the defaults.</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="changed">
          <table>
            <thead>
              <tr><th scope="col">Setting</th><th scope="col" class="number">Value</th><th scope="col" class="number">Default</th><th scope="col">Meaning</th></tr>
            </thead>
            <tbody>
              {changed.map((setting) => (
                <tr>
                  <th scope="row"><code>{settingName(setting)}</code></th>
                  <td class="number">{shown(setting.value)}</td>
                  <td class="number">{shown(setting.default)}</td>
                  <td class="meaning">{setting.description}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
