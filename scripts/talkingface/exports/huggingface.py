"""A folder that Hugging Face `datasets` loads and that can be uploaded to their Hub as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from talkingface.exports.clip_records import chosen_products, clip_record, typed_columns
from talkingface.exports.export_clips import ExportClip
from talkingface.exports.layout_card import SPLITS, layout_card, splits_of
from talkingface.exports.tree import Tree
from talkingface.stages import Product

# A loader of the reader has files of one kind, so there is a folder to load for each of these.
MEDIA = ("video", "audio")
_README = """\
`video` has the films (constant 25 fps, with sound), `audio` the same sound at 16 kHz, mono, in the
same order, `features` what was computed of every frame. A column `X_path` says where the file X of
a clip is, from the folder of this card.

```python
from datasets import concatenate_datasets, load_dataset

films = load_dataset("THIS_FOLDER_OR_REPOSITORY", split="train")
sound = load_dataset("audiofolder", data_files="THIS_FOLDER/audio/train/**", split="train")
clips = concatenate_datasets([films, sound.select_columns("audio")], axis=1)
```
"""
_AUDIO_README = """\
The sound of the clips, 16 kHz, mono, in the order of the films in `../video`.
"""


def lay_out(clips: Sequence[ExportClip], tree: Tree, *, features: Sequence[str] | None) -> None:
    """Films and sound below `video/SPLIT` and `audio/SPLIT`, each with a `metadata.jsonl`, other
    files below `features/COLUMN`; in all of them a folder a video. README.md says how to load it.

    The two metadata files of a split have the same rows in the same order: `file_name`, the columns
    of clips.csv, and `COLUMN_path`, where the clip's other files are, from the top of the export.
    A folder a video, as the Hub wants fewer than 10,000 files in one.

    features: None are all that were made but pictures of every frame and films.
    """
    placed = []
    for clip in clips:
        products = chosen_products(clip, features)
        if not tree.skip_incomplete(clip, [product.column for product in products]):
            placed.append((clip, products))
    complete = [clip for clip, _ in placed]
    columns = [name for name in typed_columns(complete) if name != "split"]
    for side, split in SPLITS.items():
        rows: dict[str, list[str]] = {column: [] for column in MEDIA}
        for clip, products in placed:
            if clip.side != side:
                continue
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
    # Patterns, as the name of a video may be that of a split, too.
    films = {split: f"video/{split}/**" for split in splits_of(complete)}
    sound = {split: f"{split}/**" for split in splits_of(complete)}
    tree.write_text("README.md", layout_card(complete, features, films, _README))
    tree.write_text("audio/README.md", layout_card(complete, features, sound, _AUDIO_README))


def _place(clip: ExportClip, product: Product, split: str) -> str:
    column = product.column
    folder = f"{column}/{split}" if column in MEDIA else f"features/{column}"
    return f"{folder}/{clip.video_id}/{clip.clip_id}{Path(product.path).suffix}"


def _row(column: str, measures: Mapping[str, Any], paths: Mapping[str, str]) -> str:
    """A line of the metadata of `video` or `audio`; `file_name` is relative to its folder."""
    own = paths[column].split("/", 2)[2]
    others = {f"{name}_path": path for name, path in paths.items() if name != column}
    return json.dumps({"file_name": own, **measures, **others}, ensure_ascii=False)
