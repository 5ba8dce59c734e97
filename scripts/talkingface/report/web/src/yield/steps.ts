/** The way from videos to kept clips in five steps, and what is lost on it. */
import { type Condition, listOf } from "../shared/links";
import { counted } from "../shared/quantity";
import { meaningOf } from "../data/meanings";
import { secondsOf } from "../data/grid";
import type { Loss, Tally } from "../data/tally";

/** Something that was lost on the way to a step. */
export interface LossRow {
  title: string;
  words: string;
  /** Rows of the ledger, and what they are; null for what has no rows. */
  count: number | null;
  what: string;
  seconds: number;
  /** What is said in place of a length where there is none. */
  none: string;
  /** Stage and reason by their names in the ledger. */
  name: string;
  link?: string;
}

/** A step of the way, and how much is left there. */
export interface Step {
  name: string;
  /** How many, with the noun. */
  amount: string;
  words: string;
  seconds: number;
  link?: string;
  /** What was lost between the step before and this one, longest first. */
  losses: LossRow[];
}

// Less than this is rounding of lengths that files state, in seconds and as a share.
const LEAST_SECONDS = 1;
const LEAST_SHARE = 0.002;

/** The five steps of what was counted; `selection` are the conditions by which it was chosen. */
export function stepsOf(found: Tally, selection: Condition[]): Step[] {
  const shots = secondsOf(found.shotFrames);
  const tracks = secondsOf(found.trackFrames);
  const candidates = secondsOf(found.candidates.frames);
  const atShots = found.losses.filter((loss) => stepOf(loss) === "shots");
  const atTracks = found.losses.filter((loss) => stepOf(loss) === "tracks");
  const atClips = found.losses.filter((loss) => stepOf(loss) === "clips");
  const rows = (losses: Loss[]) => losses.map((loss) => lossRow(loss, selection));
  return [
    {
      name: "Videos", amount: counted(found.videos, "video"),
      words: "of the list, as long as their files say", seconds: found.secondsIn, losses: [],
    },
    {
      name: "Shots", amount: counted(found.shots, "shot"),
      words: "between two cuts", seconds: shots,
      losses: sorted(rows(atShots), rest(
        "In no shot", "transitions between shots",
        found.secondsIn - shots - seconds(atShots), found.secondsIn,
      )),
    },
    {
      name: "Tracks", amount: counted(found.tracks, "track"),
      words: "a face that is followed through a shot", seconds: tracks,
      losses: sorted(rows(atTracks), rest(
        "No face in sight", "at least; where several faces are seen at once, each is counted",
        shots - tracks - seconds(atTracks), shots,
      )),
    },
    {
      name: "Candidates", amount: counted(found.candidates.clips, "candidate"),
      words: "stretches of a track that may become clips", seconds: candidates,
      link: listOf([...selection, ["kind", "candidate"]]),
      losses: sorted([], rest(
        "Ends of tracks", "trimmed off before tracks are cut into candidates",
        tracks - candidates, tracks,
      )),
    },
    {
      name: "Kept clips", amount: counted(found.kept.clips, "clip"),
      words: "in the dataset", seconds: secondsOf(found.kept.frames),
      link: listOf([...selection, ["verdict", "kept"]]),
      losses: sorted(rows(atClips), []),
    },
  ];
}

/** Before which step something was lost. */
function stepOf(loss: Loss): "shots" | "tracks" | "clips" {
  if (loss.count > loss.whole + loss.gaps) return "clips";
  const hasShots = loss.stage === "tracks" || loss.reason === "too_short";
  return hasShots ? "tracks" : "shots";
}

function seconds(losses: Loss[]): number {
  return losses.reduce((sum, loss) => sum + secondsOf(loss.frames) + loss.fileSeconds, 0);
}

function lossRow(loss: Loss, selection: Condition[]): LossRow {
  const kinds = [
    counted(loss.whole, "whole video"), counted(loss.gaps, "gap"),
    counted(loss.count - loss.whole - loss.gaps, "candidate"),
  ].filter((words) => !words.startsWith("0 "));
  return {
    ...meaningOf(loss.stage, loss.reason),
    count: loss.count,
    what: kinds.join(", "),
    seconds: seconds([loss]),
    none: loss.gaps === loss.count ? "none" : "not known",
    name: `${loss.stage}: ${loss.reason}`,
    link: listOf([
      ...selection, ["verdict", "rejected"], ["stage", loss.stage], ["reason", loss.reason],
    ]),
  };
}

/** What is left over between two steps, where it is more than rounding. */
function rest(title: string, words: string, left: number, of: number): LossRow[] {
  if (!(left >= Math.max(LEAST_SECONDS, LEAST_SHARE * of))) return [];
  return [{ title, words, count: null, what: "", seconds: left, none: "", name: "" }];
}

function sorted(rows: LossRow[], others: LossRow[]): LossRow[] {
  const order = (one: LossRow, other: LossRow) => (
    other.seconds - one.seconds || (other.count ?? 0) - (one.count ?? 0)
  );
  return [...rows.sort(order), ...others];
}
