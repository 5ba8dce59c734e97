/** The browser of all candidates: filters, a list or a gallery, films in place, and marks. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Chips, Found } from "../filters/chips";
import { ClipList, type Mode, fromTheTop } from "./clip_list";
import "./clips.css";
import { FilterPanel } from "../filters/filter_panel";
import { listAddress } from "../filters/filters";
import { clearFilters, useFilterState } from "../filters/filter_state";
import { ColumnChoice, useColumns } from "./list_columns";
import { SortChoice } from "./list_head";
import { MarkBar } from "../marks/mark_bar";
import type { Report } from "../data/report";
import type { Route } from "../shared/route";
import { store, stored } from "../shared/remember";

/** Below this width a row has two lines, and the filters are folded at first. */
const NARROW = 700;

/** The view of all candidates. */
export function ClipsView({ report, route }: { report: Report; route: Route }) {
  const state = useFilterState(report, route, fromTheTop);
  const [columns, names, choose] = useColumns(report);
  const [width, frame] = useWidth();
  const [filtering, setFiltering] = useState(() => innerWidth >= NARROW);
  const [gallery, setGallery] = useState(() => stored("clips") === "gallery");
  const mode: Mode = gallery ? "gallery" : width < NARROW ? "narrow" : "table";
  const address = listAddress(report, state.parameters);
  const on = state.tests.length;
  const show = (wanted: boolean) => {
    setGallery(wanted);
    store("clips", wanted ? "gallery" : "list");
  };
  return (
    <div class={`browser${filtering ? " filtering" : ""}`}>
      <div class="tools">
        <button
          type="button"
          aria-expanded={filtering}
          aria-controls="filters"
          onClick={() => setFiltering(!filtering)}
        >
          Filters{on > 0 && ` (${on})`}
        </button>
        <Found state={state} />
        <SortChoice state={state} columns={names} />
        {mode === "table" && <ColumnChoice report={report} names={names} choose={choose} />}
        <div class="modes" role="group" aria-label="Show as">
          <button type="button" aria-pressed={!gallery} onClick={() => show(false)}>
            List
          </button>
          <button type="button" aria-pressed={gallery} onClick={() => show(true)}>
            Gallery
          </button>
        </div>
      </div>
      <Chips state={state} />
      <div class="sides">
        <div id="filters" class="side" hidden={!filtering}>
          {filtering && (
            <a class="skip" href="#clips" onClick={toTheList}>
              Skip the filters
            </a>
          )}
          {filtering && <FilterPanel state={state} />}
        </div>
        <div class="list" ref={frame}>
          {state.rows.length === 0 ? (
            <div class="empty">
              <p>
                {report.candidates.length
                  ? "No clip matches these filters."
                  : "There are no candidates yet: no video has been gone through."}
              </p>
              {on > 0 && (
                <button type="button" onClick={() => state.change(clearFilters)}>
                  Clear all filters
                </button>
              )}
            </div>
          ) : (
            width > 0 && (
              <ClipList
                key={mode}
                state={state}
                address={address}
                columns={columns}
                mode={mode}
                width={width}
              />
            )
          )}
        </div>
      </div>
      <MarkBar report={report} />
    </div>
  );
}

/** Takes the focus past the filters, which are many, to the list. */
function toTheList(event: Event): void {
  event.preventDefault();
  const list = document.querySelector(".list");
  const row = list?.querySelector<HTMLElement>('[data-place] a[tabindex="0"]');
  (row ?? list?.querySelector<HTMLElement>("button"))?.focus();
}

/** The width of an element in pixels, 0 until it is known. */
function useWidth(): [number, (element: HTMLElement | null) => void] {
  const [width, setWidth] = useState(0);
  const observer = useRef<ResizeObserver>(undefined);
  useEffect(() => () => observer.current?.disconnect(), []);
  const observe = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    setWidth(element.clientWidth);
    observer.current = new ResizeObserver(([entry]) =>
      setWidth(Math.floor(entry.contentRect.width)),
    );
    observer.current.observe(element);
  }, []);
  return [width, observe];
}
