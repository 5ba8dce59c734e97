"""The folders of liutaocode/talking_face_preprocessing."""

from __future__ import annotations

from collections.abc import Sequence

from talkingface.dataset.split import SIDES
from talkingface.exports.clips import ExportClip
from talkingface.exports.filled import put_landmarks_and_pose, skip_unequal
from talkingface.exports.tree import Tree

# Folder and suffix of every file that is the dataset's own, by its column.
_FILES = {
    "video": ("videos/videos_25fps", ".mp4"),
    "audio": ("audios/audios_16k", ".wav"),
    "hubert": ("audios/hubert_features", ".npy"),
}


def lay_out(clips: Sequence[ExportClip], tree: Tree) -> None:
    """What that project keeps in `data_processing/specified_formats`, under the same names: a flat
    folder a kind of file. Lists of names for either side, and of the frames without a face.
    """
    placed, filled = [], []
    for clip in clips:
        if skip_unequal(clip, tree):
            continue
        placed.append(clip)
        name = clip.clip_id
        for column, (folder, suffix) in _FILES.items():
            if clip.has(column):
                tree.link(clip.path(column), f"{folder}/{name}{suffix}")
        if clip.has("frames"):
            tree.link_folder(clip.path("frames"), f"videos/video_frames/{name}")
        numbers = put_landmarks_and_pose(
            clip,
            tree,
            f"videos/landmarks/{name}.txt",
            f"videos/pose_orientations/pose_data/{name}.npy",
        )
        if numbers:
            filled.append(" ".join([name, *map(str, numbers)]))
    for side in SIDES:
        tree.write_lines(f"{side}.txt", (clip.clip_id for clip in placed if clip.side == side))
    tree.write_lines("filled.txt", filled)
