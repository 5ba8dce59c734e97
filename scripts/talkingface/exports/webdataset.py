"""Tar archives for WebDataset: a sample a clip, in shards of bounded size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from talkingface.exports.clip_records import chosen_products, clip_record, typed_columns
from talkingface.exports.export_clips import ExportClip
from talkingface.exports.layout_card import SPLITS, layout_card, splits_of
from talkingface.exports.shards import Member, Sample, divide_samples, write_shard
from talkingface.exports.tree import Tree
from talkingface.stage import is_folder

# Suffixes of the files that every sample has, which readers know by these.
_PLAIN = {"video": "mp4", "audio": "wav"}
_README = """\
Tar archives for WebDataset. A sample is called like its clip and has `mp4` (constant 25 fps, with
sound), `wav` (16 kHz, mono, 640 samples a frame), `json` (the columns below, without paths), and
what was computed of every frame.

```python
import webdataset
from datasets import load_dataset

samples = webdataset.WebDataset("train-000000.tar", shardshuffle=False).decode()
rows = load_dataset("THIS_FOLDER_OR_REPOSITORY", split="train", streaming=True)
```
"""


def lay_out(
    clips: Sequence[ExportClip], tree: Tree, *, max_shard: float, features: Sequence[str] | None
) -> None:
    """Shards `train-000000.tar` and so on, `eval-000000.tar` and so on, a list of them for each
    side, and README.md.

    A sample is called like its clip and has `mp4`, `wav`, `json` (the row of clips.csv) and the
    products of `features` as `COLUMN.SUFFIX`, a folder of pictures as a zip archive. Clips keep the
    dataset's order among the shards, so that videos at the end of the list change the last ones
    only; inside a shard they are sorted. The lists are those of `wids`, version 1.

    max_shard: bytes of a shard at most; a larger clip has one of its own. features: None are all
        that were made but pictures of every frame and films.
    """
    complete = []
    for clip in clips:
        products = chosen_products(clip, features)
        if not tree.skip_incomplete(clip, [product.column for product in products]):
            complete.append(clip)
    columns = typed_columns(complete)
    for side in SPLITS:
        shards = []
        samples = (_sample(clip, columns, features) for clip in complete if clip.side == side)
        for number, part in enumerate(divide_samples(samples, max_shard)):
            name = f"{side}-{number:06d}.tar"
            path = tree.path(name)
            write_shard(path, part)
            size = path.stat().st_size
            shards.append({"url": name, "nsamples": len(part), "filesize": size})
        if shards:
            index = {"wids_version": 1, "name": side, "shardlist": shards}
            tree.write_text(f"{side}.json", json.dumps(index, indent=2) + "\n")
    # Without a card its reader would take the lists, which are json, for the data.
    there = splits_of(complete)
    archives = {split: f"{side}-*.tar" for side, split in SPLITS.items() if split in there}
    tree.write_text("README.md", layout_card(complete, features, archives, _README))


def _sample(clip: ExportClip, columns: Sequence[str], features: Sequence[str] | None) -> Sample:
    record = clip_record(clip)
    row = json.dumps({name: record[name] for name in columns}, ensure_ascii=False)
    members = [Member("json", row.encode())]
    for product in chosen_products(clip, features):
        suffix = "zip" if is_folder(product.path) else Path(product.path).suffix[1:]
        suffix = _PLAIN.get(product.column, f"{product.column}.{suffix}")
        members.append(Member(suffix, clip.path(product.column)))
    return Sample(clip.clip_id, tuple(members))
