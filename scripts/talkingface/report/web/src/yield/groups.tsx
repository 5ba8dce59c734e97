/** What every source, or every person, gives: a list in which one can be chosen. */
import { useMemo, useState } from "preact/hooks";
import { GROUPINGS, type Grouping, groupAddress, groupTitle } from "../shared/groupings";
import { count, counted, length, share } from "../shared/quantity";
import type { Report } from "../data/report";
import { secondsOf } from "../data/grid";
import { type Group, groupsBy } from "../data/tally";
import { VirtualList } from "../shared/virtual";

const ROW_HEIGHT = 56;
const MOST_HEIGHT = 9;

/** The list of the groups of one grouping. */
export function Groups({ report, grouping, chosen }: {
  report: Report;
  grouping: Grouping;
  chosen: string | null;
}) {
  const [words, setWords] = useState("");
  const groups = useMemo(() => groupsBy(report, grouping.column), [report, grouping]);
  const found = useMemo(() => {
    const wanted = words.trim().toLowerCase();
    return groups.filter(({ name }) => groupTitle(grouping, name).toLowerCase().includes(wanted));
  }, [groups, words, grouping]);
  const longest = Math.max(0, ...groups.map(({ secondsIn }) => secondsIn));
  const height = ROW_HEIGHT * Math.min(Math.max(groups.length, 1), MOST_HEIGHT);
  return (
    <section class="groups" aria-labelledby="groups">
      <div class="heading">
        <h2 id="groups">What each {grouping.one.toLowerCase()} gives</h2>
        <nav aria-label="Grouping">
          {GROUPINGS.map((other) => (
            <a href={groupAddress(other, null)} aria-current={other === grouping ? "true" : undefined}>{other.title}</a>
          ))}
        </nav>
        <label>
          <span>Name contains</span>
          <input type="search" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        </label>
        <p class="quiet" role="status">{words.trim() ? `${count(found.length)} of ` : ""}{counted(groups.length, grouping.noun, grouping.nouns)}, longest kept first</p>
      </div>
      <div class="group head" aria-hidden="true">
        <span>{grouping.one}</span><span class="number">Videos</span><span class="number">Length</span>
        <span class="number">Candidates</span><span class="number">Clips</span><span class="number">Kept</span>
        <span>Kept, of the length of its videos</span>
      </div>
      {found.length === 0 && <p>No name contains this.</p>}
      {found.length > 0 && (
        <VirtualList
          count={found.length}
          rowHeight={ROW_HEIGHT}
          height={`${height}px`}
          label={grouping.title}
          render={(place) => (
            <GroupRow group={found[place]} grouping={grouping} chosen={chosen} longest={longest} />
          )}
        />
      )}
    </section>
  );
}

function GroupRow({ group, grouping, chosen, longest }: {
  group: Group;
  grouping: Grouping;
  chosen: string | null;
  longest: number;
}) {
  const kept = secondsOf(group.keptFrames);
  // The percentage beside the longest bar has its own place.
  const part = (seconds: number) => `calc((100% - 3.6rem) * ${longest > 0 ? seconds / longest : 0})`;
  const title = groupTitle(grouping, group.name);
  return (
    <a
      class="group"
      href={groupAddress(grouping, group.name)}
      aria-current={group.name === chosen ? "true" : undefined}
      title={title}
      data-name={group.name}
      data-clips={group.clips}
      data-seconds={kept}
    >
      <span class="title">{title}</span>
      <span class="number">{count(group.videos)}<i> videos</i></span>
      <span class="number">{group.secondsIn > 0 ? <>{length(group.secondsIn)}<i> in</i></> : <><i>length </i>not known</>}</span>
      <span class="number">{count(group.candidates)}<i> candidates</i></span>
      <span class="number">{count(group.clips)}<i> clips</i></span>
      <span class="number">{length(kept)}<i> kept</i></span>
      <span class="bars">
        {group.secondsIn > 0 && <span class="bar in" style={{ width: part(group.secondsIn) }} />}
        {kept > 0 && <span class="bar out" style={{ width: part(kept) }} />}
        {group.secondsIn > 0 && <span class="percent">{share(kept, group.secondsIn)}</span>}
      </span>
    </a>
  );
}
