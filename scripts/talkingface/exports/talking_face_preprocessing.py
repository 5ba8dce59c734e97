"""The folders of liutaocode/talking_face_preprocessing."""

from __future__ import annotations

from collections.abc import Sequence

from talkingface.dataset.split import SIDES
from talkingface.exports.clips import ExportClip
from talkingface.exports.tree import Tree

# Folder and suffix of every product, by its column.
_FILES = {
    "video": ("videos_25fps", ".mp4"),
    "audio": ("audios_16k", ".wav"),
    "landmarks68": ("landmarks", ".txt"),
    "pose": ("pose_orientations/pose_data", ".npy"),
    "hubert": ("hubert_features", ".npy"),
}


def lay_out(clips: Sequence[ExportClip], tree: Tree) -> None:
    """One folder a kind of file, flat, and a list of names for either side."""
    for clip in clips:
        for column, (folder, suffix) in _FILES.items():
            if clip.has(column):
                tree.link(clip.path(column), f"{folder}/{clip.clip_id}{suffix}")
        if clip.has("frames"):
            tree.link_folder(clip.path("frames"), f"video_frames/{clip.clip_id}")
    for side in SIDES:
        tree.write_lines(f"{side}.txt", (clip.clip_id for clip in clips if clip.side == side))
