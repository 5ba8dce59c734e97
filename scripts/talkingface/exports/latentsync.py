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
from talkingface.exports.clips import ExportClip
from talkingface.exports.recut import syncnet_measures, write_recut
from talkingface.exports.three_points import affines, fill_gaps, inverse, longest_gap, three_points
from talkingface.exports.tree import Tree
from talkingface.faces.landmark_files import Landmarks, read_landmarks
from talkingface.job.files import DamagedFile, atomic_path
from talkingface.job.tables import read_table, table_of_columns, table_of_rows, write_table
from talkingface.media.clip_files import Clip, clip_to_source
from talkingface.shots.proxy import Proxy
from talkingface.tables import CLIPS, SYNC

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
    clip without any, by its face boxes. Raises DamagedFile where landmarks have another length.
    """
    rows = read_table(clips_manifest, CLIPS)
    of_tracks = read_table(sync, SYNC)
    measured, parts = [], {}
    with atomic_path(folder) as partial:
        partial.mkdir()
        for clip, row in zip(clips, rows, strict=True):
            boxes = clip.boxes()
            faces = np.stack([boxes[name] for name in ("x", "y", "w", "h")], axis=1)
            path = Path(landmarks, f"{clip.clip_id}.npz")
            found = read_landmarks(path)
            if len(found.present) != clip.n_frames:
                raise DamagedFile(
                    path, f"{len(found.present)} frames, but the clip has {clip.n_frames}"
                )
            maps = affines(_points(found, clip, boxes, faces), size)
            parts[clip.clip_id] = inverse(maps)
            frames = table_of_columns(
                LATENTSYNC_FRAMES,
                {
                    "frame": boxes.frame,
                    "source_frame": boxes.source_frame,
                    "present": found.present.astype(int),
                    **dict(
                        zip(
                            ("xx", "xy", "x0", "yx", "yy", "y0"), maps.reshape(-1, 6).T, strict=True
                        )
                    ),
                },
            )
            write_table(frames, partial / f"{clip.clip_id}.csv", LATENTSYNC_FRAMES)
            enlargement = np.sqrt(np.abs(np.linalg.det(maps[..., :2])))
            measured.append(
                {
                    "clip_id": clip.clip_id,
                    "n_frames": clip.n_frames,
                    "longest_gap": longest_gap(found.present),
                    "face_width": faces[:, 2].min(),
                    "face_height": faces[:, 3].min(),
                    "enlargement": np.median(enlargement),
                    **syncnet_measures(row, of_tracks),
                }
            )
        write_recut(
            media,
            rows,
            parts,
            partial,
            reading=proxy.reading,
            cut=with_arguments(warp_planes, padding=PADDING),
            side=size,
            encoding=encoding,
        )
    write_table(table_of_rows(LATENTSYNC, measured), manifest, LATENTSYNC)


def lay_out(clips: Sequence[ExportClip], tree: Tree, *, size: int) -> None:
    """A flat folder of films for either side, and a list of their absolute paths.

    size: that of the films, which are there.
    """
    names: dict[str, list[str]] = {side: [] for side in SIDES}
    for clip in clips:
        if _is_refused(clip, tree):
            continue
        name = f"{clip.side}/{clip.clip_id}.mp4"
        tree.link(clip.path("latentsync"), name)
        names[clip.side].append(tree.absolute(name))
    for side in SIDES:
        tree.write_lines(f"{side}.txt", names[side])


def _is_refused(clip: ExportClip, tree: Tree) -> bool:
    """Whether the reader or its preparation would leave a clip out; every reason is noted."""
    measures = clip.measures
    assert measures is not None
    least_width, least_height = LEAST_FACE
    least = (
        ("frames", clip.n_frames, LEAST_FRAMES),
        ("smallest face width (px)", float(measures.face_width), least_width),
        ("smallest face height (px)", float(measures.face_height), least_height),
        ("SyncNet confidence", float(measures.sync_confidence), LEAST_CONFIDENCE),
    )
    most = (
        ("longest stretch without a face (frames)", int(measures.longest_gap), MOST_GAP),
        ("SyncNet offset (frames)", abs(float(measures.sync_offset)), MOST_OFFSET),
    )
    # What was not measured is NaN, neither less nor more.
    refused = [(*condition, "at least") for condition in least if condition[1] < condition[2]]
    refused += [(*condition, "at most") for condition in most if condition[1] > condition[2]]
    for condition, measured, bound, word in refused:
        tree.skip(clip, condition, measured, f"{word} {bound}")
    return bool(refused)


def _points(found: Landmarks, clip: Clip, boxes: np.recarray, faces: np.ndarray) -> np.ndarray:
    """(N, 3, 2) points to align a clip by, in source pixels, without gaps.

    boxes: its table CLIP_FRAMES, faces (N, 4) the face boxes in it.
    """
    if not found.present.any():
        return faces[:, None, :2] + _IN_BOX * faces[:, None, 2:]
    points = three_points(found.points, found.points68)
    in_source = clip_to_source(points, boxes, (clip.width, clip.height))
    return fill_gaps(in_source, found.present)
