/** The page: its frame, and which view is in it. */
import { type ComponentType, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ClipView } from "./clip/clip";
import { ClipsView } from "./clips/clips";
import { listen, offer } from "./data/data";
import { DistributionsView } from "./distributions/distributions";
import { judge, judgeQuality } from "./thresholds/judge";
import { type Report, loadReport } from "./data/report";
import { type Route, address, useRoute } from "./shared/route";
import { RunView } from "./run/run";
import "./style.css";
import { ThemeChoice } from "./shared/theme";
import { ThresholdsView } from "./thresholds/thresholds";
import { YieldView } from "./yield/yield";

interface View {
  title: string;
  show: ComponentType<{ report: Report; route: Route }>;
  /** Whether the navigation leads to it. */
  listed: boolean;
}

const VIEWS: Record<string, View> = {
  yield: { title: "Yield", show: YieldView, listed: true },
  clips: { title: "Clips", show: ClipsView, listed: true },
  clip: { title: "Clip", show: ClipView, listed: false },
  thresholds: { title: "Thresholds", show: ThresholdsView, listed: true },
  distributions: { title: "Distributions", show: DistributionsView, listed: true },
  run: { title: "Downloads and time", show: RunView, listed: true },
};

function Page({ report }: { report: Report }) {
  const route = useRoute();
  const view = VIEWS[route.view] ?? VIEWS.yield;
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${view.title} - dataset report`;
    // Who uses a screen reader or the keyboard is taken to the new view.
    if (!first.current) heading.current?.focus();
    first.current = false;
    // On a phone the views are in a line that scrolls.
    document.querySelector("header [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [view]);
  return (
    <>
      <a class="skip" href="#content" onClick={(event) => {
        event.preventDefault();
        heading.current?.focus();
      }}>Skip to the content</a>
      <header>
        <p class="name">Dataset report</p>
        <nav aria-label="Views">
          {Object.entries(VIEWS).filter(([, { listed }]) => listed).map(([name, { title }]) => (
            <a href={address(name)} aria-current={VIEWS[name] === view ? "page" : undefined}>{title}</a>
          ))}
        </nav>
        <ThemeChoice />
      </header>
      <main id="content">
        <h1 ref={heading} tabIndex={-1}>{view.title}</h1>
        <view.show report={report} route={route} />
      </main>
      <footer>
        <p>Made with talkingface {report.run.release}. Licences of this page's parts: <a href="LICENSES.txt">LICENSES.txt</a></p>
      </footer>
    </>
  );
}

function Start() {
  const [report, setReport] = useState<Report>();
  const [error, setError] = useState("");
  useEffect(() => {
    loadReport().then(setReport, (problem: Error) => setError(problem.message));
  }, []);
  if (error) {
    return <main><h1>The report cannot be shown</h1><p role="alert">{error}. The page reads the files beside it: was it moved without its folder? Delete the folder, and the next run makes it again.</p></main>;
  }
  return report ? <Page report={report} /> : <p class="waiting">Loading the report ...</p>;
}

listen();
offer("judge", judge);
offer("judgeQuality", judgeQuality);
const place = document.getElementById("page")!;
place.replaceChildren();
render(<Start />, place);
