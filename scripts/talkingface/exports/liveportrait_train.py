"""The folders that liutaocode/LivePortrait-Train reads."""

from __future__ import annotations

from collections.abc import Sequence

from talkingface.exports.conditions import at_least, equal
from talkingface.exports.export_clips import ExportClip
from talkingface.exports.missing_faces import put_landmarks_and_pose, skip_unequal
from talkingface.exports.tree import Tree

# Pixels: its reader divides landmarks by this whatever the pictures' size is.
SIZE = 512
# Its reader draws two different frames.
LEAST_FRAMES = 2


def lay_out(clips: Sequence[ExportClip], tree: Tree) -> None:
    """`train` and `eval`, each a database with pictures, landmarks and pose of every clip."""
    filled = []
    for clip in clips:
        fits = tree.check(
            clip,
            equal("width x height (px)", f"{clip.width} x {clip.height}", f"{SIZE} x {SIZE}"),
            at_least("frames", clip.n_frames, LEAST_FRAMES),
        )
        if fits and not skip_unequal(clip, tree):
            base, name = clip.side, clip.clip_id
            tree.link_folder(clip.path("frames"), f"{base}/raw_cropped_frames/{name}")
            numbers = put_landmarks_and_pose(
                clip, tree, f"{base}/landmarks/{name}.txt", f"{base}/face_orientation/{name}.npy"
            )
            if numbers:
                filled.append(" ".join([name, *map(str, numbers)]))
    tree.write_lines("filled.txt", filled)
