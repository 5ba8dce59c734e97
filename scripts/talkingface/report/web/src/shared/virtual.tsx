/** A long list of which only what is seen is in the page. */
import {
  Virtualizer,
  defaultRangeExtractor,
  elementScroll,
  observeElementOffset,
  observeElementRect,
} from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";

interface VirtualListProps {
  count: number;
  /** Height of every row in pixels; all have the same. */
  rowHeight: number;
  /** The row at a place of the list. It is not asked again until it is another function. */
  render: (place: number) => ComponentChildren;
  label: string;
  /** Height of the list as CSS says it. */
  height: string;
  /** The place that is scrolled to when it changes. */
  shown?: number;
  /** A `grid` has rows of cells, which take the focus themselves; a `list` takes it as a whole. */
  role?: "list" | "grid";
  /** Of a grid: its row of heads, which stays above, and its height in pixels. */
  head?: ComponentChildren;
  headHeight?: number;
  /** Rows that stay in the page when they are not seen, such as the one with the focus. */
  kept?: number[];
  /** What the list is of: when this changes, it is scrolled to `offset`, in pixels. */
  of?: string;
  offset?: number;
  onScroll?: (offset: number) => void;
}

const OVERSCAN = 4;

/** The list; its rows are asked for as they come into sight. */
export function VirtualList(props: VirtualListProps) {
  const { count, rowHeight, render, label, height, shown, role = "list", head, kept = [] } = props;
  const headHeight = head ? (props.headHeight ?? 0) : 0;
  const frame = useRef<HTMLDivElement>(null);
  const [, draw] = useReducer((times: number) => times + 1, 0);
  const virtualizer = useRef<Virtualizer<HTMLDivElement, Element>>(null!);
  const options = {
    count,
    estimateSize: () => rowHeight,
    getScrollElement: () => frame.current,
    overscan: OVERSCAN,
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
    initialOffset: props.offset ?? 0,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    rangeExtractor: (range: Parameters<typeof defaultRangeExtractor>[0]) => {
      const seen = defaultRangeExtractor(range);
      const more = kept.filter((place) => place >= 0 && place < count && !seen.includes(place));
      return more.length ? [...seen, ...more].sort((a, b) => a - b) : seen;
    },
    onChange: () => draw(0),
  };
  virtualizer.current ??= new Virtualizer(options);
  virtualizer.current.setOptions(options);
  useLayoutEffect(() => virtualizer.current!._didMount(), []);
  useLayoutEffect(() => virtualizer.current!._willUpdate());
  useLayoutEffect(() => {
    virtualizer.current!.measure();
  }, [rowHeight, headHeight]);
  useLayoutEffect(() => {
    if (shown !== undefined && shown >= 0) virtualizer.current!.scrollToIndex(shown);
  }, [shown]);
  const first = useRef(true);
  useLayoutEffect(() => {
    if (!first.current) frame.current!.scrollTop = props.offset ?? 0;
    first.current = false;
  }, [props.of]);
  // Rows that stay are not made again at every step of scrolling.
  const made = useMemo(() => new Map<number, ComponentChildren>(), [render]);
  const items = virtualizer.current.getVirtualItems();
  const seen = new Set(items.map((item) => item.index));
  for (const place of made.keys()) if (!seen.has(place)) made.delete(place);
  const grid = role === "grid";
  const heads = head ? 1 : 0;
  const place = (index: number) =>
    grid
      ? { role: "row" as const, "aria-rowindex": index + 1 + heads }
      : { role: "listitem" as const, "aria-setsize": count, "aria-posinset": index + 1 };
  return (
    <div
      ref={frame}
      class="virtual"
      style={{ height, overflow: "auto" }}
      role={role}
      aria-label={label}
      aria-rowcount={grid ? count + heads : undefined}
      tabIndex={grid ? -1 : 0}
      onScroll={(event) => props.onScroll?.(event.currentTarget.scrollTop)}
    >
      {head && (
        <div role="rowgroup" class="heads" style={{ height: `${headHeight}px` }}>
          <div role="row" aria-rowindex={1}>
            {head}
          </div>
        </div>
      )}
      <div
        role={grid ? "rowgroup" : undefined}
        class="rows"
        style={{ height: `${virtualizer.current.getTotalSize()}px`, position: "relative" }}
      >
        {items.map((item) => {
          if (!made.has(item.index)) made.set(item.index, render(item.index));
          return (
            <div
              key={item.key}
              {...place(item.index)}
              style={{
                position: "absolute",
                top: 0,
                left: 0,
                right: 0,
                height: `${rowHeight}px`,
                transform: `translateY(${item.start - headHeight}px)`,
              }}
            >
              {made.get(item.index)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
