/** One stretch: its film and what was found in it, why it was rejected, and where it comes from. */
import { useEffect, useMemo, useState } from "preact/hooks";
import "./clip.css";
import { CopyButton } from "../shared/copy";
import { Curves } from "./curves";
import { DamagedFile, forget } from "../data/data";
import { meaningOf } from "../data/meanings";
import { FPS } from "../data/grid";
import { clipAddress, listAddress, listParameters, matchingRows } from "../filters/filters";
import { useKeys } from "./keys";
import { Ledger } from "./ledger";
import { LetterKeys } from "../shared/letter_keys";
import { MarkButtons, openNote } from "../marks/marks";
import { mark, markOf } from "../marks/mark_store";
import { neighboursOf } from "./neighbours";
import { ParsingFilter } from "./parsing";
import { FrameNumber, Player } from "./film";
import { Playhead } from "./playhead";
import { Files, Provenance } from "./provenance";
import { type Curved, type Report, loadDetail } from "../data/report";
import { type Route, go } from "../shared/route";
import { SidePictures } from "./side_pictures";
import { type Stretch, frameThatShowsWhy, nameOf, readStretch } from "../data/stretch";
import { Why } from "./why";

/** The view of one row, which the address names. */
export function ClipView({ report, route }: { report: Report; route: Route }) {
  const key = route.parameters.get("id") ?? "";
  const list = listParameters(report, route.parameters);
  const row = report.rows.get(key);
  const rows = matchingRows(report, list);
  const beside = useMemo(
    () => (row === undefined ? undefined : neighboursOf(report, rows, row, list)),
    [report, rows, row, list.toString()],
  );
  const back = listAddress(report, list);
  useKeys({
    "[": () => beside?.previous && go(beside.previous),
    "]": () => beside?.next && go(beside.next),
  });
  if (row === undefined || !beside) {
    return (
      <div class="one-clip">
        <p role="status">
          {key ? (
            <>
              There is no clip <code>{key}</code> in this report.
            </>
          ) : (
            "No clip is named in the address."
          )}
        </p>
        <p>
          <a href={back}>Back to the list</a>
        </p>
      </div>
    );
  }
  const stretch = readStretch(report, row);
  const frame = route.parameters.get("frame");
  return (
    <div class="one-clip">
      <nav class="beside" aria-label="Clips of the list">
        <a href={back}>Back to the list</a>
        <Neighbour to={beside.previous} keyName="[">
          Previous
        </Neighbour>
        <span class="place">
          {beside.place ? `${beside.place} of ${beside.count}` : "not in the list"}
        </span>
        <Neighbour to={beside.next} keyName="]">
          Next
        </Neighbour>
      </nav>
      <p class="title" role="status">
        <b class="name">{nameOf(stretch)}</b>{" "}
        <span class={stretch.verdict}>
          {stretch.verdict}
          {stretch.reason && `: ${meaningOf(stretch.stage, stretch.reason).title}`}
        </span>
      </p>
      {/* A clip of its own every time, so that nothing of the one before stays. */}
      <Stretched
        key={key}
        report={report}
        stretch={stretch}
        list={list}
        start={frame === null ? NaN : Number(frame)}
      />
    </div>
  );
}

function Neighbour(props: { to: string; keyName: string; children: string }) {
  const words = (
    <>
      {props.children} <kbd aria-hidden="true">{props.keyName}</kbd>
    </>
  );
  if (!props.to)
    return (
      <span class="neighbour quiet" aria-disabled="true">
        {words}
      </span>
    );
  return (
    <a class="neighbour" href={props.to}>
      {words}
    </a>
  );
}

const NOT_YET = { detail: null, decoded: null };

interface StretchedProps {
  report: Report;
  stretch: Stretch;
  /** Parameters of the list. */
  list: URLSearchParams;
  /** The frame that the address asks for; NaN where it asks for none. */
  start: number;
}

function Stretched({ report, stretch, list, start }: StretchedProps) {
  const [{ detail, decoded }, setCurved] = useState<Curved | typeof NOT_YET>(NOT_YET);
  const [absent, setAbsent] = useState("");
  const playhead = useMemo(() => {
    const first = Number.isNaN(start) ? frameThatShowsWhy(report, stretch) : start;
    return new Playhead(Math.max(1, stretch.frames), first);
  }, []);
  useEffect(() => {
    if (!stretch.clip) return;
    let here = true;
    loadDetail(stretch.video, stretch.clip)
      .then(
        (loaded) => here && setCurved(loaded),
        (problem) => here && setAbsent(whyAbsent(stretch, problem)),
      )
      .finally(() => here || forget(stretch.clip));
    return () => {
      here = false;
      forget(stretch.clip);
    };
  }, []);
  useKeys(
    stretch.frames
      ? {
          ...(stretch.cut && { " ": () => playhead.toggle() }),
          ArrowLeft: () => playhead.step(-1),
          ArrowRight: () => playhead.step(1),
          "Shift+ArrowLeft": () => playhead.step(-FPS),
          "Shift+ArrowRight": () => playhead.step(FPS),
        }
      : {},
  );
  const decide = (decision: "keep" | "reject") => {
    const again = markOf(report, stretch.clip).decision === decision;
    mark(report, stretch.clip, { decision: again ? "" : decision });
  };
  useKeys(
    stretch.clip
      ? {
          k: () => decide("keep"),
          r: () => decide("reject"),
          n: () => openNote(stretch.clip),
        }
      : {},
  );
  const explained = stretch.verdict === "rejected" || stretch.reason !== "";
  const link = () => {
    const to = clipAddress(report, stretch.row, list);
    return new URL(stretch.clip ? `${to}&frame=${playhead.frame}` : to, location.href).href;
  };
  // Beside the film, so that what is heard, said and moved is seen together with it.
  const curves = (
    <Curves playhead={playhead} detail={detail} decoded={decoded} absent={absent} />
  );
  return (
    <>
      <div class="actions">
        {stretch.clip && <MarkButtons report={report} clip={stretch.clip} />}
        <CopyButton text={link}>Copy link</CopyButton>
        <LetterKeys>
          {stretch.clip && (
            <>
              <kbd>k</kbd> keep, <kbd>r</kbd> reject, <kbd>n</kbd> note,{" "}
            </>
          )}
          {stretch.cut && (
            <>
              <kbd>Space</kbd> plays,{" "}
            </>
          )}
          <kbd>[</kbd> and <kbd>]</kbd> go to the previous and the next
        </LetterKeys>
      </div>
      {stretch.cut && <ParsingFilter labels={report.run.labels} />}
      <div class={stretch.cut ? "top" : "top one"}>
        {stretch.cut && (
          <Player
            report={report}
            stretch={stretch}
            playhead={playhead}
            decoded={decoded}
            loading={!detail && !absent}
          />
        )}
        <div class="right">
          {explained && <Why report={report} stretch={stretch} />}
          {stretch.cut && (
            <>
              <SidePictures report={report} stretch={stretch} playhead={playhead} />
              {curves}
            </>
          )}
        </div>
      </div>
      {stretch.clip && !stretch.cut && (
        <>
          <FrameNumber playhead={playhead} />
          {curves}
        </>
      )}
      <div class="words">
        <Provenance report={report} stretch={stretch} />
        {stretch.cut && <Files report={report} stretch={stretch} />}
      </div>
      <Ledger report={report} row={stretch.row} />
    </>
  );
}

function whyAbsent({ video, clip }: Stretch, problem: unknown): string {
  return problem instanceof DamagedFile
    ? `The file with the curves of this clip is damaged: results/preview/${video}/${clip}.js. ` +
        "Delete it, and the next run makes it again."
    : "The curves of this clip are not in the files beside the page.";
}
