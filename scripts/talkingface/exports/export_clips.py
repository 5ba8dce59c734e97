"""The clips of a finished dataset, as the layouts read them."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from talkingface.dataset.clip_table import read_clip_table
from talkingface.dataset.split import Side
from talkingface.job.tables import read_table
from talkingface.stage import is_folder
from talkingface.stages import PRODUCTS, STAGES
from talkingface.tables import tables_by_path

# What a file system, a list of names or a shell might take for something else.
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
MOST_CHARACTERS = 60


@dataclass(frozen=True)
class ExportClip:
    """A clip of the dataset.

    `row`: its row of dataset/clips.csv. `speaker`: a folder's name, see `speaker_names`.
    `measures`: its row of the manifest of the export's own stage, None where it has none.
    """

    row: np.record
    results: Path
    speaker: str
    measures: np.record | None = None

    @property
    def clip_id(self) -> str:
        return self.row.clip_id

    @property
    def video_id(self) -> str:
        return self.row.video_id

    @property
    def identity(self) -> str:
        """Who speaks, as videos.csv says it: text from outside, no file's name; may be empty."""
        return self.row.identity

    @property
    def source(self) -> str:
        """Where the video comes from, as videos.csv says it: text from outside."""
        return self.row.source

    @property
    def side(self) -> Side:
        """`train` or `eval`."""
        return self.row.split

    @property
    def n_frames(self) -> int:
        return int(self.row.n_frames)

    @property
    def width(self) -> int:
        """Pixels of the clip's film."""
        return int(self.row.width)

    @property
    def height(self) -> int:
        """Pixels of the clip's film."""
        return int(self.row.height)

    @cached_property
    def _columns(self) -> frozenset[str]:
        return frozenset(self.row.dtype.names)

    def has(self, column: str) -> bool:
        """Whether the run that made the dataset made this product, such as `hubert`."""
        return column in self._columns

    def path(self, column: str) -> Path:
        """The file, or the folder of pictures, of a product by its column, such as `audio`."""
        _, product = PRODUCTS[column]
        return self.results / product.path.format(video=self.video_id, clip=self.clip_id)


def read_export_clips(results: str | Path, stage: str | None = None) -> list[ExportClip]:
    """All clips of the dataset, in its order, with their measures of `stage`.

    A clip that the stage's manifest lacks has none. Raises OtherColumns or DamagedFile where a
    table is of another version or damaged.
    """
    results = Path(results)
    table, _ = read_clip_table(results / "dataset/clips.csv")
    speakers = speaker_names(zip(table.video_id, table.identity, strict=True))
    clips = []
    measures: dict[str, np.record] = {}
    video = None
    for row in table:
        if stage is not None and row.video_id != video:
            video = row.video_id
            measures = _read_measures(results, stage, video)
        speaker = speakers[row.video_id]
        clips.append(ExportClip(row, results, speaker, measures.get(row.clip_id)))
    return clips


def _read_measures(results: Path, stage: str, video: str) -> dict[str, np.record]:
    manifest = STAGES[stage].manifest
    table = read_table(results / manifest.format(video=video), tables_by_path()[manifest])
    return {row.clip_id: row for row in table}


def speaker_names(videos: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A folder's name for who speaks in every video, of pairs of video_id and identity.

    It is the identity where that is made of letters, digits, _ and - of ASCII; else what is left of
    it with the first digits of its SHA-256, so that two never share a name, also where a file
    system folds case, and nobody's name changes for other videos. A video without an identity is
    somebody of its own, called like the video; where an identity has that name, called otherwise.
    """
    pairs = list(videos)
    taken = {folder_name(identity) for _, identity in pairs if identity}
    names = {}
    for video, identity in pairs:
        name = folder_name(identity or video)
        names[video] = folder_name(f"video {video}") if not identity and name in taken else name
    return names


def folder_name(text: str) -> str:
    """A name for a folder that is safe everywhere, see `speaker_names`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = _UNSAFE.sub("_", plain)[:MOST_CHARACTERS].strip("_-")
    if plain == text and text == text.lower():
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else digest


def unequal_folders(clip: ExportClip, columns: Iterable[str]) -> dict[str, int]:
    """How many files there are in those of a clip's folders, by their columns, that have not one a
    frame."""
    folders = [column for column in columns if is_folder(PRODUCTS[column][1].path)]
    counts = {column: len(os.listdir(clip.path(column))) for column in folders}
    return {column: count for column, count in counts.items() if count != clip.n_frames}


def lacking_file(clip: ExportClip, columns: Iterable[str]) -> Path | None:
    """The first of a clip's products that is not there; None where all are."""
    return next((path for path in map(clip.path, columns) if not os.path.exists(path)), None)
