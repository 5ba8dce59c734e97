"""Films of aligned faces, as LatentSync trains on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial as with_arguments
from pathlib import Path

import numpy as np

from talkingface.clips.clips import Encoding
from talkingface.clips.crops import warp_planes
from talkingface.dataset.split import SIDES
from talkingface.export_tables import LATENTSYNC, LATENTSYNC_FRAMES
from talkingface.exports.conditions import at_least, at_most
from talkingface.exports.export_clips import ExportClip
from talkingface.exports.face_runs import longest_gap
from talkingface.exports.latentsync_alignment import (
    affines,
    fill_gaps,
    inverse,
    three_points,
)
from talkingface.exports.recut import Recut, make_recut
from talkingface.exports.tree import Tree
from talkingface.faces.landmark_files import Landmarks, clip_landmarks
from talkingface.media.clip_files import Clip, clip_to_source
from talkingface.shots.proxy import Proxy

# The reader draws two stretches of 16 frames, and passes over what has less than three times that.
LEAST_FRAMES = 48
# Its own preparation drops a video for one frame in which it finds no face of this size, and by
# SyncNet's confidence and offset.
LEAST_FACE = (50, 80)
LEAST_CONFIDENCE = 3
MOST_OFFSET = 6
# A fifth of a second, over which the points of a face can be told from those before and after.
MOST_GAP = 5
# It pads with RGB 127, in limited range.
PADDING = (125, 128, 128)
# The columns of a frame's map, row by row.
_MAP = ("xx", "xy", "x0", "yx", "yy", "y0")
# Where a face is in a face box of the tracker, roughly: for clips that no frame is aligned by.
_IN_BOX = np.array([[0.25, 0.2], [0.75, 0.2], [0.5, 0.55]])


def make_latentsync(
    media: str | Path,
    clips: Sequence[Clip],
    clips_manifest: str | Path,
    sync: str | Path,
    landmarks: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    proxy: Proxy,
    size: int,
    encoding: Encoding,
) -> None:
    """Write a film of every clip with its face aligned in every frame, its maps, and a manifest.

    In `folder` there are `{clip}.mp4`, a square of `size` pixels with the clip's frames and sound,
    and `{clip}.csv`, the table LATENTSYNC_FRAMES, which says where a source pixel went; `manifest`
    is the table LATENTSYNC. `media` is the raw file and `proxy` what is known of it,
    `clips_manifest` the clips' table CLIPS, `sync` the video's table SYNC and `landmarks` the
    folder of the clips' landmarks. Frames without a face are aligned by those before and after; a
    clip without any, by its face boxes. Raises as `clip_landmarks`.
    """

    def place(clip: Clip, row: np.record, boxes: np.recarray, faces: np.ndarray) -> Recut:
        found = clip_landmarks(landmarks, clip)
        maps = affines(_points(found, clip, boxes, faces), size)
        columns = dict(zip(_MAP, maps.reshape(-1, 6).T, strict=True))
        measures = {
            "longest_gap": longest_gap(found.present),
            "face_width": faces[:, 2].min(),
            "face_height": faces[:, 3].min(),
            "enlargement": np.median(np.sqrt(np.abs(np.linalg.det(maps[..., :2])))),
        }
        return Recut(inverse(maps), columns | {"present": found.present.astype(int)}, measures)

    make_recut(
        place,
        media,
        clips,
        clips_manifest,
        sync,
        folder,
        manifest,
        tables=(LATENTSYNC, LATENTSYNC_FRAMES),
        reading=proxy.reading,
        cut=with_arguments(warp_planes, padding=PADDING),
        side=size,
        encoding=encoding,
    )


def lay_out(clips: Sequence[ExportClip], tree: Tree, *, size: int) -> None:
    """A flat folder of films for either side, and a list of their absolute paths.

    size: that of the films, which are there.
    """
    names: dict[str, list[str]] = {side: [] for side in SIDES}
    for clip in clips:
        if not _is_read(clip, tree):
            continue
        name = f"{clip.side}/{clip.clip_id}.mp4"
        tree.link(clip.path("latentsync"), name)
        names[clip.side].append(tree.absolute(name))
    for side in SIDES:
        tree.write_lines(f"{side}.txt", names[side])


def _is_read(clip: ExportClip, tree: Tree) -> bool:
    """Whether the reader and its preparation take a clip; where not, the conditions are noted."""
    measures = clip.measures
    least_width, least_height = LEAST_FACE
    return tree.check(
        clip,
        at_least("frames", clip.n_frames, LEAST_FRAMES),
        at_least("smallest face width (px)", measures.face_width, least_width),
        at_least("smallest face height (px)", measures.face_height, least_height),
        at_least("SyncNet confidence", measures.sync_confidence, LEAST_CONFIDENCE),
        at_most("longest stretch without a face (frames)", measures.longest_gap, MOST_GAP),
        at_most("SyncNet offset (frames)", abs(measures.sync_offset), MOST_OFFSET),
    )


def _points(found: Landmarks, clip: Clip, boxes: np.recarray, faces: np.ndarray) -> np.ndarray:
    """(N, 3, 2) points to align a clip by, in source pixels, without gaps.

    boxes: its table CLIP_FRAMES, faces (N, 4) the face boxes in it.
    """
    if not found.present.any():
        return faces[:, None, :2] + _IN_BOX * faces[:, None, 2:]
    points = three_points(found.points, found.points68)
    in_source = clip_to_source(points, boxes, (clip.width, clip.height))
    return fill_gaps(in_source, found.present)
