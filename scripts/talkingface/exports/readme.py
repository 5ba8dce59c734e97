"""The card of a dataset that Hugging Face `datasets` loads, from a folder or from their Hub."""

from __future__ import annotations

from collections.abc import Mapping

from talkingface.dataset.split import Side

# What the reader calls the sides. A folder or an archive called `eval` it takes for `test` where no
# card says otherwise.
SPLITS: Mapping[Side, str] = {"train": "train", "eval": "validation"}


def card(data_files: Mapping[str, str], body: str) -> str:
    """A README.md: a YAML header that says which files are in which split, and `body`.

    data_files: patterns of paths relative to the card, by the names of their splits. A pattern that
    nothing fits makes the reader fail, so a split without files must not be among them.
    """
    lines = []
    if data_files:
        lines = ["configs:", "- config_name: default", "  data_files:"]
    for split, pattern in data_files.items():
        lines += [f"  - split: {split}", f"    path: {pattern}"]
    return "\n".join(["---", *lines, "---", "", body])
