"""How much there is: a dataset's summary.json, counted video by video, and told to a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from talkingface.grid import FPS


@dataclass
class _Side:
    """What is on one side of the split."""

    clips: int = 0
    frames: int = 0
    videos: int = 0
    identities: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)

    def summary(self) -> dict[str, Any]:
        return {
            "clips": self.clips,
            "hours": _hours(self.frames),
            "videos": self.videos,
            "identities": len(self.identities),
            "groups": len(self.groups),
        }


class Counts:
    """Counts of a dataset, to which one video after the other is added.

    sides: the names of the sides of the split.
    """

    def __init__(self, sides: tuple[str, ...]) -> None:
        self.sides = {side: _Side() for side in sides}
        self._statuses: Counter[str] = Counter()
        self._seconds = 0.0
        # By stage and reason of what is rejected.
        self._rejected: Counter[tuple[str, str]] = Counter()
        self._whole_videos: Counter[tuple[str, str]] = Counter()
        self._frames: Counter[tuple[str, str]] = Counter()
        self._candidates = 0
        self._recordings: list[list[str]] = []
        # Of decisions by hand; nothing where there are none.
        self._by_hand: dict[str, int] = {}

    @property
    def clips(self) -> int:
        """The number of clips that are kept."""
        return sum(side.clips for side in self.sides.values())

    def add(
        self,
        record: Mapping[str, Any],
        clips: np.recarray,
        rejected: np.recarray,
        *,
        side: str,
        identity: str,
        group: str,
    ) -> None:
        """Count a video.

        record: what `download` wrote of it. clips: what is kept, with a column `n_frames`.
        rejected: rows of the ledger; one without frames stands for the whole video. identity: who
        speaks, or nothing. group: see `split.split_groups`.
        """
        self._statuses[str(record["status"])] += 1
        self._seconds += video_seconds(record)
        reasons = zip(rejected.stage, rejected.reason, strict=True)
        frames = np.nan_to_num(rejected.n_frames).tolist()
        clip_ids, starts = rejected.clip_id.tolist(), rejected.start_frame.tolist()
        for reason, clip_id, start, n_frames in zip(reasons, clip_ids, starts, frames, strict=True):
            self._rejected[reason] += 1
            self._candidates += bool(clip_id)
            self._whole_videos[reason] += start != start  # It is NaN.
            self._frames[reason] += int(n_frames)
        if len(clips):
            part = self.sides[side]
            part.clips += len(clips)
            part.frames += int(clips.n_frames.sum())
            part.videos += 1
            part.groups.add(group)
            if identity:
                part.identities.add(identity)

    def add_recording(self, video_ids: Sequence[str]) -> None:
        """Note videos that are one recording, listed more than once."""
        self._recordings.append(list(video_ids))

    def add_by_hand(self, *, kept: int = 0, rejected: int = 0, unknown: int = 0) -> None:
        """Count clips that a person kept or rejected, and decisions about clips there are not."""
        for name, count in (("kept", kept), ("rejected", rejected), ("unknown", unknown)):
            self._by_hand[name] = self._by_hand.get(name, 0) + count

    def summary(self, eval_fraction: float, seed: int | str) -> dict[str, Any]:
        """The counts as summary.json has them.

        `same_recording` lists the videos that are one recording. `rejected` has one entry per stage
        and reason, most frequent first; its rows without clip_id stand for whole videos, or for
        gaps in them, and are no candidates. `identities` are named ones; `groups` counts the
        sources without an identity, too. Where anything was decided by hand, `by_hand` counts the
        clips that are kept and rejected by it, and the decisions about clips that there are not.
        """
        frames = sum(side.frames for side in self.sides.values())
        return {
            "videos": {
                "count": sum(self._statuses.values()),
                "by_status": dict(sorted(self._statuses.items())),
            },
            "same_recording": self._recordings,
            "hours_in": round(self._seconds / 3600, 6),
            "candidates": self.clips + self._candidates,
            "kept": {"clips": self.clips, "hours": _hours(frames)},
            "rejected": [
                {
                    "stage": reason[0],
                    "reason": reason[1],
                    "count": count,
                    "whole_videos": self._whole_videos[reason],
                    "hours": _hours(self._frames[reason]),
                }
                for reason, count in sorted(self._rejected.items(), key=_most_frequent_first)
            ],
            **({"by_hand": self._by_hand} if self._by_hand else {}),
            **{name: side.summary() for name, side in self.sides.items()},
            "split": {"eval_fraction": eval_fraction, "seed": seed},
        }


def describe(summary: Mapping[str, Any]) -> str:
    """What came in, what was kept, and why the rest was not."""
    kept, videos = summary["kept"], summary["videos"]
    lines = [
        f"{videos['count']} videos, {duration(summary['hours_in'])}; kept "
        f"{kept['clips']} clips, {duration(kept['hours'])} "
        f"(train {summary['train']['clips']}, eval {summary['eval']['clips']})"
    ]
    eval_fraction = summary.get("split", {}).get("eval_fraction", 0)
    for side, share in (("train", 1 - eval_fraction), ("eval", eval_fraction)):
        if kept["clips"] and share and not summary[side]["clips"]:
            lines.append(
                f"  no clip is in {side}: all of a person are on one side. Add videos of others, "
                "or choose sides in the column `split` of the list"
            )
    # Summaries of earlier versions do not have it.
    again = sum(len(video_ids) - 1 for video_ids in summary.get("same_recording", []))
    if again:
        lines.append(f"  {again:5d} videos are recordings listed before, on the side of the first")
    by_hand = summary.get("by_hand")
    if by_hand:
        unknown = f", {by_hand['unknown']} of no clip" if by_hand["unknown"] else ""
        lines.append(f"  by hand: {by_hand['kept']} kept, {by_hand['rejected']} rejected{unknown}")
    for row in summary["rejected"]:
        lines.append(f"  {row['count']:5d} not kept by {row['stage']}: {row['reason']}")
    return "\n".join(lines)


def video_seconds(record: Mapping[str, Any]) -> float:
    """Duration of a video by the probe in its record; 0 where it could not be had."""
    probe = record.get("probe") or {}
    return float(probe.get("duration") or (probe.get("video") or {}).get("duration") or 0)


def duration(hours: float) -> str:
    """Hours, or minutes where there are less than one, as text."""
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.1f} min"


def _hours(frames: int) -> float:
    return round(frames / FPS / 3600, 6)


def _most_frequent_first(item: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    reason, count = item
    return -count, reason
