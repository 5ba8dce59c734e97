"""Where the time of a run went, by the records that Snakemake's benchmarks leave.

They are a by-product: what is missing or damaged of them is passed over. A large dataset has
hundreds of thousands, each a file, so of each stage only some are read, from all over the list.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, isfinite
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from talkingface.stages import STAGES

# Records of a stage that are read at most.
SAMPLE = 500
# Snakemake looks at a job every half second, and after a quarter of a minute every half minute (its
# `benchmark.ScheduledPeriodicTimer`). Of what is shorter than a second it has seen too little for
# memory and processor time to say anything.
_SHORTEST, _OFTEN, _SELDOM, _LONG = 1.0, 0.5, 30.0, 15.0
# Jobs of all videos together; of the report itself there is only the record of the one before.
_OF_ALL_VIDEOS = ("dataset", "card", "report")


class Lengths(NamedTuple):
    """Frames of a video: of itself on the grid, of all its candidates, and of its clips."""

    video: int
    candidates: int
    clips: int


class _Job(NamedTuple):
    """What a job took: seconds, processor seconds, MB of memory at most; None: not measured.

    Processor time is noted as it was at the last look. Here it is that of the whole job, supposing
    that it went on as before.
    """

    seconds: float
    cpu_seconds: float | None
    memory: float | None


def stage_times(results: str | Path, lengths: Mapping[str, Lengths]) -> list[dict[str, Any]]:
    """What every stage took of which there are records, in the order of the register; then the
    jobs of all videos together, and the exports as `export_NAME`.

    lengths: of every video of the list; records of other videos do not count.

    Of each `stage`: `jobs`, the number of records, and `sampled`, how many were read. `seconds`,
    `cpu_seconds` and `frames` are of all jobs, supposing that the others are as those that were
    read: frames of what the stage goes through, 0 for a job of all videos. `median_rss_mb` and
    `max_rss_mb` are of those that were read. None is what was not measured.
    """
    root = Path(results, "benchmarks")
    rows = []
    for stage in STAGES:
        videos = [video for video in _stems(root / stage) if video in lengths]
        jobs = [
            (_read_job(root / stage / f"{video}.tsv"), _frames(stage, lengths[video]))
            for video in sample(videos)
        ]
        rows.append(_row(stage, len(videos), jobs))
    for name in _OF_ALL_VIDEOS:
        rows.append(_row(name, 1, [(_read_job(root / f"{name}.tsv"), 0)]))
    for name in _stems(root / "exports"):
        rows.append(_row(f"export_{name}", 1, [(_read_job(root / f"exports/{name}.tsv"), 0)]))
    return [row for row in rows if row]


def sample(names: Sequence[str]) -> Sequence[str]:
    """At most SAMPLE of some names, at equal distances."""
    return names[:: ceil(len(names) / SAMPLE) or 1]


def _frames(stage: str, lengths: Lengths) -> int:
    """The frames that a stage goes through of a video."""
    if stage == "preview":
        return lengths.candidates
    is_of_clips = stage == "clips" or "clips" in STAGES[stage].reads
    return lengths.clips if is_of_clips else lengths.video


def _row(stage: str, jobs: int, read: Iterable[tuple[_Job | None, int]]) -> dict[str, Any]:
    """What is said of a stage with so many jobs, some of which were read, with their frames;
    nothing where none could be."""
    known = [(job, frames) for job, frames in read if job is not None]
    if not known:
        return {}
    share = jobs / len(known)
    seconds = sum(job.seconds for job, _ in known)
    timed = [job for job, _ in known if job.cpu_seconds is not None]
    memory = [job.memory for job, _ in known if job.memory is not None]
    return {
        "stage": stage,
        "jobs": jobs,
        "sampled": len(known),
        "seconds": share * seconds,
        "cpu_seconds": _cpu_seconds(timed, share * seconds),
        "median_rss_mb": median(memory) if memory else None,
        "max_rss_mb": max(memory, default=None),
        "frames": round(share * sum(frames for _, frames in known)),
    }


def _cpu_seconds(timed: Sequence[_Job], seconds: float) -> float | None:
    """Processor seconds of jobs that took so many `seconds`, by those of some of them."""
    wall = sum(job.seconds for job in timed)
    return seconds * sum(job.cpu_seconds or 0.0 for job in timed) / wall if wall else None


def _read_job(path: Path) -> _Job | None:
    """The last job of a record; None where it has none that can be read."""
    try:
        header, *lines = path.read_text("utf-8").splitlines()
        cells = dict(zip(header.split("\t"), lines[-1].split("\t"), strict=True))
    except (OSError, ValueError, IndexError):
        return None
    seconds = _number(cells.get("s", ""))
    if seconds is None:
        return None
    if seconds < _SHORTEST:
        return _Job(seconds, None, None)
    cpu_seconds = _number(cells.get("cpu_time", ""))
    if cpu_seconds is not None:
        cpu_seconds *= seconds / _last_look(seconds)
    return _Job(seconds, cpu_seconds, _number(cells.get("max_rss", "")))


def _last_look(seconds: float) -> float:
    """When Snakemake last looked at a job that took so many seconds, at least _SHORTEST."""
    if seconds < _LONG:
        return seconds // _OFTEN * _OFTEN
    return _LONG + (seconds - _LONG) // _SELDOM * _SELDOM


def _number(cell: str) -> float | None:
    """A number from 0; None for anything else, such as Snakemake's NA."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if isfinite(number) and number >= 0 else None


def _stems(folder: Path) -> list[str]:
    """What the records in a folder are called after, in order; none where there is no folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name.removesuffix(".tsv") for name in names if name.endswith(".tsv"))
