/** The view `thresholds`: what a run with other thresholds would keep, before it is run. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ConfigLines } from "./config_lines";
import type { Setting } from "../data/data";
import { type Prepared, countOutdated, explore, prepare } from "./explore";
import { histogramOf } from "./histogram";
import { settingName } from "../data/thresholds";
import type { Report } from "../data/report";
import { type Route, address, go, readRoute } from "../shared/route";
import { Changes, LISTS, type ListName, ListTitle } from "./changes";
import { ThresholdControl } from "./control";
import { ByGroup, Figures, Said } from "./summary";
import { counted } from "../shared/quantity";
import {
  type Bounds, type Value, type Values, boundsOf, configLines, cutBounds, parametersOf,
  runValues, valuesOf,
} from "./values";
import "./thresholds.css";

// With `cut: speaking` these say where is cut, or are not asked for.
const NOT_OF_TURNS = [
  "min_frames", "min_probability", "unsure_probability", "keep_unsure", "min_confidence",
];
const TITLES = {
  segments: "Stretches of a face: section segments",
  quality: "Finished clips: section quality",
};
// Browsers take only so many changes of the address in a while.
const ADDRESS_MS = 300;

/** All that does not change while thresholds do; kept while other views are looked at. */
interface Basis {
  prepared: Prepared;
  settings: Setting[];
  cut: Bounds;
  outdated: number;
}

const bases = new WeakMap<Report, Basis>();

function basisOf(report: Report): Basis {
  const found = bases.get(report);
  if (found) return found;
  const prepared = prepare(report);
  const bySpeech = report.run.fixed.cut === "speaking";
  const basis = {
    prepared,
    settings: report.run.settings.filter(({ section, key }) => (
      !(bySpeech && section === "segments" && NOT_OF_TURNS.includes(key))
    )),
    cut: cutBounds(report),
    outdated: countOutdated(prepared, runValues(report.run.settings)),
  };
  bases.set(report, basis);
  return basis;
}

/** The view of the thresholds. */
export function ThresholdsView({ report, route }: { report: Report; route: Route }) {
  const { prepared, settings, cut, outdated } = useMemo(() => basisOf(report), [report]);
  const [values, change, reset] = useValues(report, settings, cut, route);
  const [list, setList] = useState<ListName>("rejected");
  const at = route.parameters.get("at");
  useEffect(() => {
    // After the heading has had the focus, as it has when a view is entered.
    if (at) setTimeout(() => goTo(at));
  }, [at]);
  const outcome = useMemo(() => explore(prepared, values), [prepared, values]);
  const lines = configLines(settings, values);
  const show = (name: ListName) => {
    setList(name);
    const heading = document.getElementById("changes-heading");
    heading?.focus({ preventScroll: true });
    heading?.scrollIntoView({ block: "start" });
  };
  const controls = useMemo(() => (
    new Map(settings.map((setting) => (
      [setting, histogramOf(prepared, setting, boundsOf(setting, cut))]
    )))
  ), [prepared, settings, cut]);
  return (
    <div class="thresholds">
      <p>
        Move a threshold and see what a run with it would keep. Nothing changes until the lines for
        config.yaml are in your settings and the workflow runs again.
      </p>
      <div class="in-sight" role="region" aria-label="What is kept">
        <Figures counts={outcome.all} />
        <Said counts={outcome.all} />
        <div class="choice">
          {LISTS.map((name) => (
            <button type="button" data-list={name} onClick={() => show(name)}>
              <ListTitle outcome={outcome} list={name} />
            </button>
          ))}
          <button type="button" class="reset" disabled={!lines} onClick={reset}>Reset</button>
        </div>
      </div>
      {outdated > 0 && (
        <p class="notice" role="note">
          Of {counted(outdated, "candidate")} the ledger does not say what this run's own thresholds
          give: it was written by other settings or another version. Run the workflow again before
          you trust the numbers here.
        </p>
      )}
      <div class="halves">
        <div class="controls">
          {(["segments", "quality"] as const).map((section) => (
            <section aria-labelledby={`${section}-heading`}>
              <h2 id={`${section}-heading`}>{TITLES[section]}</h2>
              {section === "segments" && <NotHere bySpeech={report.run.fixed.cut === "speaking"} />}
              <div class="grid">
                {settings.filter((setting) => setting.section === section).map((setting) => (
                  <Control key={setting.key} setting={setting} value={values[settingName(setting)]}
                    report={report} cut={cut} histogram={controls.get(setting)} change={change} />
                ))}
              </div>
            </section>
          ))}
        </div>
        <div class="results">
          <ConfigLines lines={lines} />
          <Changes report={report} prepared={prepared} outcome={outcome} values={values}
            list={list} choose={setList} />
          <ByGroup outcome={outcome} prepared={prepared} />
        </div>
      </div>
    </div>
  );
}

/** Goes to the control of a setting, if there is one. */
function goTo(name: string): void {
  const control = document.querySelector<HTMLElement>(`[data-setting="${CSS.escape(name)}"]`);
  control?.scrollIntoView({ block: "center" });
  control?.querySelector<HTMLElement>("input:enabled")?.focus({ preventScroll: true });
}

/** The values as they are set; the address follows them, and they follow the address. */
function useValues(
  report: Report, settings: Setting[], cut: Bounds, route: Route,
): [Values, (name: string, value: Value) => void, () => void] {
  const [values, setValues] = useState(() => allValues(report, settings, cut, route));
  const written = useRef(address("thresholds", parametersOf(settings, values)));
  const asked = route.parameters.toString();
  useEffect(() => {
    if (location.hash === written.current) return;
    const found = allValues(report, settings, cut, route);
    written.current = address("thresholds", parametersOf(settings, found));
    setValues(found);
  }, [asked]);
  useEffect(() => {
    const next = address("thresholds", parametersOf(settings, values));
    if (next === written.current) return;
    const timer = setTimeout(() => {
      // Who has followed a link is on the way, though this view is still shown.
      if (readRoute().view !== "thresholds") return;
      written.current = next;
      go(next, true);
    }, ADDRESS_MS);
    return () => clearTimeout(timer);
  }, [values]);
  const change = useCallback((name: string, value: Value) => {
    setValues((before) => ({ ...before, [name]: value }));
  }, []);
  const reset = useCallback(() => setValues(runValues(report.run.settings)), [report]);
  return [values, change, reset];
}

/** Of all settings, also those that cannot be tried here. */
function allValues(report: Report, settings: Setting[], cut: Bounds, route: Route): Values {
  return { ...runValues(report.run.settings), ...valuesOf(settings, cut, route.parameters) };
}

interface ControlProps {
  setting: Setting;
  value: Value;
  report: Report;
  cut: Bounds;
  histogram: ReturnType<typeof histogramOf>;
  change: (name: string, value: Value) => void;
}

/** A control that is drawn again only when its own value changes. */
function Control({ setting, value, report, cut, histogram, change }: ControlProps) {
  return useMemo(() => {
    const isOffset = setting.section === "segments" && setting.key === "max_offset";
    return (
      <ThresholdControl setting={setting} value={value} bounds={boundsOf(setting, cut)}
        histogram={histogram} change={change} note={noteOn(setting, cut)}
        off={isOffset ? `at most ${report.run.fixed.default_max_offset} frames` : "any"} />
    );
  }, [setting, value, histogram]);
}

function noteOn(setting: Setting, cut: Bounds): string {
  if (settingName(setting) !== "segments.min_frames") return "";
  const { least, most } = boundsOf(setting, cut);
  return `Here from ${least} to ${most}: others would cut long faces elsewhere, into candidates ` +
    "that were not measured.";
}

function NotHere({ bySpeech }: { bySpeech: boolean }) {
  return (
    <p class="quiet">
      Not to be tried here are the settings that say where candidates begin and end, or what is
      measured: max_frames, trim_frames, speech_threshold, cut and those that begin with speaking
      {bySpeech && (
        ", and, as this run has cut: speaking, min_frames; min_probability, unsure_probability, "
        + "keep_unsure and min_confidence are not asked for then"
      )}. To see what they do, run the workflow with them.
    </p>
  );
}
