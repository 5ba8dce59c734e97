/** What is missing of the videos: those that could not be had, could not be used, or have gaps. */
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { number, text } from "../data/data";
import { linkOf } from "../data/origins";
import { clock, count, counted, length, measure } from "../shared/quantity";
import { meaningOf, statusMeaning } from "../data/meanings";
import { type Report, rowKey } from "../data/report";
import { secondsOf } from "../data/grid";
import { address } from "../shared/route";
import { videoRow } from "../data/video_rows";
import { VirtualList } from "../shared/virtual";
import { sentence } from "../shared/words";

// A longer list is one that scrolls.
const MOST_ROWS = 30;
const ROW_HEIGHT = 72;
const RETRY = "snakemake --cores 1 retry_unavailable && snakemake --cores 8";

/** Rows as a list; of a long one only what is seen is in the page. */
function Rows({ label, count: rows, render }: {
  label: string;
  count: number;
  render: (place: number) => ComponentChildren;
}) {
  if (rows > MOST_ROWS) {
    return <VirtualList label={label} count={rows} rowHeight={ROW_HEIGHT} height={`${6 * ROW_HEIGHT}px`} render={render} />;
  }
  return <ul class="rows" aria-label={label}>{Array.from({ length: rows }, (_, place) => <li>{render(place)}</li>)}</ul>;
}

/** Videos that could not be had, by status. */
export function Failures({ report }: { report: Report }) {
  const { videos } = report;
  const groups = useMemo(() => {
    const found = new Map<string, number[]>();
    for (let row = 0; row < videos.length; row++) {
      const status = text(videos, "status", row);
      if (status === "ok") continue;
      if (!found.has(status)) found.set(status, []);
      found.get(status)!.push(row);
    }
    return [...found].sort(([, one], [, other]) => other.length - one.length);
  }, [videos]);
  const failed = groups.reduce((sum, [, rows]) => sum + rows.length, 0);
  const again = groups.flatMap(([, rows]) => rows)
    .filter((row) => number(videos, "retried", row) === 1).length;
  return (
    <section aria-labelledby="failures">
      <h2 id="failures">Videos that could not be had</h2>
      {videos.length === 0 && <p>The list of videos is empty.</p>}
      {videos.length > 0 && failed === 0 && <p>None: {videos.length === 1 ? "the one video of the list was had" : `all ${count(videos.length)} videos of the list were had`}.</p>}
      {failed > 0 && (
        <p>{count(failed)} of {counted(videos.length, "video")}. {again > 0 ? "Another try may help with" : "Another try would not help."} {again > 0 && <>{again === failed ? "all of them" : counted(again, "video")}, with the options of your run:</>}</p>
      )}
      {again > 0 && <p><code class="command">{RETRY}</code></p>}
      {groups.map(([status, rows]) => {
        const { title, words, remedy } = statusMeaning(status);
        return (
          <section class="status" aria-labelledby={`status-${status}`} data-status={status} data-count={rows.length}>
            <h3 id={`status-${status}`}>{title} <span class="quiet">{counted(rows.length, "video")}, status <code>{status}</code></span></h3>
            <p>{[sentence(words), remedy].filter(Boolean).join(" ")}</p>
            <Rows label={`Videos with the status ${title}`} count={rows.length} render={(place) => <Failure report={report} row={rows[place]} />} />
          </section>
        );
      })}
    </section>
  );
}

function Failure({ report: { videos }, row }: { report: Report; row: number }) {
  const tries = number(videos, "tries", row);
  const source = text(videos, "source", row);
  const reason = text(videos, "reason", row);
  return (
    <div class="video" data-video={text(videos, "video_id", row)}>
      <strong>{text(videos, "video_id", row)}</strong>
      <Source source={source} />
      <span class="why" title={reason}>
        {reason || "No reason was given."}
        {tries > 0 && <span class="quiet"> {counted(tries, "try", "tries")}</span>}
      </span>
    </div>
  );
}

/** Where a video comes from: a link where it is an address, otherwise text. */
function Source({ source }: { source: string }) {
  const link = linkOf(source);
  if (!link) return <span class="source" title={source}>{source}</span>;
  return <a class="source" href={link} rel="noreferrer" title={source}>{source}</a>;
}

/** Rows of the ledgers without a candidate: of whole videos that were had, or of gaps. */
function ledgerRows(report: Report, whole: boolean): number[] {
  const { candidates } = report;
  const found: number[] = [];
  for (let row = 0; row < candidates.length; row++) {
    if (text(candidates, "clip_id", row) || text(candidates, "stage", row) === "download") continue;
    if (Number.isNaN(number(candidates, "start_frame", row)) === whole) found.push(row);
  }
  return found;
}

/** Videos that were had and of which nothing can be used. */
export function Unusable({ report }: { report: Report }) {
  const rows = useMemo(() => ledgerRows(report, true), [report]);
  return (
    <section aria-labelledby="unusable" data-count={rows.length}>
      <h2 id="unusable">Videos without a candidate</h2>
      {rows.length === 0
        ? <p>None: every video that could be had has sound and shows a face.</p>
        : <p>{counted(rows.length, "video")} could be had, but nothing of {rows.length === 1 ? "it" : "them"} can be used.</p>}
      <Rows label="Videos without a candidate" count={rows.length} render={(place) => <LedgerRow report={report} row={rows[place]} />} />
    </section>
  );
}

/** Gaps in videos, and videos that end early. */
export function Gaps({ report }: { report: Report }) {
  const rows = useMemo(() => ledgerRows(report, false), [report]);
  return (
    <section aria-labelledby="gaps" data-count={rows.length}>
      <h2 id="gaps">Gaps, and videos that end early</h2>
      {rows.length === 0
        ? <p>None was found.</p>
        : <p>{counted(rows.length, "place")} in videos {rows.length === 1 ? "has" : "have"} no picture of {rows.length === 1 ? "its" : "their"} own. What is before and after is used.</p>}
      <Rows label="Gaps" count={rows.length} render={(place) => <LedgerRow report={report} row={rows[place]} />} />
    </section>
  );
}

function LedgerRow({ report, row }: { report: Report; row: number }) {
  const { candidates, videos } = report;
  const { title, words } = meaningOf(text(candidates, "stage", row), text(candidates, "reason", row));
  const start = secondsOf(number(candidates, "start_frame", row));
  const end = secondsOf(number(candidates, "end_frame", row));
  const value = number(candidates, "value", row);
  const detail = text(candidates, "detail", row) || words;
  const of = videoRow(report, row);
  return (
    <div class="video" data-row={rowKey(candidates, row)}>
      <strong><a href={address("clip", { id: rowKey(candidates, row) })}>{text(candidates, "video_id", row)}</a></strong>
      {Number.isNaN(start)
        ? <Source source={of < 0 ? "" : text(videos, "source", of)} />
        : <span class="source">at {clock(start)}{end > start && ` to ${clock(end)}`}, {Number.isNaN(value) ? length(end - start) : measure(value, "s")}</span>}
      <span class="why" title={detail}>{title}: {detail}</span>
    </div>
  );
}
