"""What of a finished workspace is gone, found before a run plans its jobs.

Folders are listed rather than files looked up, and a folder of pictures only where something was
taken out of it after its stage was done: there may be 100,000 clips of some thousand files each.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from talkingface.report.files import REPORT_FILES, preview_files
from talkingface.stage import Stage, is_folder
from talkingface.stages import STAGES, stages_made

# No clip has more: 11 hours.
MOST_FRAMES = 1_000_000


@dataclass(frozen=True)
class Missing:
    """Paths that are gone, relative to the results folder.

    `outputs`: tables, records and folders, outputs of a rule by themselves. `parts`: by the
    manifest of a stage of a video, what is gone of the folder beside it, and by `report`, what is
    gone of that folder.
    """

    outputs: list[str] = field(default_factory=list)
    parts: dict[str, list[str]] = field(default_factory=dict)

    def describe(self, most: int = 10) -> str:
        """What is missing, for a person; nothing where nothing is."""
        gone = [*self.outputs, *(path for paths in self.parts.values() for path in paths)]
        more = f" and {len(gone) - most} more" if len(gone) > most else ""
        return f"missing, to be made: {', '.join(gone[:most])}{more}" if gone else ""


def find_missing(
    results: str | Path,
    videos: Iterable[str],
    features: Collection[str],
    exports: Collection[str] = (),
    *,
    report: bool = False,
) -> Missing:
    """What is gone of `videos`: of the finished ones anything that a run with these features and
    exports makes, and with the report or without, of the others what is gone of folders whose stage
    is done.

    Files that may be deleted when a dataset is made are not missed.
    """
    missing, root, videos = Missing(), str(results), list(videos)
    finished = names_in(f"{root}/finished")
    clips: dict[str, list[tuple[str, int]]] | None = None
    for stage in map(STAGES.__getitem__, stages_made(features, exports, report=report)):
        for pattern in stage.video_files:
            there = names_in(f"{root}/{os.path.dirname(pattern)}")
            # Where the report was never made, nothing of it is gone.
            if pattern not in stage.disposable and (there or not stage.report):
                missing.outputs.extend(
                    pattern.format(video=video)
                    for video in videos
                    if video in finished and _name(pattern, video) not in there
                )
        if stage.clip_folder is None:
            continue
        there = names_in(f"{root}/{stage.name}")
        done = [video for video in videos if _name(stage.manifest, video) in there]
        missing.outputs.extend(
            stage.clip_folder.format(video=video) for video in done if video not in there
        )
        if clips is None:  # The stages of clips come after all others, `clips` first.
            clips = {video: read_clip_lengths(f"{root}/clips/{video}.csv") for video in done}
        for video in done:
            if video in there and (stage.report or clips.get(video)):
                # Those for the report are of all candidates, which their own table lists.
                gone = (
                    _gone_of_report(root, stage, video)
                    if stage.report
                    else _gone(root, stage, video, clips[video])
                )
                if gone:
                    missing.parts[stage.manifest.format(video=video)] = gone
    if report and os.path.isdir(f"{root}/report"):
        gone = [path for path in REPORT_FILES if not os.path.exists(f"{root}/{path}")]
        if gone:
            missing.parts["report"] = gone
    return missing


def read_clip_lengths(manifest: str | Path) -> list[tuple[str, int]]:
    """Name and number of frames of the clips in a manifest, as far as it can be read.

    Left out is what can be no clip's: it would lead elsewhere, or to no end.
    """
    try:
        with open(manifest, newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            name, length = header.index("clip_id"), header.index("n_frames")
            clips = [(row[name], int(row[length])) for row in rows if len(row) == len(header)]
            return [(clip, n) for clip, n in clips if "/" not in clip and n <= MOST_FRAMES]
    except (OSError, ValueError, csv.Error):
        return []


def numbered_names(names: Collection[str], n_frames: int) -> list[str]:
    """The names of a clip's pictures, of which `names` are there."""
    suffix = next((os.path.splitext(name)[1] for name in names if name[:6].isdigit()), ".png")
    return [f"{number:06d}{suffix}" for number in range(1, n_frames + 1)]


def _gone(root: str, stage: Stage, video: str, clips: Sequence[tuple[str, int]]) -> list[str]:
    """What is gone of the folder of a stage, of a video's clips."""
    there = names_in(f"{root}/{stage.name}/{video}")
    gone = []
    done_at: int | None = None
    for pattern in stage.clip_files:
        for clip, n_frames in clips:
            path = pattern.format(video=video, clip=clip)
            if os.path.basename(path) not in there:
                gone.append(path)
            elif is_folder(pattern):
                if done_at is None:
                    done_at = os.stat(f"{root}/{stage.manifest.format(video=video)}").st_mtime_ns
                # The time of a folder is that of its last change by name, as when a file went.
                if os.stat(f"{root}/{path}").st_mtime_ns > done_at:
                    pictures = names_in(f"{root}/{path}")
                    expected = numbered_names(pictures, n_frames)
                    gone += [f"{path}/{name}" for name in expected if name not in pictures]
    return gone


def _gone_of_report(root: str, stage: Stage, video: str) -> list[str]:
    """What is gone of the folder of a stage of the report, of a video's candidates."""
    folder = f"{stage.name}/{video}"
    there = names_in(f"{root}/{folder}")
    expected = preview_files(f"{root}/{stage.manifest.format(video=video)}")
    return [f"{folder}/{name}" for name in expected if name not in there]


def names_in(folder: str) -> set[str]:
    """The names in a folder; none where there is no such folder."""
    try:
        return set(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _name(pattern: str, video: str) -> str:
    return os.path.basename(pattern).replace("{video}", video)
