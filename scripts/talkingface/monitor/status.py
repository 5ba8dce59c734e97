"""Where every video stands, from the files of a run alone, at any time.

A run that goes on may take any file away: what is not there is not counted. What is there and
cannot be read, or is something else, was damaged, as jobs write files aside and rename them.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface.clips.verdict import BY_HAND
from talkingface.dataset.summary import describe, duration, video_seconds
from talkingface.grid import FPS
from talkingface.stages import STAGES, Stage

# Times of a stage are the mean of at most so many of its records, from all over the list.
SAMPLE = 200
SUMMARY = "dataset/summary.json"
# Characters at the end of a log in which its error is looked for.
TAIL = 16_000


@dataclass(frozen=True)
class StageStatus:
    """How far a stage is, in videos; `seconds` a video as measured, None where nothing is yet.

    `failed`: the log ends with an error; `begun`: it ends in the middle, so the job is at work or
    was killed.
    """

    name: str
    finished: int
    failed: int
    begun: int
    seconds: float | None


@dataclass(frozen=True)
class Status:
    """How far a run is.

    `by_status` counts the videos whose download is finished by their record's status; `not_kept`
    has (stage, reason, count, hours) of what the ledgers reject, most frequent first; `errors`
    has the logs that end in an error with it, newest first; `dataset` is the summary of the
    dataset there is, made before what is going on now; `damaged` has the tables and records that
    cannot be read.
    """

    videos: int
    by_status: dict[str, int]
    hours_in: float
    clips: int
    hours_kept: float
    stages: list[StageStatus]
    not_kept: list[tuple[str, str, int, float]]
    errors: list[tuple[Path, str]]
    failed_videos: int
    dataset: dict[str, Any] | None = None
    damaged: tuple[Path, ...] = ()


def read_status(results: str | Path, videos: Collection[str] | None = None) -> Status:
    """Look through `results`, which a run may be writing to.

    `videos` are the listed ones; without them, all of which `results` knows. A video counts as
    finished in a stage when the stage's table or record of it is there, up to date or not.
    """
    results = Path(results)
    # Every stage that has begun has a folder for its logs.
    begun_stages = [stage for stage in STAGES.values() if (results / "logs" / stage.name).is_dir()]
    finished = {stage.name: _finished(results, stage) for stage in begun_stages}
    logs = {name: _stems(results / "logs" / name, ".log") for name in finished}
    if videos is None:
        videos = set().union(*finished.values(), *logs.values())
    known = set(videos)
    stages, errors, failed_videos = [], _errors_elsewhere(results), set()
    for name, outputs in finished.items():
        done = outputs & known
        failed = begun = 0
        for video in (logs[name] & known) - done:
            log = results / "logs" / name / f"{video}.log"
            error = log_error(log)
            if error:
                failed += 1
                failed_videos.add(video)
                errors.append((log, error))
            elif error is not None:
                begun += 1
        seconds = _mean_seconds(results / "benchmarks" / name)
        stages.append(StageStatus(name, len(done), failed, begun, seconds))
    errors.sort(key=lambda error: -_mtime(error[0]))
    damaged: list[Path] = []
    by_status, hours_in = _read_records(results, finished.get("download", set()) & known, damaged)
    clips, hours_kept, not_kept = _read_ledgers(
        results, finished.get("segments", set()) & known, damaged
    )
    dataset = read_summary(results)
    if dataset is None and _read(results / SUMMARY) is not None:
        damaged.append(results / SUMMARY)
    return Status(
        len(known), by_status, hours_in, clips, hours_kept, stages, not_kept, errors,
        len(failed_videos), dataset, tuple(damaged),
    )  # fmt: skip


def describe_status(status: Status, most_errors: int = 10) -> str:
    """The status as a table for a person."""
    here = status.by_status.get("ok", 0)
    lines = [
        f"{status.videos} videos; {here} are here, {duration(status.hours_in)}; "
        f"segments kept: {status.clips}, {duration(status.hours_kept)}"
    ]
    lacking = sorted((-count, name) for name, count in status.by_status.items() if name != "ok")
    if lacking:
        counts = ", ".join(f"{-count} {name}" for count, name in lacking)
        lines.append(f"not to be had: {counts}")
    lines += ["", _row("stage", "finished", "left", "failed", "begun", "a video", "spent", "to go")]
    spent = to_go = 0.0
    for stage in status.stages:
        left = status.videos - stage.finished
        cells = [stage.name, stage.finished, left, stage.failed, stage.begun]
        if stage.seconds is not None:
            hours = [stage.seconds * count / 3600 for count in (stage.finished, left)]
            cells += [f"{stage.seconds:.1f} s", *map(duration, hours)]
            spent, to_go = spent + hours[0], to_go + hours[1]
        lines.append(_row(*cells))
    total = sum(stage.seconds or 0 for stage in status.stages)
    lines.append(_row("all", "", "", "", "", f"{total:.1f} s", duration(spent), duration(to_go)))
    lines.append("begun: at work, or killed. Times are those of jobs one after the other.")
    if status.not_kept:
        lines += ["", "not kept:"]
        for name, reason, count, hours_lost in status.not_kept:
            lines.append(f"{count:8} by {name}: {reason}, {duration(hours_lost)}")
    if status.dataset:
        # The ledgers' rejections are told above; these come with the dataset.
        late = ("quality", BY_HAND[0])
        judged = [row for row in status.dataset["rejected"] if row["stage"] in late]
        text = describe(status.dataset | {"rejected": judged})
        lines += ["", f"the dataset when it was last made: {text}"]
    if status.errors:
        lines += ["", describe_errors(status, most_errors)]
    if status.damaged:
        lines += ["", f"damaged: {len(status.damaged)}; see python scripts/verify.py:"]
        lines += [f"  {path}" for path in status.damaged[:most_errors]]
    return "\n".join(lines)


def describe_errors(status: Status, most_errors: int = 10) -> str:
    """How many videos failed, and the newest errors with their logs."""
    lines = [f"videos with errors: {status.failed_videos}; the newest:"]
    lines += [f"  {log}: {error}" for log, error in status.errors[:most_errors]]
    return "\n".join(lines)


def _row(name: object, *cells: object) -> str:
    widths = (9, 8, 8, 7, 10, 11, 11)
    padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths[: len(cells)], strict=True))
    return f"{name:<12}" + "".join(padded)


def log_error(path: str | Path) -> str | None:
    """The error a job's log ends in; "" where it ends in the middle, None at its end or without."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return None
    _, found, trace = text.rpartition("Traceback (most recent call last):\n")
    if "log: done in " in trace:
        return None
    if not found:
        return ""
    # The first line that is not indented is the error; a message may go on after it.
    return next((line for line in trace.splitlines() if line[:1].strip()), "Traceback")


def _errors_elsewhere(results: Path) -> list[tuple[Path, str]]:
    """Errors of the rules that are of no video."""
    logs = [*(results / "logs").glob("*.log"), *(results / "logs/models").glob("*.log")]
    return [(log, error) for log in logs if (error := log_error(log))]


def _scan(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def _stems(folder: Path, suffix: str) -> set[str]:
    size = len(suffix)
    return {entry.name[:-size] for entry in _scan(folder) if entry.name.endswith(suffix)}


def _finished(results: Path, stage: Stage) -> set[str]:
    """Videos with the table or the record that a stage writes last."""
    manifest = results / stage.manifest
    # Names of videos have no dots, but a stage may write another table, as `{video}.frames.csv`.
    return {stem for stem in _stems(manifest.parent, stage.suffix) if "." not in stem}


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> str | None:
    """A file's text; None when a job has just taken it away."""
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return None


def _record(text: str) -> dict[str, Any]:
    """A JSON record; an empty one where it is none."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _mean_seconds(folder: Path) -> float | None:
    """Mean of the first column of Snakemake's records, of SAMPLE at most."""
    names = sorted(_stems(folder, ".tsv"))
    times = []
    for name in names[:: max(1, len(names) // SAMPLE)]:
        lines = (_read(folder / f"{name}.tsv") or "").splitlines()
        with suppress(ValueError):
            times += [float(line.split("\t")[0]) for line in lines[1:][-1:]]
    return sum(times) / len(times) if times else None


def _read_records(
    results: Path, videos: Collection[str], damaged: list[Path]
) -> tuple[dict[str, int], float]:
    """How many videos have each status, and the hours of all; `damaged` gets what is no record."""
    statuses: Counter[str] = Counter()
    seconds = 0.0
    for video in videos:
        path = results / STAGES["download"].manifest.format(video=video)
        text = _read(path)
        if text is None:
            continue
        record = _record(text)
        if isinstance(record.get("status"), str):
            statuses[record["status"]] += 1
            with suppress(AttributeError, TypeError, ValueError, OverflowError):
                seconds += video_seconds(record)
        else:
            damaged.append(path)
    return dict(statuses), seconds / 3600


def _read_ledgers(
    results: Path, videos: Collection[str], damaged: list[Path]
) -> tuple[int, float, list[tuple[str, str, int, float]]]:
    """Clips and hours kept, and what is rejected; `damaged` gets what is no whole ledger."""
    frames: Counter[tuple[str, str]] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    for video in videos:
        path = results / STAGES["segments"].manifest.format(video=video)
        text = _read(path)
        if text is None:
            continue
        try:
            for key, n_frames in _ledger_rows(text):
                counts[key] += 1
                frames[key] += n_frames
        except (csv.Error, KeyError, ValueError, OverflowError):
            damaged.append(path)
    clips, kept = counts.pop(("", ""), 0), frames.pop(("", ""), 0)
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rejected = [(*key, count, frames[key] / FPS / 3600) for key, count in frequent]
    return clips, kept / FPS / 3600, rejected


def _ledger_rows(text: str) -> Iterator[tuple[tuple[str, str], int]]:
    """Stage and reason of every row of a ledger, both empty where it is kept, and its frames.

    Raises ValueError and others at the first row that is not whole.
    """
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if not {"verdict", "stage", "reason", "n_frames"} <= set(rows.fieldnames or ()):
        raise ValueError("no ledger")
    if not text.endswith("\n"):
        raise ValueError("its last line is cut")
    for row in rows:
        if None in row.values() or None in row:
            raise ValueError("a row has not as many cells as there are columns")
        n_frames = int(float(row["n_frames"] or 0))
        kept = row["verdict"] == "kept"
        yield ("", "") if kept else (row["stage"], row["reason"]), n_frames


def read_summary(results: str | Path) -> dict[str, Any] | None:
    """The summary of the dataset; None where there is none that can be told."""
    summary = _record(_read(Path(results) / SUMMARY) or "")
    try:
        describe(summary)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None
    return summary
