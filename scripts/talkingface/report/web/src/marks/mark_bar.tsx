/** What was marked so far, and the file that it goes into. */
import { useRef, useState } from "preact/hooks";
import { decodeText, readDecisions, writeDecisions } from "./decisions_file";
import {
  canUndo,
  decisions,
  markAll,
  remembers,
  setSaved,
  undo,
  unsaved,
  useMarks,
} from "./mark_store";
import type { Report } from "../data/report";
import { LetterKeys } from "../shared/letter_keys";
import { count, counted } from "../shared/quantity";
import "./mark_bar.css";

/** The counts of marks, and the buttons to save, open and undo them. */
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
      <div class="top">
        <p>
          <strong>Marks:</strong> {count(of.keep)} keep, {count(of.reject)} reject,{" "}
          {count(of[""])}{" "}
          only a note
          {open > 0 && <span class="unsure"> ({count(open)} not saved in a file yet)</span>}
        </p>
        <div class="buttons">
          <button
            type="button"
            disabled={!canUndo()}
            onClick={() => {
              const clips = undo(report);
              say(
                clips.length === 1
                  ? `Taken back: the mark of ${clips[0]}.`
                  : `Taken back: ${counted(clips.length, "mark")}.`,
              );
            }}
          >
            Undo
          </button>
          <button
            type="button"
            disabled={marks.size === 0 && open === 0}
            onClick={() => {
              download("decisions.csv", writeDecisions(marks));
              setSaved(report);
              say("Saved. Put decisions.csv beside videos.csv, in place of one that is there.");
            }}
          >
            Save decisions.csv
          </button>
          <button type="button" onClick={() => chooser.current!.click()}>
            Open decisions.csv
          </button>
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
                const read = readDecisions(decodeText(await file.arrayBuffer()));
                const changed = markAll(report, read);
                say(
                  `${counted(read.size, "decision")} read from ${file.name}; ` +
                    `${count(changed)} changed a mark.`,
                );
              } catch (problem) {
                say(`${file.name} was not read: ${(problem as Error).message}.`);
              }
              input.value = "";
            }}
          />
        </div>
      </div>
      <details>
        <summary>What becomes of marks, and keys</summary>
        <p>
          Save decisions.csv and put it beside videos.csv. The next run obeys it: what is marked
          reject is left out, what is marked keep is kept whatever was measured, and where that
          changes a verdict its reason is <q>by hand</q>. Notes decide nothing. The file holds all
          marks, those of an earlier file included.
        </p>
        <p>
          Keys on a row: <kbd>k</kbd> keep, <kbd>r</kbd> reject, <kbd>n</kbd> note,{" "}
          <kbd>Backspace</kbd> no mark, <kbd>u</kbd> undo; <kbd>j</kbd> or the arrows down and up go
          to other rows, left and right through the pictures; <kbd>p</kbd> plays, <kbd>w</kbd> shows
          why, <kbd>Escape</kbd> closes, <kbd>Enter</kbd> opens the clip.
        </p>
        <p>
          <LetterKeys>as above, and in the view of a clip. Off, only keys with a name act.</LetterKeys>
        </p>
      </details>
      {!remembers() && (
        <p class="unsure" role="alert">
          This browser cannot remember marks: they last until the page is closed. Save decisions.csv
          before.
        </p>
      )}
      {unknown > 0 && (
        <p class="quiet">
          {counted(unknown, "mark")} {unknown === 1 ? "is" : "are"} of clips that this report does not
          have. The file has them, too.
        </p>
      )}
      <p role="status" class="said">
        {said}
      </p>
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
