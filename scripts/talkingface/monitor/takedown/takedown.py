"""A source taken out of a workspace: of its lists, the results, the dataset and every export.

What is to be done is written down first, so that a second call finishes what was killed. The lists
come before the results, so that no run makes anew what is being removed. The user's own files,
which results only link to, stay.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface.dataset.removal import count_rows
from talkingface.grid import video_of_clip
from talkingface.job.files import DamagedFile, atomic_path, read_json, write_json
from talkingface.job.tables import OtherColumns
from talkingface.monitor.missing import names_in
from talkingface.monitor.takedown.lookup import (
    NoSuchVideo,
    find_videos,
    known_videos,
    read_records,
    source_spellings,
)
from talkingface.monitor.takedown.rebuild import (
    CannotBuild,
    clean_dataset,
    clean_exports,
    clean_report,
    refuse_gone,
)
from talkingface.monitor.takedown.traces import (
    NO_LOGS,
    Trace,
    delete,
    drop_records,
    find_mentions,
    find_traces,
    find_unknown_files,
    mentions,
)
from talkingface.monitor.verify import is_locked
from talkingface.settings.decisions import read_decisions, without_clips
from talkingface.settings.schema import ConfigError
from talkingface.settings.sources import local_path
from talkingface.settings.videos import read_videos, without_rows
from talkingface.text import clean

JOURNAL = ".takedown.json"


@dataclass(frozen=True)
class Target:
    """A video that is to go: why, and all spellings of where it comes from."""

    why: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class _List:
    """A list of the user's, how many rows of it go, and what takes them out of its bytes."""

    path: Path
    rows: int
    without_rows: Callable[[bytes, Collection[str]], bytes]


@dataclass
class Removal:
    """What is to be taken down: videos by name, and names of people of whom none is left."""

    videos: dict[str, Target] = field(default_factory=dict)
    identities: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """What no log may name."""
        sources = [source for target in self.videos.values() for source in target.sources]
        return [*self.videos, *self.identities, *sources]


def run_takedown(
    workspace: str | Path,
    references: Sequence[str],
    *,
    identity: str | None = None,
    videos: str | Path | None = None,
    decisions: str | Path | None = None,
    dry_run: bool = False,
) -> str | None:
    """The command: remove the videos that are meant, and print what was removed; what is to be said
    at the end of an error.

    references: names of videos, paths or addresses. identity: whose videos go, too. videos: the
    list; `videos.csv` of the workspace where it is not given. decisions: what was decided by hand;
    `decisions.csv` of the workspace, if there is one. dry_run: only print what would be removed.
    """
    given = {reference: source_spellings(reference) for reference in references}
    workspace = Path(workspace).resolve()
    listed = Path(videos).resolve() if videos else workspace / "videos.csv"
    if not listed.is_file():
        return f"{listed}: no such file; say where the list of videos is: --videos LIST"
    decided = Path(decisions).resolve() if decisions else workspace / "decisions.csv"
    if decisions and not decided.is_file():
        return f"{decided}: no such file"
    if is_locked(workspace) and not dry_run:
        return f"{workspace} is locked: a run is at work, or one was killed (snakemake --unlock)"
    # Relative sources start here.
    with contextlib.chdir(workspace):
        results = Path("results")
        try:
            rows = read_videos(listed)
            by_hand = read_decisions(decided)
            records = read_records(results)
            removal = _removal(results, rows, records, given, identity)
            sources = [str(row["source"]) for row in rows]
            sources += [source for target in removal.videos.values() for source in target.sources]
            _refuse_own_files(find_traces(results, removal.videos), sources)
            refuse_gone(results, removal.videos)
        except (ConfigError, NoSuchVideo, CannotBuild, DamagedFile) as error:
            return str(error)
        lists = _rows_to_go(listed, rows, decided, by_hand, removal)
        if identity is not None:
            _print_nobodys(rows, records, removal)
        if dry_run:
            _print_plan(results, lists, rows, removal)
            return None
        _take_down(results, lists, rows, records, removal)
    return None


def _removal(
    results: Path,
    rows: Sequence[Mapping[str, Any]],
    records: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, set[str]],
    identity: str | None,
) -> Removal:
    """What is to be taken down, with what an earlier call was killed at."""
    removal = _read_journal(results / JOURNAL)
    known = known_videos(rows, records)
    sources = [text for target in removal.videos.values() for text in target.sources]
    begun = {*removal.videos, *sources, *removal.identities}
    begun |= {text for source in sources for text in source_spellings(source)}
    references = {}
    for reference, spellings in given.items():
        spellings = spellings | source_spellings(reference)
        if not ({reference} | spellings) & begun:
            references[reference] = spellings
    if identity is not None and clean(identity) in begun:
        identity = None
    if not references and identity is None and not removal.videos:
        raise NoSuchVideo("name a video, a source or, with --identity, who speaks")
    made = {
        reference
        for reference in references
        if reference not in known and find_traces(results, [reference])
    }
    for video, why in find_videos(known, references, identity, made).items():
        removal.videos[video] = Target(why, known[video].sources if video in known else ())
    left = {video for video in known if video not in removal.videos}
    removal.identities = sorted(
        {
            *removal.identities,
            *(known[video].identity for video in removal.videos if video in known),
        }
        - {"", *(known[video].identity for video in left)}
    )
    return removal


def _rows_to_go(
    listed: Path,
    rows: Iterable[Mapping[str, Any]],
    decided: Path,
    by_hand: Iterable[str],
    removal: Removal,
) -> list[_List]:
    """The list of videos, of these `rows`, and the clips that were decided about `by_hand`, where
    there is such a list."""
    count = sum(row["video_id"] in removal.videos for row in rows)
    lists = [_List(listed, count, without_rows)]
    if decided.exists():
        count = sum(video_of_clip(clip_id) in removal.videos for clip_id in by_hand)
        lists.append(_List(decided, count, without_clips))
    return lists


def _read_journal(path: Path) -> Removal:
    if not path.exists():
        return Removal()
    content = read_json(path, "videos", "identities")
    found = {
        video: Target(target["why"], tuple(target["sources"]))
        for video, target in content["videos"].items()
    }
    return Removal(found, list(content["identities"]))


def _refuse_own_files(traces: Iterable[Trace], sources: Iterable[str]) -> None:
    """Raise NoSuchVideo where a file that a video comes from lies in what is to be deleted."""
    doomed = {_place(trace.path) for trace in traces}
    for path in filter(None, map(local_path, sources)):
        place = _place(path)
        for folder in (place, *place.parents):
            if folder in doomed:
                raise NoSuchVideo(
                    f"{path}, from which a video comes, lies in {folder}, which would be deleted: "
                    "move it out of the results; nothing was removed"
                )


def _place(path: Path) -> Path:
    """Where a path is, without following it itself."""
    return Path(os.path.realpath(path.parent), path.name)


def _take_down(
    results: Path,
    lists: Iterable[_List],
    rows: Sequence[Mapping[str, Any]],
    records: Mapping[str, Mapping[str, Any]],
    removal: Removal,
) -> None:
    journal = results / JOURNAL
    if results.is_dir():
        videos = {video: vars(target) for video, target in removal.videos.items()}
        write_json({"videos": videos, "identities": removal.identities}, journal)
    _print_videos(rows, removal)
    for each in lists:
        if each.rows:
            _rewrite_list(each, removal.videos)
        print(f"{each.path}: {each.rows} rows removed")
    if results.is_dir():
        traces = find_traces(results, removal.videos)
        for trace in traces:
            if trace.path.is_symlink() and trace.path.is_dir():
                print(f"left, as {trace.path} is a link to it: {trace.path.resolve()}")
            delete(trace.path)
        print(f"results: {_amount(traces)} removed")
        ids = [str(row["video_id"]) for row in rows if row["video_id"] not in removal.videos]
        others = {video: record for video, record in records.items() if video not in removal.videos}
        clean_dataset(results, removal.videos, others, ids)
        clean_exports(results)
        clean_report(results)
    _clean_logs(results, removal)
    for path in find_unknown_files(results, removal.videos):
        print(f"left, as no stage of this version makes it: {path}")
    _print_rest(removal)
    journal.unlink(missing_ok=True)


def _rewrite_list(each: _List, video_ids: Collection[str]) -> None:
    # What a link leads to is the list.
    path = Path(os.path.realpath(each.path))
    content = each.without_rows(path.read_bytes(), video_ids)
    mode = path.stat().st_mode
    with atomic_path(path) as partial:
        partial.write_bytes(content)
        partial.chmod(mode)


def _clean_logs(results: Path, removal: Removal) -> None:
    """Take the videos out of what Snakemake notes, and delete the logs that name them."""
    state, wanted = Path(".snakemake"), mentions(removal.texts)
    print(f"{state}: {drop_records(state, removal.videos)} records of outputs removed")
    logs, databases = find_mentions(state, wanted, NO_LOGS)
    # Of single videos are the folders there.
    stages = names_in(str(results / "logs")) - {"exports", "models"}
    logs += find_mentions(results / "logs", wanted, stages)[0]
    for path in logs:
        delete(path)
        with contextlib.suppress(OSError):  # One that is not empty stays.
            for parent in (
                path.relative_to(state).parents[:-2] if path.is_relative_to(state) else ()
            ):
                (state / parent).rmdir()
    print(f"logs that name them: {len(logs)} removed")
    for path in databases:
        print(f"left, as it is a database: {path}")


def _print_videos(rows: Sequence[Mapping[str, Any]], removal: Removal) -> None:
    listed = {str(row["video_id"]) for row in rows}
    for video, target in removal.videos.items():
        source = clean(target.sources[0]) if target.sources else "source not known"
        unlisted = "" if video in listed else ", not in the list"
        print(f"{video} ({source}): {target.why}{unlisted}")


def _print_nobodys(
    rows: Iterable[Mapping[str, Any]], records: Iterable[str], removal: Removal
) -> None:
    """Name the videos with results that are not in the list, which alone says who speaks."""
    listed = {str(row["video_id"]) for row in rows}
    others = sorted(video for video in records if video not in {*listed, *removal.videos})
    if others:
        print(
            "not in the list, so who speaks is not known; name them, too, where it is that person: "
            f"{', '.join(others)}"
        )


def _print_plan(
    results: Path, lists: Iterable[_List], rows: Sequence[Mapping[str, Any]], removal: Removal
) -> None:
    _print_videos(rows, removal)
    print("would be removed:")
    for each in lists:
        print(f"  {each.path}: {each.rows} rows")
    traces = find_traces(results, removal.videos)
    for trace in traces:
        print(f"  {trace.path}: {trace.files} files, {trace.size:,} bytes")
    print(f"  together {_amount(traces)}")
    with contextlib.suppress(DamagedFile, OtherColumns):
        for name, count in count_rows(results / "dataset", removal.videos).items():
            print(f"  {results / 'dataset' / name}: {count} rows")
    for name in sorted(names_in(str(results / "exports"))):
        print(f"  {results / 'exports' / name}: would be built anew")
    if (results / "report").exists():
        print(f"  {results / 'report'}: would be deleted, for the next run to make it again")
    for path in find_unknown_files(results, removal.videos):
        print(f"would be left, as no stage of this version makes it: {path}")


def _print_rest(removal: Removal) -> None:
    kept = [local_path(s) for t in removal.videos.values() for s in t.sources[:1]]
    for path in dict.fromkeys(path for path in kept if path is not None and path.exists()):
        print(f"not touched, as it is yours: {path}")
    print(
        "Pictures, copies, uploads, backups and models that were made from them before are yours "
        "to look after.\nThe next run of snakemake makes the dataset, its card, the exports and the"
        " report again,\nand nothing else: the sides of the split are worked out from all videos "
        "together."
    )


def _amount(traces: Sequence[Trace]) -> str:
    files, size = sum(trace.files for trace in traces), sum(trace.size for trace in traces)
    return f"{files:,} files, {size:,} bytes"
