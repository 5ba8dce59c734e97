"""A folder that Hugging Face `datasets` loads and that can be uploaded to their Hub as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from talkingface.dataset.split import SIDES, Side
from talkingface.exports.clips import ExportClip
from talkingface.exports.records import chosen_products, clip_record, typed_columns
from talkingface.exports.tree import Tree
from talkingface.stages import Product

# What the reader calls the sides. It takes a folder `eval` for `test` where no card says otherwise.
SPLITS: Mapping[Side, str] = {"train": "train", "eval": "validation"}
# A loader of the reader has files of one kind: there is a folder for each of these columns.
MEDIA = ("video", "audio")


def lay_out(clips: Sequence[ExportClip], tree: Tree, *, features: Sequence[str] | None) -> None:
    """`video/SPLIT/VIDEO/CLIP.mp4` and `audio/SPLIT/VIDEO/CLIP.wav`, each with `metadata.jsonl`, and
    `features/COLUMN/VIDEO/CLIP.SUFFIX`; README.md says what is where.

    Both metadata files have the same rows in the same order: `file_name`, the columns of clips.csv,
    and `COLUMN_path`, where the other files are, from the top of the export. A folder a video, as
    the Hub allows 10,000 files in one.

    features: None are all that were made but pictures of every frame and films.
    """
    complete = []
    for clip in clips:
        products = chosen_products(clip, features)
        if not tree.skip_incomplete(clip, [product.column for product in products]):
            complete.append((clip, products))
    columns = [name for name in typed_columns(clip for clip, _ in complete) if name != "split"]
    for side, split in SPLITS.items():
        rows: dict[str, list[str]] = {column: [] for column in MEDIA}
        for clip, products in complete:
            if clip.side == side:
                paths = {product.column: _place(clip, product, split) for product in products}
                for column, path in paths.items():
                    tree.link(clip.path(column), path)
                record = clip_record(clip)
                measures = {name: record[name] for name in columns}
                for column in MEDIA:
                    rows[column].append(_row(column, measures, paths))
        for column, lines in rows.items():
            if lines:
                tree.write_lines(f"{column}/{split}/metadata.jsonl", lines)
    splits = [SPLITS[side] for side in SIDES if any(clip.side == side for clip, _ in complete)]
    tree.write_text("README.md", header("video/", splits) + _README)
    tree.write_text("audio/README.md", header("", splits) + _AUDIO_README)


def header(folder: str, splits: Sequence[str]) -> str:
    """The YAML at the top of a card: which files below `folder` are which split."""
    files = "".join(f"  - split: {split}\n    path: {folder}{split}/**\n" for split in splits)
    configs = f"configs:\n- config_name: default\n  data_files:\n{files}" if files else ""
    return f"---\n{configs}---\n"


def _place(clip: ExportClip, product: Product, split: str) -> str:
    top = product.column if product.column in MEDIA else "features"
    kind = split if product.column in MEDIA else product.column
    return f"{top}/{kind}/{clip.video_id}/{clip.clip_id}{Path(product.path).suffix}"


def _row(column: str, measures: Mapping[str, Any], paths: Mapping[str, str]) -> str:
    """A line of the metadata of `video` or `audio`; `file_name` is relative to its folder."""
    own = paths[column].split("/", 2)[2]
    others = {f"{name}_path": path for name, path in paths.items() if name != column}
    return json.dumps({"file_name": own, **measures, **others}, ensure_ascii=False)


_README = """
# Talking faces
"""
_AUDIO_README = """
The sound of the clips, 16 kHz mono, in the order of the films in `../video`.
"""
