"""Which videos a person means: by their name, by where they come from, or by who speaks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface.dataset.split import cell_text, same_recordings
from talkingface.job.files import DamagedFile, read_json
from talkingface.monitor.missing import names_in
from talkingface.settings.sources import canonical, local_path
from talkingface.stages import STAGES
from talkingface.text import clean


class NoSuchVideo(ValueError):
    """A name or a source that no video has, or that could be two."""


@dataclass(frozen=True)
class KnownVideo:
    """What is known of a video: by the list, where it is `listed`, and by its record.

    `sources` are all spellings of where it comes from: as listed, as downloaded, as the site says.
    """

    video_id: str
    identity: str
    listed: bool
    sources: tuple[str, ...]
    sha256: str


def read_records(results: str | Path) -> dict[str, dict[str, Any]]:
    """The records of all videos, by download; of one that is damaged an empty one."""
    results = Path(results)
    folder, suffix = (results / STAGES["download"].manifest).parent, STAGES["download"].suffix
    records = {}
    for name in sorted(names_in(str(folder))):
        if name.endswith(suffix) and not name.startswith("."):
            record: dict[str, Any] = {}
            with suppress(DamagedFile, OSError):
                record = read_json(folder / name)
            records[name.removesuffix(suffix)] = record
    return records


def known_videos(
    rows: Iterable[Mapping[str, Any]], records: Mapping[str, Mapping[str, Any]]
) -> dict[str, KnownVideo]:
    """All videos of the list and of the records, by their names, the listed ones first."""
    listed = {cell_text(row["video_id"]): row for row in rows}
    found = {}
    for video in [*listed, *(video for video in records if video not in listed)]:
        row, record = listed.get(video, {}), records.get(video, {})
        provenance = record.get("provenance")
        if not isinstance(provenance, dict):
            provenance = {}
        texts = [row.get("source"), record.get("source")]
        texts += [provenance.get(key) for key in ("path", "url", "webpage_url")]
        sources = dict.fromkeys(text for text in texts if isinstance(text, str) and text)
        sha256 = provenance.get("sha256") if record.get("status") == "ok" else None
        found[video] = KnownVideo(
            video, cell_text(row.get("identity")), bool(row), tuple(sources), str(sha256 or "")
        )
    return found


def source_spellings(source: str) -> set[str]:
    """All spellings of where something comes from, read in the working directory: a file's path,
    also where links lead it, or an address."""
    found = {canonical(source)}
    path = local_path(source)
    if path is not None:
        found.add(os.path.realpath(path))
    return found


def find_videos(
    videos: Mapping[str, KnownVideo],
    references: Mapping[str, set[str]],
    identity: str | None,
    made: Iterable[str] = (),
) -> dict[str, str]:
    """The videos that are meant, each with why, and those that are the same recording as these.

    references: names of videos, paths or addresses, each with its `source_spellings`. made: names
    of videos that are known by nothing but what stages made of them. A video is the same recording
    as another that has its source or its file, by its SHA-256.

    Raises NoSuchVideo where nothing is meant by a reference or by `identity`, and where a reference
    is the name of one video and the source of another.
    """
    spelled = {
        video: set().union(*map(source_spellings, known.sources)) for video, known in videos.items()
    }
    made, meant = set(made), dict[str, str]()
    for reference, spellings in references.items():
        from_there = [video for video, sources in spelled.items() if sources & spellings]
        if reference in videos or reference in made:
            others = [video for video in from_there if video != reference]
            if others:
                raise NoSuchVideo(
                    f"{reference!r} is the name of a video and the source of {others[0]!r}: give a "
                    f"path with a folder in it, as in ./{reference}, or the names of the videos"
                )
            meant[reference] = "named"
        elif from_there:
            meant |= dict.fromkeys(from_there, f"from {clean(reference)}")
        else:
            same = _of_file(reference, videos)
            if not same:
                raise NoSuchVideo(
                    f"{reference!r}: no video has this name, and none comes from there; "
                    "nothing was removed"
                )
            meant |= dict.fromkeys(same, f"the same file as {clean(reference)}")
    if identity is not None:
        of_identity = [v for v, known in videos.items() if known.identity == clean(identity)]
        if not of_identity:
            raise NoSuchVideo(f"identity {identity!r}: no video has it; nothing was removed")
        meant |= {video: f"identity {clean(identity)}" for video in of_identity}
    return meant | _same_as(meant, videos)


def _of_file(reference: str, videos: Mapping[str, KnownVideo]) -> list[str]:
    """The videos whose file is that at the path `reference`, though they come from elsewhere."""
    path = local_path(reference)
    if path is None or not path.is_file():
        return []
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return [video for video, known in videos.items() if known.sha256 == sha256]


def _same_as(meant: Mapping[str, str], videos: Mapping[str, KnownVideo]) -> dict[str, str]:
    rows: Sequence[dict[str, str]] = [
        {"video_id": video, "source": next(iter(known.sources))}
        for video, known in videos.items()
        if known.sources
    ]
    files = {video: known.sha256 for video, known in videos.items() if known.sha256}
    found = {}
    for together in same_recordings(rows, files):
        first = next((video for video in together if video in meant), None)
        for video in together if first is not None else ():
            if video not in meant:
                found[video] = f"the same recording as {first}"
    return found
