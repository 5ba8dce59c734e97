"""README.md of the layouts that the readers of Hugging Face look at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from talkingface.dataset.card import CARD, card_of_layout
from talkingface.dataset.card_header import card_header
from talkingface.dataset.split import Side
from talkingface.exports.export_clips import ExportClip
from talkingface.job.checksums import checksums_path
from talkingface.stages import PRODUCTS

# What the reader calls the sides. A folder or an archive called `eval` it takes for `test` where no
# card says otherwise.
SPLITS: Mapping[Side, str] = {"train": "train", "eval": "validation"}


def layout_card(
    clips: Sequence[ExportClip],
    features: Sequence[str] | None,
    data_files: Mapping[str, str],
    files: str,
) -> str:
    """A README.md: the dataset's card with the files of this layout in the place of its own.

    clips: those that are in it. features: those that were asked for. data_files: patterns of paths
    relative to the card, by the names of their splits. A pattern that nothing fits makes the reader
    fail, so a split without files must not be among them. files: what the files are, and how to
    load them, in Markdown. Without a clip, or a card of the dataset, it is all that there is below
    the header.

    Raises DamagedFile where the dataset's card is no longer one.
    """
    results = clips[0].results if clips else None
    state = _state(clips, features)
    if results is None or not (results / "dataset" / CARD).exists():
        header = card_header(
            title=None,
            licence=None,
            language=[],
            clips=len(clips),
            state=state,
            data_files=data_files,
        )
        return f"{header}\n{files}"
    return card_of_layout(
        results, clips=len(clips), state=state, data_files=data_files, files=files
    )


def _state(clips: Sequence[ExportClip], features: Sequence[str] | None) -> str:
    """The first digits of a SHA-256 of what goes in of the clips: another one where the layout has
    another content, as far as tables and the checksums that jobs noted tell."""
    digest = hashlib.sha256(repr(None if features is None else list(features)).encode())
    notes: dict[Path, None] = {}
    for clip in clips:
        digest.update(repr(clip.row.tolist()).encode("utf-8", "surrogatepass"))
        for column, (stage, _) in PRODUCTS.items():
            if clip.has(column):
                manifest = stage.manifest.format(video=clip.video_id)
                notes[checksums_path(clip.results, manifest)] = None
    for path in notes:
        with suppress(FileNotFoundError):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def splits_of(clips: Sequence[ExportClip]) -> list[str]:
    """The splits that have any of `clips`."""
    sides = {clip.side for clip in clips}
    return [split for side, split in SPLITS.items() if side in sides]
