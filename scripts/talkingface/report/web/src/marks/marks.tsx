/** Marks of clips: keep, reject or a note, which become decisions.csv. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { LONGEST_NOTE, mark, markOf, useMarks } from "./mark_store";
import type { Report } from "../data/report";
import "./marks.css";

interface MarkButtonsProps {
  report: Report;
  clip: string;
  /** Signs alone, for lists. */
  compact?: boolean;
  tabIndex?: number;
}

/** The clip whose note is being written. */
let open = "";
const listeners = new Set<() => void>();

/** Opens the note of a clip whose buttons are in the page; "" closes it. */
export function openNote(clip: string): void {
  open = clip;
  for (const listener of [...listeners]) listener();
}

function useOpen(clip: string): boolean {
  const [is, set] = useState(open === clip);
  useEffect(() => {
    const listener = () => set(open === clip);
    listener();
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (open === clip) open = "";
    };
  }, [clip]);
  return is;
}

/** The buttons and the note of one clip; nothing for a row without clip_id. */
export function MarkButtons({ report, clip, compact = false, tabIndex }: MarkButtonsProps) {
  useMarks();
  const writing = useOpen(clip);
  const noteButton = useRef<HTMLButtonElement>(null);
  if (!clip) return null;
  const { decision, note } = markOf(report, clip);
  const button = (wanted: "keep" | "reject", sign: string) => (
    <button
      type="button"
      class={wanted}
      tabIndex={tabIndex}
      aria-pressed={decision === wanted}
      aria-label={`${wanted} ${clip}`}
      title={`Mark: ${wanted} (${wanted === "keep" ? "k" : "r"})`}
      onClick={() => mark(report, clip, { decision: decision === wanted ? "" : wanted })}
    >
      <span aria-hidden="true">
        {sign}
        {!compact && ` ${wanted}`}
      </span>
    </button>
  );
  return (
    <div class={`marks${compact ? " compact" : ""}`} role="group" aria-label={`Marks of ${clip}`}>
      {button("keep", "\u2713")}
      {button("reject", "\u2715")}
      <button
        ref={noteButton}
        type="button"
        class={note ? "note has" : "note"}
        tabIndex={tabIndex}
        aria-expanded={writing}
        aria-label={note ? `note of ${clip}: ${note}` : `write a note of ${clip}`}
        title={note || "Write a note (n)"}
        onClick={() => openNote(writing ? "" : clip)}
      >
        <span aria-hidden="true">
          {note ? "\u270e\u2022" : "\u270e"}
          {!compact && " note"}
        </span>
      </button>
      {!compact && note && !writing && <p class="text">{note}</p>}
      {writing && (
        <Note
          clip={clip}
          note={note}
          onNote={(written) => mark(report, clip, { note: written })}
          onClose={() => {
            openNote("");
            noteButton.current?.focus({ preventScroll: true });
          }}
        />
      )}
    </div>
  );
}

function Note({
  clip,
  note,
  onNote,
  onClose,
}: {
  clip: string;
  note: string;
  onNote: (note: string) => void;
  onClose: () => void;
}) {
  const [draft, setDraft] = useState(note);
  const field = useRef<HTMLTextAreaElement>(null);
  // Before anything else that is typed arrives.
  useLayoutEffect(() => field.current!.focus(), []);
  const save = () => {
    onNote(draft);
    onClose();
  };
  return (
    <div
      class="editor"
      onKeyDown={(event) => {
        // The keys of a list are letters here.
        event.stopPropagation();
        if (event.key === "Escape") onClose();
        // A note has one line, so Enter ends it; but on a button it presses that.
        if (event.key !== "Enter" || event.target !== field.current) return;
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={field}
        rows={3}
        maxLength={LONGEST_NOTE}
        aria-label={`Note of ${clip}`}
        value={draft}
        onInput={(event) => setDraft(event.currentTarget.value)}
      />
      <div class="buttons">
        <button type="button" onClick={save}>
          Save note
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <span class="quiet">Enter saves</span>
      </div>
    </div>
  );
}
