/** How what was measured is distributed, of kept clips and of rejected candidates. */
import { useMemo } from "preact/hooks";
import "./distributions.css";
import { MeasureCard } from "./histogram";
import { IdentitiesCard } from "./identities";
import { MEASURES, keptRows } from "../data/measures";
import { PoseCard } from "./pose";
import type { Report } from "../data/report";
import type { Route } from "../shared/route";

/** The view of all distributions, a card each. */
export function DistributionsView({ report }: { report: Report; route: Route }) {
  const kept = useMemo(() => keptRows(report), [report]);
  if (report.candidates.length === 0) {
    return <p>No video gave a candidate, so nothing was measured. <a href="#yield">Yield</a> says why.</p>;
  }
  return (
    <>
      <p class="quiet">Every bar leads to the clips in it. By keyboard: Tab goes to a plot, the arrow keys from bar to bar, Enter to its clips.</p>
      <div class="distributions">
        {MEASURES.map((of) => <MeasureCard key={of.column} report={report} of={of} kept={kept} />)}
        <PoseCard report={report} kept={kept} />
        <IdentitiesCard report={report} />
      </div>
    </>
  );
}
