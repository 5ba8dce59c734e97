"""The layout that src/dataset/dataset_face.py of Zejun-Yang/AniPortrait reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from helpers.exports import counts, export, lose_faces, make_stage
from helpers.small_results import CLIPS, SIZE
from talkingface.exports.aniportrait import make_aniportrait, runs, shares

LONG = CLIPS[2]


@pytest.fixture
def made(results: Path) -> Path:
    make_stage(results, "aniportrait", make_aniportrait)
    return results


def read_list(folder: Path, side: str) -> dict[str, Any]:
    return json.loads((folder / f"{side}.json").read_text())


def test_every_clip_is_a_video_with_one_clip(made: Path) -> None:
    folder = export(made, "aniportrait")
    for side in ("train", "eval"):
        videos = read_list(folder, side)
        assert list(videos) == [clip.clip_id for clip in CLIPS if clip.side == side]
        for clip in (clip for clip in CLIPS if clip.side == side):
            video = videos[clip.clip_id]
            assert video["video_clip_num"] == 1
            (part,) = video["clip_data_list"]
            names = [f"{clip.clip_id}/{k:06d}.png" for k in range(1, clip.n_frames + 1)]
            assert part["frame_name_list"] == names
            assert [Path(path).is_absolute() for path in part["frame_path_list"]].count(False) == 0
    assert counts(folder) == (3, 0)


def test_pictures_and_meshes_are_of_the_same_frames(made: Path) -> None:
    """The reader pairs the lists by place, and reads pictures with cv2 and meshes with numpy."""
    folder = export(made, "aniportrait")
    for clip in CLIPS:
        (part,) = read_list(folder, clip.side)[clip.clip_id]["clip_data_list"]
        pairs = list(zip(part["frame_path_list"], part["lmks_list"], strict=True))
        assert len(pairs) == clip.n_frames
        for k, (picture, mesh) in enumerate(pairs):
            points = np.load(mesh)
            assert points.shape == (478, 3) and points.dtype == np.float32
            np.testing.assert_allclose(points * SIZE, clip.points[k], atol=1e-3)
            assert Path(picture).stem == Path(mesh).name.removesuffix("_lmks.npy")
        shown = cv2.imread(pairs[7][0])
        np.testing.assert_array_equal(shown, clip.picture(7))
        assert Path(pairs[0][0]).parent.parent == folder / "frames"
        assert Path(pairs[0][1]).parent.parent == folder / "lmks"


def test_where_no_face_is_seen_a_clip_becomes_two(results: Path) -> None:
    """Of what is between, less than 30 frames are left out."""
    lose_faces(results, LONG, [40, 41, 60, 130, 131])
    make_stage(results, "aniportrait", make_aniportrait)
    folder = export(results, "aniportrait")
    video = read_list(folder, "eval")[LONG.clip_id]
    spans = [
        (int(Path(names[0]).stem) - 1, int(Path(names[-1]).stem))
        for names in (part["frame_name_list"] for part in video["clip_data_list"])
    ]
    assert spans == [(0, 40), (61, 130), (132, 170)]
    assert video["video_clip_num"] == 3
    for part in video["clip_data_list"]:
        assert all(np.isfinite(np.load(path)).all() for path in part["lmks_list"])
    assert not (folder / f"lmks/{LONG.clip_id}/000041_lmks.npy").exists()
    assert counts(folder) == (3, 0)


def test_a_clip_without_30_frames_in_a_row_is_left_out(results: Path) -> None:
    lose_faces(results, CLIPS[0], [29, 58])
    lose_faces(results, CLIPS[1], [30, 60])
    make_stage(results, "aniportrait", make_aniportrait)
    folder = export(results, "aniportrait")
    assert list(read_list(folder, "train")) == [CLIPS[1].clip_id]
    row = f"{CLIPS[0].clip_id},frames in a row with a face,29,30"
    assert (folder / "skipped.csv").read_text().splitlines()[1:] == [row]
    assert not (folder / f"frames/{CLIPS[0].clip_id}").exists()


def test_no_clips_make_an_empty_list(results: Path) -> None:
    for clip in CLIPS:
        lose_faces(results, clip, range(clip.n_frames))
    make_stage(results, "aniportrait", make_aniportrait)
    folder = export(results, "aniportrait")
    assert read_list(folder, "train") == read_list(folder, "eval") == {}


def test_jpg_pictures_are_listed_as_such(made: Path) -> None:
    for picture in (made / f"frames/{LONG.video}/{LONG.clip_id}").iterdir():
        picture.rename(picture.with_suffix(".jpg"))
    (part,) = read_list(export(made, "aniportrait"), "eval")[LONG.clip_id]["clip_data_list"]
    assert all(path.endswith(".jpg") and Path(path).is_file() for path in part["frame_path_list"])
    assert part["lmks_list"][0].endswith("/000001_lmks.npy")


def test_shares_are_of_width_and_height() -> None:
    points = np.tile(np.array([320.0, 90.0, -64.0]), (2, 478, 1))
    np.testing.assert_allclose(shares(points, 640, 360)[1, 5], [0.5, 0.25, -0.1])


def test_runs_of_frames_with_a_face() -> None:
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.array([False, False])) == []
    assert runs(np.array([False, True])) == [(1, 2)]
