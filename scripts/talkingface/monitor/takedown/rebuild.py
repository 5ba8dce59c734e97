"""What is made of all videos together, made anew without some: the dataset's tables, its summary
and card, and the exports; the report is left to the next run.

What cannot be made anew is deleted whole, so that nothing of these videos stays in it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from talkingface.dataset.card import CARD, SETTINGS, make_card
from talkingface.dataset.removal import SUMMARY, TABLES, drop_rows, write_summary
from talkingface.exports.export import RECORD, make_export
from talkingface.exports.export_clips import lacking_file, read_export_clips
from talkingface.exports.table import EXPORTS
from talkingface.job.checksums import checksummed, checksums_path, take_checksums, write_checksums
from talkingface.job.files import DamagedFile, read_json
from talkingface.job.tables import OtherColumns
from talkingface.monitor.missing import names_in
from talkingface.monitor.takedown.traces import delete
from talkingface.report.files import REPORT_MANIFEST
from talkingface.stages import FEATURES, STAGES
from talkingface.text import clean

# What a table, a record or a card cannot be read for: it is deleted, and the next run makes it.
_UNREADABLE = (DamagedFile, OtherColumns, OSError, KeyError, ValueError, TypeError)


class CannotBuild(ValueError):
    """An export that could not be built anew."""


def refuse_gone(results: str | Path, video_ids: Collection[str]) -> None:
    """Raise CannotBuild where a file of another video is gone that an export holds: built anew, it
    would lose the clip for good.

    A dataset or an export that cannot be read is passed over: it is going to be deleted.
    """
    results = Path(results)
    names = [name for name in names_in(str(results / "exports")) if name in EXPORTS]
    taken, own = {"video", "audio"}, set[str]()
    for name in names:
        export = EXPORTS[name]
        features = FEATURES if export.chooses_features else (*export.needs, *export.takes)
        taken |= {product.column for stage in features for product in STAGES[stage].products}
        own |= {product.column for product in (STAGES[name].products if name in STAGES else ())}
    try:
        clips = read_export_clips(results) if names else []
    except _UNREADABLE:
        return
    for clip in clips:
        if clip.video_id in video_ids:
            continue
        gone = lacking_file(clip, sorted(own | set(filter(clip.has, taken))))
        if gone is not None:
            raise CannotBuild(
                f"{gone} is gone, of which {results / 'exports' / min(names)} may have the last: "
                "have it made again by snakemake, or delete that export; nothing was removed"
            )


def clean_dataset(
    results: Path,
    video_ids: Collection[str],
    records: Mapping[str, Mapping[str, Any]],
    order: Sequence[str],
) -> None:
    """Take the videos out of the dataset's tables, its summary and its card."""
    folder = results / "dataset"
    for name in sorted(names_in(str(folder))):
        if name.startswith(".partial-"):
            delete(folder / name)
    if not any((folder / name).exists() for name in (*TABLES, SUMMARY, CARD)):
        return  # None was made yet.
    for name in TABLES:
        path = folder / name
        if path.exists():
            try:
                print(f"{path}: {drop_rows(path, video_ids)} rows removed")
            except (DamagedFile, OtherColumns) as error:
                _give_up(path, error)
    outputs = [folder / name for name in (*TABLES, SUMMARY)]
    try:
        write_summary(folder, records, order)
        taken = take_checksums(results, outputs)
        write_checksums(checksums_path(results, f"dataset/{SUMMARY}"), taken)
        print(f"{folder / SUMMARY}: counted anew")
    except _UNREADABLE as error:
        _give_up(folder / SUMMARY, error)
    if (folder / CARD).exists():
        try:
            with checksummed([folder / SETTINGS, folder / CARD]):
                make_card(results, **read_json(folder / SETTINGS))
            print(f"{folder / CARD}: written anew")
        except _UNREADABLE as error:
            _give_up(folder / CARD, error)


def clean_exports(results: Path) -> None:
    """Build every export anew of the dataset's tables, by the settings that it was made with."""
    folder = results / "exports"
    for name in sorted(names_in(str(folder))):
        path = folder / name
        if name.startswith("."):
            delete(path)
            continue
        if name not in EXPORTS and not (path / RECORD).exists():
            print(f"left, as it is no export: {path}")
            continue
        try:
            record = read_json(path / RECORD, "export", "settings")
            if record["export"] != name or name not in EXPORTS:
                raise OtherColumns(f"{path}: not an export of this version")
            make_export(name, results, path, record["settings"])
            print(f"{path}: built anew, {read_json(path / RECORD, 'clips')['clips']} clips")
        # Whatever keeps it from being built, nothing of the videos may stay in it.
        except Exception as error:
            _give_up(path, error)


def clean_report(results: Path) -> None:
    """Delete the report, which the next run makes anew in seconds."""
    delete(results / ".partial-report")
    delete(checksums_path(results, REPORT_MANIFEST))
    if os.path.lexists(results / "report"):
        delete(results / "report")
        print(f"{results / 'report'}: deleted whole, the next run makes it again")


def _give_up(path: Path, error: Exception) -> None:
    delete(path)
    reason = clean(error) or type(error).__name__
    print(f"{path}: deleted whole, the next run makes it again ({reason})")
