import type { Report } from "./report";
import type { Route } from "./route";

export function ClipView({ report }: { report: Report; route: Route }) {
  return <p>{report.candidates.length} candidates.</p>;
}
