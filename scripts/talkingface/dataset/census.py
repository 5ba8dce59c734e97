"""What is in a dataset, counted from its tables and the records of its videos.

Row by row and video by video: what is kept of a clip are its numbers, 8 bytes each.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from talkingface.dataset.summary import video_seconds
from talkingface.job.files import read_json
from talkingface.job.tables import read_rows
from talkingface.stages import STAGES
from talkingface.tables import tables_by_path
from talkingface.text import clean, plain_cell

# Columns of clips.csv of which the card shows how they are distributed.
MEASURES = (
    "duration_s", "face_height", "max_abs_yaw", "max_abs_pitch", "max_abs_roll", "yaw_range",
    "pitch_range", "roll_range", "probability", "confidence", "offset", "residual_offset",
    "speech_share", "speech_quality", "present_share", "border_share", "hand_share", "brightness",
    "sharpness",
)  # fmt: skip
_OF_CLIP = ("clip_id", "video_id", "identity", "split", "n_frames", "width", "height")
# Columns of a stage's manifest that say what made it.
_MAKERS = ("backend", "model", "sha256")
NOT_RECORDED = "not recorded"


@dataclass
class Share:
    """A part of a dataset."""

    videos: int = 0
    clips: int = 0
    frames: int = 0

    def add(self, clips: int, frames: int) -> None:
        """Count a video with kept clips."""
        self.videos += 1
        self.clips += clips
        self.frames += frames


@dataclass
class Census:
    """What is in a dataset; all of videos is of those with kept clips.

    measures: the numbers of all clips by column, NaN where there is none. sources: of all videos
    `fps`, `shorter_side` (pixels, as shown) and `duration_s`, as their files say. identities: by
    name and side. origins: by site, uploader and licence, empty where not stated. makers: clips by
    stage, backend or model, and sha256 of its weights, empty where it has none.
    """

    measures: dict[str, array[float]] = field(
        default_factory=lambda: {name: array("d") for name in MEASURES}
    )
    sources: dict[str, array[float]] = field(
        default_factory=lambda: {n: array("d") for n in ("fps", "shorter_side", "duration_s")}
    )
    source_sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    clip_sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    identities: dict[tuple[str, str], Share] = field(default_factory=dict)
    origins: dict[tuple[str, str, str], Share] = field(default_factory=dict)
    makers: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def take_census(results: str | Path, stages: Mapping[str, Any]) -> Census:
    """Count the dataset in `results`, of whose clips `stages` were made.

    Raises OtherColumns or DamagedFile for a table or a record that cannot be read.
    """
    results, census = Path(results), Census()
    makers = {name: columns for name, columns in _maker_columns().items() if name in stages}
    rows = read_rows(results / "dataset/clips.csv", (*_OF_CLIP, *MEASURES))
    for video_id, group in groupby(rows, key=lambda row: row[1]):
        clip_ids, frames, identity, side = set(), 0, "", ""
        for row in group:
            clip_id, _, identity, side, n_frames, width, height, *measures = row
            clip_ids.add(clip_id)
            frames += int(n_frames)
            census.clip_sizes[int(width), int(height)] += 1
            for name, cell in zip(MEASURES, measures, strict=True):
                census.measures[name].append(float(cell) if cell else float("nan"))
        who = plain_cell(identity), side
        if who[0]:
            census.identities.setdefault(who, Share()).add(len(clip_ids), frames)
        record = read_json(results / STAGES["download"].manifest.format(video=video_id))
        origin = _origin(record)
        census.origins.setdefault(origin, Share()).add(len(clip_ids), frames)
        _add_source(census, record)
        for stage, columns in makers.items():
            manifest = results / STAGES[stage].manifest.format(video=video_id)
            for made_by, count in _made_by(manifest, columns, clip_ids).items():
                census.makers[stage, *made_by] += count
    return census


def _maker_columns() -> dict[str, tuple[str, ...]]:
    """The stages whose manifests say what made them, and in which columns."""
    defined = tables_by_path()
    found = {}
    for stage in STAGES.values():
        names = defined[stage.manifest].names if stage.manifest in defined else []
        columns = tuple(name for name in ("clip_id", *_MAKERS) if name in names)
        if set(columns) & set(_MAKERS):
            found[stage.name] = columns
    return found


def _made_by(
    manifest: Path, columns: tuple[str, ...], clip_ids: set[str]
) -> Mapping[tuple[str, str], int]:
    """How many of the clips each backend or model made, with the sha256 of its weights."""
    if not manifest.exists():
        return {(NOT_RECORDED, ""): len(clip_ids)}
    counts: Counter[tuple[str, str]] = Counter()
    for cells in read_rows(manifest, columns):
        row = dict(zip(columns, cells, strict=True))
        if row.get("clip_id", "") in clip_ids or "clip_id" not in row:
            counts[row.get("backend") or row.get("model") or "", row.get("sha256", "")] += 1
    if "clip_id" not in columns:  # It is of tracks, of which the clips are.
        return dict.fromkeys(counts, len(clip_ids))
    return counts


def _origin(record: Mapping[str, Any]) -> tuple[str, str, str]:
    """Site, uploader and licence of a video, as far as its record has them."""
    provenance = record.get("provenance") or {}
    if provenance.get("kind") == "local":
        return "local file", "", ""
    known = [
        next((clean(provenance[key]) for key in keys if provenance.get(key)), "")
        for keys in (("extractor", "kind"), ("uploader", "channel"), ("licence",))
    ]
    return known[0], known[1], known[2]


def _add_source(census: Census, record: Mapping[str, Any]) -> None:
    video = (record.get("probe") or {}).get("video") or {}
    size = [video.get(f"display_{side}") or video.get(side) for side in ("width", "height")]
    with suppress(TypeError, ValueError):  # One of them is not known.
        width, height = map(int, size)
        census.source_sizes[width, height] += 1
        census.sources["shorter_side"].append(min(width, height))
    with suppress(TypeError, ValueError):
        census.sources["fps"].append(float(video.get("fps")))
    census.sources["duration_s"].append(video_seconds(record))


def largest(shares: Mapping[Any, Share], most: int) -> Iterator[tuple[Any, Share]]:
    """The `most` largest parts, by frames; those that are alike in the order of their names."""
    ordered = sorted(shares.items(), key=lambda item: (-item[1].frames, item[0]))
    yield from ordered[:most]
