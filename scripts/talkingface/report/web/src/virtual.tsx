/** A long list of which only what is seen is in the page. */
import {
  Virtualizer, elementScroll, observeElementOffset, observeElementRect,
} from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";

export interface VirtualListProps {
  count: number;
  /** Height of every row in pixels; all have the same. */
  rowHeight: number;
  /** The row at a place of the list. */
  render: (place: number) => ComponentChildren;
  label: string;
  /** Height of the list as CSS says it. */
  height: string;
  /** The place that is scrolled to when it changes. */
  shown?: number;
}

export function VirtualList({ count, rowHeight, render, label, height, shown }: VirtualListProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [, draw] = useReducer((times: number) => times + 1, 0);
  const virtualizer = useRef<Virtualizer<HTMLDivElement, Element>>(null!);
  const options = {
    count,
    estimateSize: () => rowHeight,
    getScrollElement: () => frame.current,
    overscan: 6,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => draw(0),
  };
  virtualizer.current ??= new Virtualizer(options);
  virtualizer.current.setOptions(options);
  useLayoutEffect(() => virtualizer.current!._didMount(), []);
  useLayoutEffect(() => virtualizer.current!._willUpdate());
  useLayoutEffect(() => {
    virtualizer.current!.measure();
  }, [rowHeight]);
  useLayoutEffect(() => {
    if (shown !== undefined && shown >= 0) virtualizer.current!.scrollToIndex(shown);
  }, [shown]);
  return (
    <div ref={frame} class="virtual" style={{ height, overflowY: "auto" }} role="list" aria-label={label} tabIndex={0}>
      <div style={{ height: `${virtualizer.current.getTotalSize()}px`, position: "relative" }}>
        {virtualizer.current.getVirtualItems().map((item) => (
          <div
            key={item.key}
            role="listitem"
            aria-setsize={count}
            aria-posinset={item.index + 1}
            style={{ position: "absolute", top: 0, left: 0, right: 0, height: `${rowHeight}px`, transform: `translateY(${item.start}px)` }}
          >
            {render(item.index)}
          </div>
        ))}
      </div>
    </div>
  );
}
