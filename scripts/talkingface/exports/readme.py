"""README.md of the layouts that the readers of Hugging Face look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from talkingface.dataset.card import CARD, card_of_layout
from talkingface.dataset.card_header import card_header
from talkingface.dataset.split import Side
from talkingface.exports.clips import ExportClip

# What the reader calls the sides. A folder or an archive called `eval` it takes for `test` where no
# card says otherwise.
SPLITS: Mapping[Side, str] = {"train": "train", "eval": "validation"}


def layout_card(clips: Sequence[ExportClip], data_files: Mapping[str, str], files: str) -> str:
    """A README.md: the dataset's card with the files of this layout in the place of its own.

    clips: those that are in it. data_files: patterns of paths relative to the card, by the names of
    their splits. A pattern that nothing fits makes the reader fail, so a split without files must
    not be among them. files: what the files are, and how to load them, in Markdown. Without a clip,
    or a card of the dataset, it is all that there is below the header.

    Raises DamagedFile where the dataset's card is no longer one.
    """
    results = clips[0].results if clips else None
    if results is None or not (results / "dataset" / CARD).exists():
        header = card_header(
            title=None, licence=None, language=[], clips=len(clips), data_files=data_files
        )
        return f"{header}\n{files}"
    return card_of_layout(results, clips=len(clips), data_files=data_files, files=files)


def splits_of(clips: Sequence[ExportClip]) -> list[str]:
    """The splits that have any of `clips`."""
    sides = {clip.side for clip in clips}
    return [split for side, split in SPLITS.items() if side in sides]
