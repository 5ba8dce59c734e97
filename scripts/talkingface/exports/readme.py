"""The dataset's card, as that of a layout that Hugging Face `datasets` loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from talkingface.dataset.card import CARD, with_files
from talkingface.dataset.card_header import card_header, with_data_files
from talkingface.dataset.split import Side
from talkingface.exports.clips import ExportClip
from talkingface.job.files import DamagedFile

# What the reader calls the sides. A folder or an archive called `eval` it takes for `test` where no
# card says otherwise.
SPLITS: Mapping[Side, str] = {"train": "train", "eval": "validation"}


def layout_card(clips: Sequence[ExportClip], data_files: Mapping[str, str], files: str) -> str:
    """A README.md: the dataset's card with the files of this layout in the place of its own.

    clips: those that are in it. data_files: patterns of paths relative to the card, by the names of
    their splits. A pattern that nothing fits makes the reader fail, so a split without files must
    not be among them. files: what the files are, and how to load them, in Markdown. Without a clip,
    or a card of the dataset, it is all that there is below the header.
    """
    path = clips[0].results / "dataset" / CARD if clips else None
    if path is None or not path.exists():
        header = card_header(
            title=None, licence=None, language=[], clips=len(clips), data_files=data_files
        )
        return f"{header}\n{files}"
    try:
        return with_files(with_data_files(path.read_text("utf-8"), len(clips), data_files), files)
    except DamagedFile as error:
        raise DamagedFile(path, error.how) from error


def splits_of(clips: Sequence[ExportClip]) -> list[str]:
    """The splits that have any of `clips`."""
    sides = {clip.side for clip in clips}
    return [split for side, split in SPLITS.items() if side in sides]
