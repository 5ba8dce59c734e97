"""Exports: the dataset in the layout that a project's training code reads."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from talkingface.exports.export_clips import ExportClip, read_export_clips
from talkingface.exports.table import EXPORTS
from talkingface.exports.tree import Tree
from talkingface.job.files import atomic_path, write_json
from talkingface.stages import STAGES

logger = logging.getLogger(__name__)

# What is in every folder of an export beside its layout.
RECORD = "export.json"


class Layout(Protocol):
    """Builds the layout of an export out of its clips; `settings` are its section of the config."""

    def __call__(self, clips: Sequence[ExportClip], tree: Tree, **settings: Any) -> None: ...


def load(name: str) -> Layout:
    """The layout of the export `name`, one of EXPORTS: `lay_out` of the module that bears it."""
    module = importlib.import_module(f"talkingface.exports.{EXPORTS[name].name}")
    return module.lay_out


def make_export(
    name: str, results: str | Path, folder: str | Path, settings: Mapping[str, Any]
) -> None:
    """Build the export `name` of the dataset in `results`, whole, in the place of `folder`.

    In it are, beside what the layout has, `skipped.csv`, the table SKIPPED of the clips that its
    reader would not take, and `export.json`, a record of how it was made. A clip of which a file is
    gone, or a picture of a folder, is skipped, and the log says so and how it is made again.

    settings: the section of the config that bears the export's name; empty where it has none.
    Raises as `read_export_clips`, and ValueError where two files would have the same name.
    """
    stage = name if name in STAGES else None
    export = EXPORTS[name]
    columns = ["video", "audio", *_products(export.needs)]
    columns += [product.column for product in STAGES[name].products] if stage else []
    with atomic_path(folder) as partial:
        partial.mkdir()
        tree, clips = Tree(partial, folder), []
        all_clips = read_export_clips(results, stage)
        for clip in all_clips:
            if tree.skip_incomplete(clip, columns):
                continue
            if stage and clip.measures is None:
                tree.skip(clip, "clip", "missing", f"a row in {stage}/{clip.video_id}.csv")
            else:
                clips.append(clip)
        load(name)(clips, tree, **settings)
        tree.write_skipped()
        skipped = len(tree.left_out)
        record = {
            "export": name,
            "clips": len(all_clips) - skipped,
            "skipped": skipped,
            "made_of": sorted(tree.linked_by),
            "settings": dict(settings),
        }
        write_json(record, tree.path(RECORD))
    logger.info("%d clips, %d skipped: %s", record["clips"], skipped, folder)


def _products(features: Sequence[str]) -> list[str]:
    return [product.column for name in features for product in STAGES[name].products]
