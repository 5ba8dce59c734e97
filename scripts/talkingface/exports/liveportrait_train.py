"""The folders that liutaocode/LivePortrait-Train reads."""

from __future__ import annotations

from collections.abc import Sequence

from talkingface.exports.clips import ExportClip
from talkingface.exports.filled import put_landmarks_and_pose, skip_unequal
from talkingface.exports.tree import Tree

# Pixels: its reader divides landmarks by this whatever the pictures' size is.
SIZE = 512
# Its reader draws two different frames.
MIN_FRAMES = 2


def lay_out(clips: Sequence[ExportClip], tree: Tree) -> None:
    """`train` and `eval`, each a database with pictures, landmarks and pose of every clip."""
    filled = []
    for clip in clips:
        if (clip.width, clip.height) != (SIZE, SIZE):
            size = f"{clip.width} x {clip.height}"
            tree.skip(clip, "width x height (px)", size, f"{SIZE} x {SIZE}")
        elif clip.n_frames < MIN_FRAMES:
            tree.skip(clip, "frames", clip.n_frames, f"at least {MIN_FRAMES}")
        elif not skip_unequal(clip, tree):
            base, name = clip.side, clip.clip_id
            tree.link_folder(clip.path("frames"), f"{base}/raw_cropped_frames/{name}")
            numbers = put_landmarks_and_pose(
                clip, tree, f"{base}/landmarks/{name}.txt", f"{base}/face_orientation/{name}.npy"
            )
            if numbers:
                filled.append(" ".join([name, *map(str, numbers)]))
    tree.write_lines("filled.txt", filled)
