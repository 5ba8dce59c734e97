"""Where a video has left anything in a workspace: in its results, and in Snakemake's own folder.

Names are compared whole: nothing of `talk10` is taken for `talk1`, nor the clip `talk1_000000_...`
for the video `talk1_000000`.
"""

from __future__ import annotations

import base64
import binascii
import json
import mmap
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from talkingface.job.files import atomic_path
from talkingface.monitor.missing import names_in
from talkingface.stages import STAGES

# What writers and yt-dlp put before a name while they are at work.
_AT_WORK = (".partial-", ".fetch-")
# Folders of results that are of all videos; and, as in those of logs, benchmarks and checksums,
# what is of none.
_OF_ALL = ("dataset", "exports", "report")
_OF_NO_VIDEO = ("models", *_OF_ALL)
# In Snakemake's folder: records by output, and environments, in which nothing is of a video.
_RECORDS = ("metadata", "incomplete")
NO_LOGS = (*_RECORDS, "locks", "conda", "conda-archive", "singularity", "source_cache")
_DATABASE = b"SQLite format 3\0"


@dataclass(frozen=True)
class Trace:
    """A file or a folder of a video: how many files are in it, and their bytes."""

    path: Path
    video_id: str
    files: int
    size: int


def find_traces(results: str | Path, video_ids: Collection[str]) -> list[Trace]:
    """All that the stages of the register made of these videos, also what a killed job left."""
    found = []
    for folder in _folders(Path(results)):
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                video = owner(entry.name)
                if video in video_ids:
                    files, size = _measure(entry.path)
                    found.append(Trace(Path(entry.path), video, files, size))
    return found


def find_unknown_files(results: str | Path, video_ids: Collection[str]) -> list[Path]:
    """What is called like these videos in the folders of `results` that no stage of the register
    has: of another version, or the user's own."""
    known = {str(folder) for folder in _folders(Path(results))}
    names = (*_OF_NO_VIDEO, "logs", "benchmarks", "checksums")
    others = {str(Path(results, name)) for name in names}
    found = []
    for name in sorted(names_in(str(results))):
        folder = str(Path(results, name))
        if folder not in known | others:
            found += [Path(folder, n) for n in sorted(names_in(folder)) if owner(n) in video_ids]
    return found


def owner(name: str) -> str:
    """The name of the video that a file or a folder of a stage is called after: names of videos
    have no dots."""
    for mark in _AT_WORK:
        name = name.removeprefix(mark)
    return name.partition(".")[0]


def _folders(results: Path) -> list[Path]:
    """The folders in which every entry is called after a video."""
    patterns = [path for stage in STAGES.values() for path in stage.video_files]
    patterns += [stage.clip_folder for stage in STAGES.values() if stage.clip_folder]
    found = dict.fromkeys(results / PurePosixPath(pattern).parts[0] for pattern in patterns)
    found[results / "finished"] = None
    for parent in ("logs", "benchmarks", "checksums"):
        for name in sorted(names_in(str(results / parent))):
            if name not in _OF_NO_VIDEO:
                found[results / parent / name] = None
    return list(found)


def _measure(path: str) -> tuple[int, int]:
    """Files at and below a path, and their bytes; a link is a file of none."""
    if os.path.islink(path):
        return 1, 0
    if not os.path.isdir(path):
        return 1, os.lstat(path).st_size
    files = size = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):
                size += os.lstat(os.path.join(folder, name)).st_size
            files += 1
    return files, size


def delete(path: str | Path) -> None:
    """Delete a file, a link or a folder; what a link leads to stays, and what is gone is gone."""
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def drop_records(state: str | Path, video_ids: Collection[str]) -> int:
    """Take these videos out of Snakemake's records of outputs; how many records were deleted.

    state: the folder `.snakemake`. A record of the dataset, of which they are inputs, forgets its
    params, in which they stand with their sources: so the next run makes the dataset again. That
    of the report, which is deleted, goes with it.
    """
    deleted = 0
    for kind in _RECORDS:
        root = Path(state, kind)
        for path in _files(root):
            parts = PurePosixPath(_output(path, root)).parts
            if parts == ("results", "report"):
                path.unlink()
                deleted += 1
            if parts[:1] != ("results",) or len(parts) < 3:
                continue
            if parts[1] not in _OF_NO_VIDEO and owner(parts[2]) in video_ids:
                path.unlink()
                deleted += 1
            elif parts[1] in _OF_ALL and kind == "metadata":
                _forget(path, video_ids, parts[1] == "dataset")
    return deleted


def mentions(texts: Iterable[str]) -> re.Pattern[bytes]:
    """What finds one of some texts, as whole words, in the bytes of a file; also as Python and JSON
    write them."""
    forms = {
        form.encode("utf-8", "surrogatepass")
        for text in texts
        for form in (text, json.dumps(text)[1:-1], repr(text)[1:-1])
    }
    whole = (
        (rb"(?<![A-Za-z0-9])" if form[:1].isalnum() else b"")
        + re.escape(form)
        + (rb"(?![A-Za-z0-9])" if form[-1:].isalnum() else b"")
        for form in sorted(forms)
    )
    return re.compile(b"|".join(whole) or rb"(?!)")


def find_mentions(
    folder: str | Path, wanted: re.Pattern[bytes], skip: Collection[str] = ()
) -> tuple[list[Path], list[Path]]:
    """The files below a folder whose name or content has something `wanted`: those that are
    databases stand apart, as a second list. Folders directly in it called as one of `skip` are
    passed over."""
    found: list[Path] = []
    databases: list[Path] = []
    root = Path(folder)
    for path in _files(root, skip):
        if wanted.search(os.fsencode(path.relative_to(root))) or _holds(path, wanted):
            with open(path, "rb") as file:
                is_database = file.read(len(_DATABASE)) == _DATABASE
            (databases if is_database else found).append(path)
    return found, databases


def _files(root: Path, skip: Collection[str] = ()) -> Iterator[Path]:
    """The regular files below a folder, without following links."""
    for folder, folders, names in os.walk(root):
        if folder == str(root):
            folders[:] = [name for name in folders if name not in skip]
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink() and path.is_file():
                yield path


def _holds(path: Path, wanted: re.Pattern[bytes]) -> bool:
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return wanted.search(content) is not None


def _output(path: Path, root: Path) -> str:
    """The output that a record is of: its name in base64, whose first parts, where it is longer
    than a name may be, are folders with @ before them."""
    name = "".join(part.removeprefix("@") for part in path.relative_to(root).parts)
    try:
        return base64.urlsafe_b64decode(name).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _forget(path: Path, video_ids: Collection[str], is_dataset: bool) -> None:
    """Take videos out of the record of an output that is of all videos; delete it where it is none
    that is known here."""
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
        record["input"] = [name for name in record["input"] if not _is_of(name, video_ids)]
        checksums = record.get("input_checksums") or {}
        record["input_checksums"] = {
            name: value for name, value in checksums.items() if not _is_of(name, video_ids)
        }
        if is_dataset and any("video_id" in text for text in record["params"]):
            record["params"] = []
    except (ValueError, LookupError, TypeError, AttributeError):
        path.unlink()
        return
    mode = path.stat().st_mode
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(record))
        partial.chmod(mode)


def _is_of(name: str, video_ids: Collection[str]) -> bool:
    """Whether an input is a file of one of these videos."""
    parts = PurePosixPath(name).parts
    of_a_stage = len(parts) > 2 and parts[0] == "results" and parts[1] not in _OF_NO_VIDEO
    return of_a_stage and owner(parts[2]) in video_ids
