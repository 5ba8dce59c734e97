import type { Report } from "./report";
import type { Route } from "./route";

export function ClipsView({ report }: { report: Report; route: Route }) {
  return <p>{report.candidates.length} candidates.</p>;
}
