"""Train or eval: by identity, without leakage, and stable when videos are added."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from talkingface.settings.sources import canonical

Side = Literal["train", "eval"]
SIDES: tuple[Side, Side] = ("train", "eval")


class SplitError(ValueError):
    """videos.csv asks for a split that cannot be had."""


def split_side(group: str, eval_fraction: float, seed: int | str) -> Side:
    """Side of a group by the SHA-256 of seed and name, so that it depends on nothing else.

    A growing `eval_fraction` only moves groups from train to eval. The fraction is of groups,
    met on average: clips or hours may differ, and a handful of groups may all fall on one side.
    Raises ValueError for a fraction that is not within 0 to 1.
    """
    if not 0 <= eval_fraction <= 1:
        raise ValueError(f"eval_fraction {eval_fraction} is not within 0 to 1")
    digest = hashlib.sha256(f"{seed}\n{group}".encode()).digest()
    # 48 bits, exact as a float.
    position = int.from_bytes(digest[:6], "big") / 2**48
    return "eval" if position < eval_fraction else "train"


def split_groups(
    videos: Iterable[Mapping[str, Any]], files: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Group of every video: videos whose clips must not be on two sides share a group.

    Videos belong together when they share an identity, a source or a file, also through a third
    video. A group is called by its identity (the first in the alphabet, should a source have been
    listed under several), or without one by its (first) video_id. So a new video changes the
    group of others only if it is what connects them.

    videos: rows with `video_id`, `source`, `identity`; an empty identity is none.
    files: the SHA-256 of a video's file by video_id, as far as they are known.
    Gives the group by video_id. Raises ValueError where a video_id is listed twice, or a source is
    missing.
    """
    files = files or {}
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    anchors: dict[str, tuple[str, str]] = {}
    for row in videos:
        video_id, identity = cell_text(row["video_id"]), cell_text(row.get("identity"))
        if video_id in anchors:
            raise ValueError(f"video_id {video_id!r} is listed twice")
        source = cell_text(row["source"])
        if not source:
            raise ValueError(f"video {video_id!r} has no source")
        nodes = [("video", video_id), ("~source", canonical(source))]
        if identity:
            nodes.append(("identity", identity))
        if files.get(video_id):
            nodes.append(("~file", files[video_id]))
        anchors[video_id] = nodes[0]
        # The smallest name of a group is its root: an identity, else a video, nothing else.
        first, *others = sorted({root(node) for node in nodes})
        for other in others:
            parent[other] = first
    return {video_id: root(node)[1] for video_id, node in anchors.items()}


def same_recordings(
    videos: Iterable[Mapping[str, Any]], files: Mapping[str, str]
) -> list[list[str]]:
    """The video_ids, in order, of those that are one recording: one source or one file.

    Arguments as of `split_groups`. Whoever is alone is left out.
    """
    unnamed = [{**row, "identity": ""} for row in videos]
    together: dict[str, list[str]] = {}
    for video_id, group in split_groups(unnamed, files).items():
        together.setdefault(group, []).append(video_id)
    return [video_ids for video_ids in together.values() if len(video_ids) > 1]


def assign_splits(
    videos: Sequence[Mapping[str, Any]],
    eval_fraction: float,
    seed: int | str,
    files: Mapping[str, str] | None = None,
) -> dict[str, Side]:
    """Side of every video: that which a row of its group pins, else that of `split_side`.

    videos: rows with `video_id`, `source`, `identity`, `split`; an empty `split` pins nothing.
    files: see `split_groups`.
    Gives the side by video_id. Raises SplitError where rows of one group pin different sides or
    `split` is neither side nor empty, and ValueError as `split_groups` and `split_side`.
    """
    groups = split_groups(videos, files)
    pins: dict[str, tuple[Side, str]] = {}
    for row in videos:
        video_id, pinned = cell_text(row["video_id"]), cell_text(row.get("split"))
        if not pinned:
            continue
        if pinned not in SIDES:
            raise SplitError(f"video {video_id!r}: split {pinned!r} is neither train nor eval")
        side, first = pins.setdefault(groups[video_id], (pinned, video_id))
        if side != pinned:
            raise SplitError(
                f"video {first!r} pins {side} and video {video_id!r} pins {pinned}, but they "
                f"share an identity, source or file ({groups[video_id]!r}) and must be on one "
                "side: change one's split, or take it out of the list of videos"
            )
    return {
        video_id: pins[group][0] if group in pins else split_side(group, eval_fraction, seed)
        for video_id, group in groups.items()
    }


def cell_text(value: Any) -> str:
    """A cell as text; None and NaN are empty."""
    return "" if value is None or value != value else str(value).strip()
