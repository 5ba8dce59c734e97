/** What statuses of downloads and reasons of the ledger mean, in plain words. */

/** A name of the workflow in words: a title, and what it means, without a full stop. */
export interface Meaning {
  title: string;
  words: string;
}

/** What became of a download, and what to do about it. */
export interface StatusMeaning extends Meaning {
  remedy: string;
}

function status(title: string, words: string, remedy: string): StatusMeaning {
  return { title, words, remedy };
}

const STATUSES: Record<string, StatusMeaning> = {
  ok: status("Could be had", "a video that can be read", ""),
  missing: status(
    "File missing", "there is no such file, or it may not be read",
    "Correct the row of videos.csv or bring the file, and run again.",
  ),
  not_found: status("Not found", "the server knows no such page", "Correct or remove the row of videos.csv."),
  removed: status("Removed", "the video was there and is gone", "Remove the row of videos.csv."),
  private: status(
    "Private", "its owner keeps it private",
    "Give your cookies (download.cookies) if you may see it, and try again.",
  ),
  geo_blocked: status(
    "Blocked in this country", "it is not to be seen from here",
    "Set download.proxy to one in another country, and try again.",
  ),
  age_check: status(
    "Age asked for", "the site asks for the viewer's age",
    "Give your cookies (download.cookies), and try again.",
  ),
  bot_check: status(
    "Person asked for", "the site asks whether a person is watching",
    "Give your cookies (download.cookies), and try again later.",
  ),
  refused: status(
    "Refused", "the site refuses it: forbidden, for members, or after a login",
    "Give your cookies (download.cookies) if you may see it, and try again.",
  ),
  rate_limited: status(
    "Too many requests", "the site wanted fewer requests, also after waiting",
    "Try again later, with fewer downloads at a time (--resources downloads=1) or a download.rate_limit.",
  ),
  live: status("Live stream", "it has not ended, or not begun", "Try again when it has ended."),
  too_long: status("Too long", "longer than download.max_duration", "Raise download.max_duration, and try again."),
  too_large: status("Too large", "larger than download.max_size", "Raise download.max_size, and try again."),
  too_demanding: status(
    "Too demanding", "it asks for more time, memory or space than a video should",
    "If you trust the source, raise the setting that the reason names, and try again.",
  ),
  own_network: status(
    "In one's own network", "the address leads into one's own network",
    "If your videos are there, set download.private_addresses: true, and try again.",
  ),
  no_format: status(
    "No such format", "there is nothing in the format asked for",
    "Widen download.format, and try again.",
  ),
  unsupported: status(
    "Not supported", "the address leads to no single video that can be taken",
    "Correct the row of videos.csv; of a list of videos take single ones.",
  ),
  unavailable: status(
    "Not to be had this time", "mostly the network failed, also in the last try",
    "Look at the reason, and try again.",
  ),
  broken: status(
    "No readable video", "a file is there, but no video can be read from it",
    "Bring another copy of the file, and run again.",
  ),
};

const REASONS: Record<string, Meaning> = {
  "proxy/no_audio": { title: "No sound", words: "the file has no sound" },
  "proxy/no_stream": { title: "No such stream", words: "the file has no stream of the number asked for" },
  "proxy/too_demanding": { title: "Too demanding", words: "the file claims more than is allowed" },
  "proxy/broken": { title: "Damaged", words: "the file cannot be decoded" },
  "proxy/truncated": { title: "Ends early", words: "the file ends much earlier than it says; what is there is used" },
  "proxy/gap": { title: "Picture stands still", words: "no new picture for more than half a second" },
  "proxy/clock_jump": { title: "Clock jumps", words: "the recording began anew, or a part is missing" },
  "proxy/too_short": { title: "Video too short", words: "the whole video is shorter than a clip may be" },
  "proxy/silent": { title: "Too quiet", words: "the sound is too quiet" },
  "speech/no_speech": { title: "No speech", words: "nobody is heard to speak, or too little" },
  "tracks/no_face": { title: "No face", words: "no face in the whole video" },
  "tracks/too_short": { title: "Too short", words: "the face is there, or speaks, too briefly" },
  "tracks/small_face": { title: "Face too small", words: "the face is lower than asked for" },
  "tracks/face_lost": { title: "Face lost", words: "the face was not seen in too many frames" },
  "tracks/other_face": { title: "Another face near", words: "another face is too near for too long" },
  "sync/not_speaking": { title: "Does not speak", words: "the lips are still, or do not go with the voice heard" },
  "sync/other_speaks": { title: "Somebody else speaks", words: "the voice is another face's, somebody's off screen, or dubbed" },
  "sync/unsure": { title: "Not sure who speaks", words: "too little is seen and heard to say whose voice it is" },
  "sync/offset": { title: "Lips and sound apart", words: "the sound is too early or too late" },
  "decisions/by hand": { title: "By hand", words: "somebody decided so, in decisions.csv" },
  "clips/not in manifest": { title: "Not cut", words: "kept, but no clip was made: files of different runs" },
  "quality/face_lost": { title: "Face lost in the clip", words: "no face mesh in too many frames" },
  "quality/small_face": { title: "Face too small in the clip", words: "the face is lower than asked for" },
  "quality/at_border": { title: "Face at the edge", words: "the face touches the edge of the picture too often" },
  "quality/dark": { title: "Too dark", words: "the face is too dark" },
  "quality/bright": { title: "Too bright", words: "the face is too bright" },
  "quality/blurred": { title: "Blurred", words: "the face is not sharp enough" },
  "quality/hand": { title: "Hands before the face", words: "hands are before the face too often" },
  "quality/yaw": { title: "Turned aside", words: "the head is turned too far to a side" },
  "quality/pitch": { title: "Looks up or down", words: "the head is turned too far up or down" },
  "quality/roll": { title: "Tilted", words: "the head is tipped too far" },
  "quality/offset": { title: "Sound still off", words: "the finished clip's sound is too early or too late" },
  "quality/unsure": { title: "Timing not sure", words: "what is left of the offset cannot be told" },
  "quality/poor_sound": { title: "Poor sound", words: "the sound is noisy, distorted or faint, or too short to judge" },
};

/** What a reason of a stage means; of one that is not known, its own name. */
export function meaningOf(stage: string, reason: string): Meaning {
  if (stage === "download" && Object.hasOwn(STATUSES, reason)) return STATUSES[reason];
  const key = `${stage}/${reason}`;
  if (Object.hasOwn(REASONS, key)) return REASONS[key];
  return { title: reason || "No reason given", words: "" };
}

/** The title of a reason whatever its stage: where stages mean different things by it, all of them. */
export function reasonTitle(reason: string): string {
  const titles = Object.entries(REASONS).flatMap(([key, { title }]) => (
    key.endsWith(`/${reason}`) ? [title] : []
  ));
  if (Object.hasOwn(STATUSES, reason)) titles.push(STATUSES[reason].title);
  return [...new Set(titles)].join(" / ") || reason;
}

/** What a status of a download means; of one that is not known, its own name. */
export function statusMeaning(name: string): StatusMeaning {
  if (Object.hasOwn(STATUSES, name)) return STATUSES[name];
  return status(name || "No status", "", "");
}
