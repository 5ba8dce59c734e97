/** The list of clips: rows or tiles, of which only what is seen is in the page, and its keys. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ClipRow, type ClipRowProps, ClipTile, NarrowClipRow } from "./clip_row";
import { text } from "../data/data";
import type { FilterState } from "../filters/filter_state";
import type { ListColumn } from "./list_columns";
import { ListHead } from "./list_head";
import { openNote } from "../marks/marks";
import { mark, markOf, undo, useMarks } from "../marks/mark_store";
import type { Shown } from "./enlarged";
import { filmPath, whyPath } from "../data/paths";
import { rowKey } from "../data/report";
import { mayAct } from "../shared/letter_keys";
import { VirtualList } from "../shared/virtual";

/** How the list is shown: by rows, by rows of two lines, or by tiles. */
export type Mode = "table" | "narrow" | "gallery";

const ROW_HEIGHTS = { table: 74, narrow: 92 };
const HEAD_HEIGHT = 68;
/** Sides of tiles at least, and the space that a tile needs beside and below its picture. */
const TILE = 150;
const TILE_GAP = 12;
const TILE_BELOW = 128;
/** Rows from the end whose pictures open upwards. */
const LAST_ROWS = 4;
const PAGE = 10;
const FIXED_WIDTH = 44 + 72 + 240 + 158;

interface Place {
  offset: number;
  key: string;
}

/** What is active and shown large in the list of an address. */
interface Here {
  address: string;
  active: number;
  open: { row: number; shown: Shown } | null;
}

/** Where every list was left, by its address, for those who come back to it. */
const places = new Map<string, Place>();

/** Forgets where a list was left. */
export function fromTheTop(address: string): void {
  places.delete(address);
}

interface ClipListProps {
  state: FilterState;
  address: string;
  columns: ListColumn[];
  mode: Mode;
  /** Width that there is, in pixels. */
  width: number;
}

/** The list, which keeps its place for those who come back to it. */
export function ClipList({ state, address, columns, mode, width }: ClipListProps) {
  const { report, rows, parameters } = state;
  const marks = useMarks();
  const left = places.get(address);
  const placeOf = ({ key }: Place) => rows.indexOf(report.rows.get(key) ?? -1);
  const here: Here = { address, active: Math.max(0, left ? placeOf(left) : 0), open: null };
  const [last, setLast] = useState(here);
  // Of another list nothing is left but where it was left.
  const { active, open } = last.address === address ? last : here;
  const change = (wanted: Partial<Here>) =>
    setLast((before) => ({ ...(before.address === address ? before : here), ...wanted }));
  const frame = useRef<HTMLDivElement>(null);
  const wanted = useRef(-1);
  const across =
    mode === "gallery" ? Math.max(2, Math.floor((width + TILE_GAP) / (TILE + TILE_GAP))) : 1;
  const tile = Math.floor((width - TILE_GAP * across) / across);
  const lines = Math.ceil(rows.length / across);
  const current = Math.min(active, Math.max(0, rows.length - 1));

  const move = (to: number) => {
    const place = Math.max(0, Math.min(rows.length - 1, to));
    wanted.current = place;
    change({ active: place });
    if (place === current) focus(place);
  };
  // The focus scrolls to it. Nothing else does: a row that moved between pressing a button in it
  // and letting go would lose the click.
  const focus = (place: number) =>
    frame.current?.querySelector<HTMLElement>(`[data-place="${place}"] a`)?.focus();
  useLayoutEffect(() => {
    if (wanted.current < 0) return;
    focus(wanted.current);
    wanted.current = -1;
  });
  useEffect(() => {
    if (rows.length) remember({ key: rowKey(report.candidates, rows[current]) });
  }, [current, rows]);
  const remember = (change: Partial<Place>) =>
    places.set(address, { offset: 0, key: "", ...places.get(address), ...change });

  const onShow = useCallback(
    (place: number, shown: Shown | null) => {
      change({ active: place, open: shown && { row: rows[place], shown } });
      if (!shown) wanted.current = place;
    },
    [rows, address],
  );
  const render = useCallback(
    (line: number) => {
      const props = (place: number): ClipRowProps => ({
        report,
        place,
        columns,
        parameters,
        onShow,
        row: rows[place],
        active: place === current,
        shown: open?.row === rows[place] ? open.shown : null,
        upwards: line > 1 && line >= lines - LAST_ROWS,
      });
      if (mode === "table") return <ClipRow {...props(line)} />;
      if (mode === "narrow") return <NarrowClipRow {...props(line)} />;
      const first = line * across;
      return (
        <div class="tiles">
          {Array.from({ length: Math.min(across, rows.length - first) }, (_, at) => (
            <ClipTile
              key={first + at}
              {...props(first + at)}
              size={tile}
              leftwards={at >= across / 2}
            />
          ))}
        </div>
      );
    },
    [report, rows, columns, parameters, mode, across, tile, lines, current, open, onShow, marks],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !rows.length) return;
    const within = (event.target as HTMLElement).closest("[data-place]");
    if (!within || (event.target as HTMLElement).closest("input, textarea")) return;
    const row = rows[current];
    const clip = text(report.candidates, "clip_id", row);
    const decide = (decision: "keep" | "reject") => {
      if (clip)
        mark(report, clip, {
          decision: markOf(report, clip).decision === decision ? "" : decision,
        });
    };
    // Who looks at one film after the other goes on with the next.
    const next = () => {
      const following = Math.min(current + 1, rows.length - 1);
      const shown =
        open &&
        (filmPath(report, rows[following])
          ? "film"
          : whyPath(report, rows[following])
            ? "why"
            : null);
      if (shown) onShow(following, shown);
      else move(following);
      if (open && !shown) change({ open: null });
    };
    const actions: Record<string, () => void> = {
      ArrowDown: () => move(current + across),
      j: next,
      ArrowUp: () => move(current - across),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      PageDown: () => move(current + PAGE * across),
      PageUp: () => move(current - PAGE * across),
      k: () => decide("keep"),
      r: () => decide("reject"),
      n: () => openNote(clip),
      Backspace: () => clip && mark(report, clip, { decision: "", note: "" }),
      u: () => undo(report),
      p: () => filmPath(report, row) && onShow(current, "film"),
      w: () => whyPath(report, row) && onShow(current, "why"),
      Escape: () => open && onShow(current, null),
    };
    if (!Object.hasOwn(actions, event.key) || !mayAct(event.key)) return;
    event.preventDefault();
    // A row may leave the list by its mark: the focus goes to the one in its place.
    if (!open && ["k", "r", "Backspace", "u"].includes(event.key)) wanted.current = current;
    actions[event.key]();
  };

  const place = open ? rows.indexOf(open.row) : -1;
  const inner = FIXED_WIDTH + columns.reduce((sum, column) => sum + column.width, 0);
  const widths = columns.map((column) => `${column.width}px`);
  const template = `44px 72px minmax(240px, 1fr) 158px ${widths.join(" ")}`;
  return (
    <div
      ref={frame}
      class={`clip-list ${mode}`}
      style={{ "--columns": template, "--inner": `${inner}px` }}
      onKeyDown={onKeyDown}
      onFocusIn={(event) => {
        const at = (event.target as HTMLElement).closest<HTMLElement>("[data-place]");
        if (at) change({ active: Number(at.dataset.place) });
      }}
    >
      <VirtualList
        role="grid"
        count={lines}
        rowHeight={mode === "gallery" ? tile + TILE_BELOW : ROW_HEIGHTS[mode]}
        render={render}
        label="Clips"
        height="100%"
        head={mode === "table" ? <ListHead state={state} columns={columns} /> : undefined}
        headHeight={HEAD_HEIGHT}
        kept={[Math.floor(current / across), place < 0 ? -1 : Math.floor(place / across)]}
        of={address}
        offset={left?.offset}
        onScroll={(offset) => remember({ offset })}
      />
    </div>
  );
}
