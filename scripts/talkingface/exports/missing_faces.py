"""Landmarks as text, pose and pictures for readers that know no frame without a face."""

from __future__ import annotations

import numpy as np

from talkingface.exports.export_clips import ExportClip
from talkingface.exports.tree import Tree
from talkingface.faces.landmark_files import read_text, write_text
from talkingface.job.arrays import read_array


def skip_unequal(clip: ExportClip, tree: Tree) -> bool:
    """Skip a clip that has no face, or has not one row a frame of landmarks and pose, and two of
    HuBERT features where they are made, or a picture of the frames; whether it is skipped.

    Readers cut what is longer to the shortest without a word, or fail in the middle of an epoch.
    """
    columns = [name for name in ("frames", "hubert") if clip.has(name)]
    if tree.skip_incomplete(clip, columns):
        return True
    n, angles = clip.n_frames, read_array(clip.path("pose"))
    with open(clip.path("landmarks68"), "rb") as file:
        found = {"rows of pose": (len(angles), n), "lines of landmarks": (sum(1 for _ in file), n)}
    if clip.has("hubert"):
        features = read_array(clip.path("hubert"), mmap_mode="r")
        found["rows of HuBERT features"] = features.shape[1], 2 * n
    wrong = {what: pair for what, pair in found.items() if pair[0] != pair[1]}
    for condition, (measured, needed) in wrong.items():
        tree.skip(clip, condition, measured, needed)
    if not wrong and np.isnan(angles).any(axis=1).all():
        tree.skip(clip, "frames with a face", 0, "at least 1")
        return True
    return bool(wrong)


def put_landmarks_and_pose(clip: ExportClip, tree: Tree, landmarks: str, pose: str) -> list[int]:
    """Put a clip's `landmarks68` and `pose` into an export, under the names `landmarks` and `pose`.

    Where a frame has no face, the text says `-1_-1` and the pose is NaN. A reader that knows
    neither takes the one for points, and what it learns from the other is NaN for good. So both are
    written with those of the last frame with a face, before the first one with the first's: what
    extract_frame_landmarks.py of talking_face_preprocessing does with `--check_and_padding`. Gives
    the numbers of these frames, from 1 as in the text. A frame at least has to have a face.
    """
    angles = read_array(clip.path("pose"))
    there = ~np.isnan(angles).any(axis=1)
    if there.all():
        tree.link(clip.path("landmarks68"), landmarks)
        tree.link(clip.path("pose"), pose)
        return []
    last = np.maximum.accumulate(np.where(there, np.arange(len(there)), -1))
    rows = np.where(last < 0, there.argmax(), last)
    points, _ = read_text(clip.path("landmarks68"))
    write_text(tree.path(landmarks), points[rows], np.ones(len(rows), bool))
    np.save(tree.path(pose), angles[rows])
    return (np.flatnonzero(~there) + 1).tolist()
