/** What was marked so far, and the file that it goes into. */
import { useRef, useState } from "preact/hooks";
import { readDecisions, writeDecisions } from "./decisionsfile";
import { canUndo, decisions, markAll, remembers, setSaved, undo, unsaved, useMarks } from "./markstore";
import type { Report } from "./report";
import { count } from "./words";

export function MarkBar({ report }: { report: Report }) {
  useMarks();
  const [said, say] = useState("");
  const chooser = useRef<HTMLInputElement>(null);
  const marks = decisions(report);
  const of = { keep: 0, reject: 0, "": 0 };
  let unknown = 0;
  for (const [clip, { decision }] of marks) {
    of[decision]++;
    if (!report.rows.has(clip)) unknown++;
  }
  const open = unsaved(report).length;
  return (
    <section class="markbar" aria-label="Marks">
      <p>
        <strong>Marks:</strong> {count(of.keep)} keep, {count(of.reject)} reject, {count(of[""])} only a note
        {open > 0 && <span class="unsure"> ({count(open)} not saved in a file yet)</span>}
      </p>
      <div class="buttons">
        <button type="button" disabled={!canUndo()} onClick={() => {
          const clips = undo(report);
          say(clips.length === 1 ? `Taken back: the mark of ${clips[0]}.` : `Taken back: ${count(clips.length)} marks.`);
        }}>Undo</button>
        <button type="button" disabled={marks.size === 0 && open === 0} onClick={() => {
          download("decisions.csv", writeDecisions(marks));
          setSaved(report);
          say("Saved. Put decisions.csv beside videos.csv, in place of one that is there.");
        }}>Save decisions.csv</button>
        <button type="button" onClick={() => chooser.current!.click()}>Open decisions.csv</button>
        <input
          ref={chooser}
          type="file"
          accept=".csv,text/csv"
          hidden
          aria-label="decisions.csv to open"
          onChange={async (event) => {
            const input = event.currentTarget;
            const file = input.files?.[0];
            if (!file) return;
            try {
              const read = readDecisions(await file.text());
              const changed = markAll(report, read);
              say(`${count(read.size)} decisions read from ${file.name}; ${count(changed)} changed a mark.`);
            } catch (problem) {
              say(`${file.name} was not read: ${(problem as Error).message}.`);
            }
            input.value = "";
          }}
        />
      </div>
      <details>
        <summary>What becomes of marks</summary>
        <p>
          Save decisions.csv and put it beside videos.csv. The next run obeys it: a clip that is marked reject is
          left out, one that is marked keep is kept whatever its measures, and the ledger says by hand. Notes decide
          nothing. The file holds all marks, those of earlier files included.
        </p>
        <p>On a row: k keeps, r rejects, n writes a note, Backspace takes the mark off, u takes the last step back.</p>
      </details>
      {!remembers() && (
        <p class="unsure" role="alert">This browser cannot remember marks: they last until the page is closed. Save decisions.csv before.</p>
      )}
      {unknown > 0 && (
        <p class="quiet">{count(unknown)} marks are of clips that this report does not have. They are in the file, too.</p>
      )}
      <p role="status" class="said">{said}</p>
    </section>
  );
}

function download(name: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
