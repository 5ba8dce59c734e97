"""The folders and the list of Zejun-Yang/AniPortrait."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.dataset.split import SIDES
from talkingface.export_tables import ANIPORTRAIT
from talkingface.exports.clips import ExportClip
from talkingface.exports.tree import Tree
from talkingface.faces.landmark_files import read_landmarks
from talkingface.job.arrays import read_array
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.pictures.numbered import numbered_path

# Shortest stretch that its preprocessing keeps (scripts/preprocess_dataset.py), in frames.
LEAST_FRAMES = 30
MESH_SUFFIX = "_lmks"

Run = tuple[int, int]


def make_aniportrait(
    clips: Sequence[Clip], landmarks: str | Path, folder: str | Path, manifest: str | Path
) -> None:
    """Write the mesh of every frame of every clip: `folder`/{clip}/000001.npy ..., and the table
    ANIPORTRAIT.

    landmarks: the folder with the clips' landmarks.
    """

    def make(clip: Clip, into: Path) -> Mapping[str, Any]:
        found = read_landmarks(Path(landmarks, f"{clip.clip_id}.npz"))
        meshes = into / clip.clip_id
        meshes.mkdir()
        for number, mesh in enumerate(shares(found.points, clip.width, clip.height), start=1):
            np.save(numbered_path(meshes, number, ".npy"), mesh)
        longest = max((end - start for start, end in runs(found.present)), default=0)
        return {"longest_run": longest, "faceless_frames": int((~found.present).sum())}

    make_for_clips(make, clips, folder, manifest, ANIPORTRAIT)


def shares(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """(N, 478, 3) mesh in pixels of a clip as mediapipe's normalized landmarks, float32: x as a
    share of the width, y of the height, from 0 at the picture's edge; z in the unit of x."""
    return (points / np.array([width, height, width])).astype(np.float32)


def runs(present: np.ndarray) -> list[Run]:
    """First frame and frame after the last of every stretch of frames with a face, of (N,) bool."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]]).astype(int)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def lay_out(clips: Sequence[ExportClip], tree: Tree) -> None:
    """Pictures, meshes, and a list for either side in which every clip is a video.

    The reader takes a clip with a gap, where no face was seen, as several clips of one video.
    """
    chosen: dict[str, list[tuple[ExportClip, list[Run]]]] = {side: [] for side in SIDES}
    for clip in clips:
        longest = int(clip.measures.longest_run)
        if longest < LEAST_FRAMES:
            tree.skip(clip, "frames in a row with a face", longest, LEAST_FRAMES)
            continue
        stretches = [(0, clip.n_frames)] if not clip.measures.faceless_frames else _seen(clip)
        tree.link_folder(clip.path("frames"), f"frames/{clip.clip_id}")
        for start, end in stretches:
            for k in range(start, end):
                source = numbered_path(clip.path("aniportrait"), k + 1, ".npy")
                tree.link(source, f"lmks/{clip.clip_id}/{source.stem}{MESH_SUFFIX}.npy")
        chosen[clip.side].append((clip, [r for r in stretches if r[1] - r[0] >= LEAST_FRAMES]))
    for side in SIDES:
        tree.write_lines(f"{side}.json", _json_lines(chosen[side], tree))


def _seen(clip: ExportClip) -> list[Run]:
    """The stretches with a face of a clip that has frames without one."""
    folder = clip.path("aniportrait")
    numbers = range(1, clip.n_frames + 1)
    meshes = (read_array(numbered_path(folder, number, ".npy")) for number in numbers)
    return runs(np.array([np.isfinite(mesh).all() for mesh in meshes]))


def _json_lines(chosen: Sequence[tuple[ExportClip, list[Run]]], tree: Tree) -> Iterator[str]:
    """The object of a list, a line a clip: of millions of frames it is not held in memory."""
    yield "{"
    for number, (clip, stretches) in enumerate(chosen, start=1):
        pictures = sorted(path.name for path in clip.path("frames").iterdir())
        parts = [_stretch(clip.clip_id, pictures[start:end], tree) for start, end in stretches]
        record = {"video_clip_num": len(parts), "clip_data_list": parts}
        comma = "," if number < len(chosen) else ""
        yield f"{json.dumps(clip.clip_id)}: {json.dumps(record)}{comma}"
    yield "}"


def _stretch(name: str, pictures: Sequence[str], tree: Tree) -> dict[str, list[str]]:
    stems = [Path(picture).stem for picture in pictures]
    return {
        "frame_name_list": [f"{name}/{picture}" for picture in pictures],
        "frame_path_list": [tree.absolute(f"frames/{name}/{picture}") for picture in pictures],
        "lmks_list": [tree.absolute(f"lmks/{name}/{stem}{MESH_SUFFIX}.npy") for stem in stems],
    }
