/** Clips and length of every named person. */
import { useMemo } from "preact/hooks";
import { BY_IDENTITY, groupAddress } from "../shared/groupings";
import { type Condition, listOf } from "../shared/links";
import { count, counted, length } from "../shared/quantity";
import type { Report } from "../data/report";
import { secondsOf } from "../data/grid";
import { groupsBy } from "../data/tally";

const MOST = 12;

/** The card of the named persons with most clips. */
export function IdentitiesCard({ report }: { report: Report }) {
  const groups = useMemo(
    () => groupsBy(report, "identity").filter(({ clips }) => clips > 0), [report],
  );
  const named = groups.filter(({ name }) => name);
  const unnamed = groups.find(({ name }) => !name);
  const longest = Math.max(0, ...named.map(({ keptFrames }) => keptFrames));
  return (
    <section class="card" aria-labelledby="identities" data-column="identity">
      <h2 id="identities">Identities</h2>
      <p class="quiet">kept clips of each, by the names in videos.csv</p>
      {named.length === 0 && <p class="nothing">No kept clip is of a named person.</p>}
      <ol class="people">
        {named.slice(0, MOST).map((group) => {
          const conditions: Condition[] = [["identity", group.name], ["verdict", "kept"]];
          return (
            <li key={group.name} data-name={group.name}>
              <a href={groupAddress(BY_IDENTITY, group.name)} title={group.name}>{group.name}</a>
              <span class="number"><a href={listOf(conditions)}>{counted(group.clips, "clip")}</a></span>
              <span class="number">{length(secondsOf(group.keptFrames))}</span>
              <span class="bar" style={{ width: `${longest > 0 ? (100 * group.keptFrames) / longest : 0}%` }} />
            </li>
          );
        })}
      </ol>
      {named.length > MOST && <p><a href={groupAddress(BY_IDENTITY, null)}>All {count(named.length)} identities</a></p>}
      {unnamed && <p class="quiet">Beside them {counted(unnamed.clips, "clip")} ({length(secondsOf(unnamed.keptFrames))}) of persons that are not named.</p>}
    </section>
  );
}
