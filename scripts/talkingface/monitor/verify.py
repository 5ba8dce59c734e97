"""Damaged and missing files of a workspace: found, told, and put away to be made again.

Links are neither followed nor touched, so a source is safe. Not to be used while a run is at work:
it may be in the middle of any of these files.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from talkingface.monitor.check import Checked, Fault, check_others, check_video, folder_fault
from talkingface.monitor.missing import names_in
from talkingface.stages import STAGES


def verify(
    results: str | Path, *, decode: bool = False, record: bool = False, threads: int = 1
) -> Iterator[Checked]:
    """Check all that is below `results`, video by video, several at a time.

    decode and record are as in `check_video`.
    """
    root = Path(os.path.realpath(results))
    waiting: deque[Future[Checked]] = deque()
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for video in sorted(_videos(root)):
            waiting.append(pool.submit(check_video, root, video, decode=decode, record=record))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    yield check_others(root, decode=decode, record=record)


def put_away(results: str | Path, faults: Iterable[Fault]) -> int:
    """Delete what is damaged, so that the next run misses it and makes it again; how many files.

    Raises OSError where one cannot be deleted.
    """
    root, count = Path(os.path.realpath(results)), 0
    for fault in faults:
        place = root / fault.path
        below = ".." not in Path(fault.path).parts and not Path(fault.path).is_absolute()
        own = below and not folder_fault(root, os.path.dirname(fault.path))[0]
        if own and not fault.missing and place.is_file() and not place.is_symlink():
            place.unlink()
            count += 1
    return count


def is_locked(workspace: str | Path) -> bool:
    """Whether a run is at work in a workspace, or was killed there."""
    with suppress(OSError):
        return any(os.scandir(Path(workspace, ".snakemake", "locks")))
    return False


def _videos(root: Path) -> set[str]:
    """The videos of which a stage has made something."""
    found = set()
    for stage in STAGES.values():
        folder, suffix = os.path.dirname(stage.manifest), stage.suffix
        for name in names_in(str(root / folder)):
            # Names of videos have no dots, but a stage may write another table.
            if name.endswith(suffix) and "." not in name.removesuffix(suffix):
                found.add(name.removesuffix(suffix))
        for name in names_in(str(root / "checksums" / folder)):
            found.add(name.removesuffix(".csv"))
    return {name for name in found if name and not name.startswith(".")}


def run_verify(
    workspace: str | Path, *, decode: bool, remake: bool, record: bool, threads: int
) -> str | None:
    """The command: print every fault as it is found; what is to be said at the end of an error."""
    workspace = Path(workspace)
    results, total, faults, deleted = workspace / "results", Checked(), 0, 0
    if not results.is_dir():
        return f"{results}: no such folder; was it run?"
    if (remake or record) and is_locked(workspace):
        return f"{workspace} is locked: a run is at work, or one was killed (snakemake --unlock)"
    for checked in verify(results, decode=decode, record=record, threads=threads):
        for fault in checked.faults:
            print(f"{results / fault.path}: {fault.how}", flush=True)
        faults += len(checked.faults)
        total.add(checked)
        deleted += put_away(results, checked.faults) if remake else 0
    print(f"{total.files} files checked, {total.unknown} of them without a checksum of their own")
    if total.links:
        print(f"{total.links} links not followed")
    if not faults:
        return None
    if not remake:
        return f"{faults} damaged or missing; with --remake the next run makes them again"
    return f"{faults} damaged or missing, {deleted} deleted: run snakemake again to make them"
