/** By what videos are grouped, and the addresses at which the view `yield` shows their groups. */
import { OWN_FOLDER } from "../data/origins";

/** By what videos are grouped: the parameter of the address, the column, and words. */
export interface Grouping {
  parameter: "source" | "identity";
  column: string;
  title: string;
  one: string;
  noun: string;
  nouns: string;
}

/** By the site of an address, or the folder of a file. */
export const BY_SOURCE: Grouping = {
  parameter: "source", column: "place", title: "By source", one: "Source", noun: "source", nouns: "sources",
};

/** By who speaks, as videos.csv says it. */
export const BY_IDENTITY: Grouping = {
  parameter: "identity", column: "identity", title: "By identity", one: "Identity",
  noun: "identity", nouns: "identities",
};

/** All groupings, the first of which is shown at first. */
export const GROUPINGS: Grouping[] = [BY_SOURCE, BY_IDENTITY];

/** What a group is called. */
export function groupTitle(grouping: Grouping, name: string): string {
  if (grouping.parameter === "identity") return name || "not named in videos.csv";
  return name === OWN_FOLDER ? "the workspace's folder" : name;
}

/** The address at which one group's funnel is shown; `null` is that of all videos. */
export function groupAddress(grouping: Grouping, name: string | null): string {
  if (name === null) return `#yield?by=${grouping.parameter}`;
  return `#yield?${new URLSearchParams([[grouping.parameter, name]])}`;
}
