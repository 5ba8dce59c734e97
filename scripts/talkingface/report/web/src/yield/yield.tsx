/** How much of the videos became clips, and where the rest went. */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { text } from "../data/data";
import { Funnel, Losses } from "./funnel";
import { GROUPINGS, type Grouping, groupAddress, groupTitle } from "../shared/groupings";
import { Groups } from "./groups";
import { type Condition, listOf } from "../shared/links";
import { count, counted, length, share } from "../shared/quantity";
import type { Report } from "../data/report";
import type { Route } from "../shared/route";
import { stepsOf } from "./steps";
import { secondsOf } from "../data/grid";
import { type Tally, tally } from "../data/tally";
import "./yield.css";

interface Selection {
  grouping: Grouping;
  name: string;
}

/** The view of what the videos gave. */
export function YieldView({ report, route }: { report: Report; route: Route }) {
  const address = route.parameters.toString();
  const { selection, grouping } = useMemo(() => readSelection(route.parameters), [address]);
  const conditions = useMemo(() => selectionConditions(selection), [selection]);
  const found = useMemo(() => tallyOf(report, selection), [report, selection]);
  const steps = useMemo(() => stepsOf(found, conditions), [found, conditions]);
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(selection?.name);
  useEffect(() => {
    // Who has chosen a group further down is taken to what is shown of it.
    if (shown.current !== selection?.name) heading.current?.focus();
    shown.current = selection?.name;
  }, [selection]);
  if (report.videos.length === 0) {
    return <p class="empty">The list of videos is empty: there is nothing to count. Add rows to videos.csv, and run again.</p>;
  }
  return (
    <div class="yield">
      <Figures found={found} conditions={conditions} />
      <div class="heading">
        <h2 ref={heading} tabIndex={-1}>
          {selection ? `${selection.grouping.one}: ${groupTitle(selection.grouping, selection.name)}` : "From videos to clips"}
        </h2>
        {selection && <a href={groupAddress(selection.grouping, null)}>Show all videos</a>}
      </div>
      {found.videos === 0 && <p class="empty">No video is of this {selection?.grouping.one.toLowerCase()}.</p>}
      {found.videos > 0 && found.kept.clips === 0 && (
        <p class="empty"><strong>No clip was kept.</strong> The reasons are below: each leads to what it was said of, and <a href="#thresholds">Thresholds</a> shows what other settings would keep.</p>
      )}
      <Doubles report={report} all={!selection} />
      {found.videos > 0 && (
        <div class="parts">
          <Funnel steps={steps} />
          <section aria-labelledby="losses">
            <h3 id="losses">What was lost, and why</h3>
            <Losses steps={steps} />
          </section>
        </div>
      )}
      <Groups report={report} grouping={grouping} chosen={selection?.name ?? null} />
    </div>
  );
}

function readSelection(parameters: URLSearchParams): { selection: Selection | null; grouping: Grouping } {
  for (const grouping of GROUPINGS) {
    const name = parameters.get(grouping.parameter);
    if (name !== null) return { selection: { grouping, name }, grouping };
  }
  const by = parameters.get("by");
  return { selection: null, grouping: GROUPINGS.find(({ parameter }) => parameter === by) ?? GROUPINGS[0] };
}

function selectionConditions(selection: Selection | null): Condition[] {
  if (!selection) return [];
  const column = selection.grouping.column;
  return [[column === "identity" ? column : `video.${column}`, selection.name]];
}

function tallyOf(report: Report, selection: Selection | null): Tally {
  if (!selection) return tally(report, () => true);
  const { grouping, name } = selection;
  return tally(report, (row) => text(report.videos, grouping.column, row) === name);
}

/** The numbers that matter most. */
function Figures({ found, conditions }: { found: Tally; conditions: Condition[] }) {
  const kept = secondsOf(found.kept.frames);
  const side = (name: "train" | "eval") => (
    <a href={listOf([...conditions, ["split", name]])}>
      {count(found[name].clips)} <small>{name}</small>
    </a>
  );
  return (
    <dl class="figures">
      <Figure name="Videos" id="videos" more={found.had === found.videos ? "all could be had" : (
        <a href="#run">{count(found.videos - found.had)} could not be had</a>
      )}>
        {count(found.videos)}
      </Figure>
      <Figure name="Length of the videos" id="hours-in" more="as their files say">{length(found.secondsIn)}</Figure>
      <Figure name="Kept clips" id="clips" more={`of ${counted(found.candidates.clips, "candidate")}`}>
        <a href={listOf([...conditions, ["verdict", "kept"]])}>{count(found.kept.clips)}</a>
      </Figure>
      <Figure name="Length of the clips" id="hours-kept" more={found.secondsIn > 0 ? `${share(kept, found.secondsIn)} of the videos` : ""}>
        {length(kept)}
      </Figure>
      <Figure name="Split" id="split" more={`${length(secondsOf(found.train.frames))} and ${length(secondsOf(found.eval.frames))}`}>
        {side("train")} <span class="quiet">/</span> {side("eval")}
      </Figure>
      <Figure name="Identities" id="identities" more="named, with a kept clip">{count(found.identities)}</Figure>
      {found.unsure.clips > 0 && (
        <Figure name="Kept in doubt" id="unsure" more="who speaks is not certain">
          <a href={listOf([...conditions, ["verdict", "kept"], ["reason", "unsure"]])}>{count(found.unsure.clips)}</a>
        </Figure>
      )}
      {found.byHand.clips > 0 && (
        <Figure name="Kept by hand" id="by-hand" more="against what was measured">
          <a href={listOf([...conditions, ["verdict", "kept"], ["stage", "decisions"]])}>{count(found.byHand.clips)}</a>
        </Figure>
      )}
    </dl>
  );
}

function Figure({ name, id, more, children }: {
  name: string;
  id: string;
  more?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <div class="figure" data-figure={id}>
      <dt>{name}</dt>
      <dd class="value">{children}</dd>
      {more && <dd class="quiet">{more}</dd>}
    </div>
  );
}

/** A word on videos that are the same recording. */
function Doubles({ report, all }: { report: Report; all: boolean }) {
  const same = report.run.summary.same_recording;
  const again = (same ?? []).reduce((sum, names) => sum + names.length - 1, 0);
  if (!all || again === 0) return null;
  return <p class="quiet">{counted(again, "video")} of the list {again === 1 ? "is a recording" : "are recordings"} listed before; the split keeps them on one side.</p>;
}
