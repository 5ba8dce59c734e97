/** Where videos come from: the site of an address, or the folder of a file. */
import type { Columns, TextColumn } from "./data";

/** The folder of files that are named without one. */
export const OWN_FOLDER = "./";

const ADDRESS_WITHOUT_SCHEME =
  /^(?:\/\/)?((?:www\.(?:[\w-]+\.)+[a-z]{2,}|(?:(?:m|music)\.)?(?:youtube(?:-nocookie)?\.com|youtu\.be))(?::\d+)?)\//i;

/** The site or folder of a source as videos.csv has it; it need not be a valid address. */
export function placeOf(source: string): string {
  if (/^youtube:[\w-]{11}$/.test(source)) return "youtube.com";
  const short = ADDRESS_WITHOUT_SCHEME.exec(source);
  if (short) return plainHost(short[1]);
  const address = /^(?!file:)[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(source);
  if (address) return plainHost(address[1].slice(address[1].lastIndexOf("@") + 1)) || source;
  const path = source.replace(/^file:\/\/(localhost)?/i, "");
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end < 0 ? OWN_FOLDER : path.slice(0, end + 1);
}

function plainHost(host: string): string {
  return host.toLowerCase().replace(/^www\./, "");
}

/** The column `place` of the videos, made of their column `source`. */
export function placeColumn(videos: Columns): TextColumn {
  const source = videos.columns.source;
  const column: TextColumn = {
    kind: "text", unit: "", meaning: "site of the address, or folder of the file", texts: [], codes: [],
  };
  if (source?.kind !== "text") {
    return { ...column, texts: [""], codes: new Array<number>(videos.length).fill(0) };
  }
  const places = new Map<string, number>();
  const bySource = source.texts.map((text) => {
    const place = placeOf(text);
    if (!places.has(place)) places.set(place, places.size);
    return places.get(place)!;
  });
  return { ...column, texts: [...places.keys()], codes: source.codes.map((code) => bySource[code]) };
}

/** An address that may be linked to; undefined of all other text. */
export function linkOf(source: string): string | undefined {
  return /^https?:\/\//i.test(source) ? source : undefined;
}
