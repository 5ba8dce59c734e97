"""The folders of talking_face_preprocessing, as AniTalker's and LivePortrait-Train's readers take
them apart: words of a line behind its first, sorted lines, arrays of one row a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.small_results import CLIPS, FEATURES, write_dataset
from helpers.tables import read_frame
from talkingface.exports.export import make_export
from talkingface.faces.landmark_files import Landmarks, read_landmarks, write_text

NAMES = [clip.clip_id for clip in CLIPS]
LANDMARKS = "videos/landmarks"
POSE = "videos/pose_orientations/pose_data"


def export(results: Path, folder: Path) -> Path:
    folder = folder / "talking_face_preprocessing"
    make_export("talking_face_preprocessing", results, folder, {})
    return folder


def read_words(path: Path) -> np.ndarray:
    """(N, 68, 2) whole numbers, read as those projects do."""
    lines = sorted(path.read_text().splitlines())
    words = [[word for word in line.split(" ") if word][1:] for line in lines]
    return np.array([[[int(x) for x in word.split("_")] for word in line] for line in words])


def hide(results: Path, frames: list[int]) -> np.ndarray:
    """Leave the first clip's frames without a face; its points68 as they were, (60, 68, 2)."""
    name = f"talk1/{NAMES[0]}"
    landmarks: Landmarks = read_landmarks(results / f"landmarks/{name}.npz")
    present = ~np.isin(np.arange(60), frames)
    write_text(results / f"landmarks/{name}.txt", landmarks.points68, present)
    pose = np.load(results / f"pose/{name}.npy")
    pose[frames] = np.nan
    np.save(results / f"pose/{name}.npy", pose)
    return landmarks.points68


def test_names_are_those_of_its_scripts(finished: Path, tmp_path: Path) -> None:
    folder = export(finished, tmp_path)
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    kinds = {
        "videos/videos_25fps": "mp4", LANDMARKS: "txt", POSE: "npy", "audios/audios_16k": "wav",
        "audios/hubert_features": "npy",
    }  # fmt: skip
    lists = {"train.txt", "eval.txt", "filled.txt", "skipped.csv", "export.json"}
    assert made == {
        *lists,
        *(f"{kind}/{name}.{suffix}" for kind, suffix in kinds.items() for name in NAMES),
        *(
            f"videos/video_frames/{clip.clip_id}/{k:06d}.png"
            for clip in CLIPS
            for k in range(1, clip.n_frames + 1)
        ),
    }
    assert (folder / "train.txt").read_text().splitlines() == NAMES[:2]
    assert (folder / "eval.txt").read_text().splitlines() == NAMES[2:]
    assert (folder / "filled.txt").read_text() == ""


def test_everything_has_one_row_a_frame(finished: Path, tmp_path: Path) -> None:
    folder = export(finished, tmp_path)
    for clip in CLIPS:
        points = read_words(folder / LANDMARKS / f"{clip.clip_id}.txt")
        assert points.shape == (clip.n_frames, 68, 2)
        pose = np.load(folder / POSE / f"{clip.clip_id}.npy")
        assert pose.shape == (clip.n_frames, 3)
        assert np.allclose(pose, clip.angles, atol=1e-5)
        hubert = np.load(folder / f"audios/hubert_features/{clip.clip_id}.npy")
        assert hubert.shape[1] == 2 * clip.n_frames


@pytest.mark.parametrize(
    ("hidden", "taken"),
    [
        ([10, 11, 59], {10: 9, 11: 9, 59: 58}),
        ([0, 1, 5], {0: 2, 1: 2, 5: 4}),
    ],
)
def test_a_frame_without_a_face_has_the_last_one_s(
    results: Path, tmp_path: Path, hidden: list[int], taken: dict[int, int]
) -> None:
    whole = hide(results, hidden)
    folder = export(results, tmp_path)
    points = read_words(folder / LANDMARKS / f"{NAMES[0]}.txt")
    pose = np.load(folder / POSE / f"{NAMES[0]}.npy")
    rows = [taken.get(k, k) for k in range(60)]
    assert np.array_equal(points, np.floor(whole)[rows])
    assert np.allclose(pose, CLIPS[0].angles[rows], atol=1e-5)
    assert pose.dtype == np.float32
    numbers = " ".join(str(k + 1) for k in hidden)
    assert (folder / "filled.txt").read_text() == f"{NAMES[0]} {numbers}\n"
    # The dataset's own files are what they were.
    assert np.isnan(np.load(results / f"pose/talk1/{NAMES[0]}.npy")[hidden]).all()


def test_a_clip_without_any_face_is_skipped(results: Path, tmp_path: Path) -> None:
    hide(results, list(range(60)))
    folder = export(results, tmp_path)
    skipped = read_frame(folder / "skipped.csv")
    assert skipped.clip_id.tolist() == [NAMES[0]]
    assert skipped.condition.tolist() == ["frames with a face"]
    assert (folder / "train.txt").read_text().split() == NAMES[1:2]
    assert not list(folder.rglob(f"{NAMES[0]}*"))


def test_unequal_lengths_are_skipped(results: Path, tmp_path: Path) -> None:
    path = results / f"hubert/talk1/{NAMES[0]}.npy"
    np.save(path, np.load(path)[:, :-1])
    pose = results / f"pose/talk1/{NAMES[1]}.npy"
    np.save(pose, np.load(pose)[:-2])
    text = results / f"landmarks/talk2/{NAMES[2]}.txt"
    text.write_text("".join(text.read_text().splitlines(keepends=True)[:-1]))
    skipped = read_frame(export(results, tmp_path) / "skipped.csv")
    assert skipped.to_numpy().tolist() == [
        [NAMES[0], "rows of HuBERT features", "119", "120"],
        [NAMES[1], "rows of pose", "88", "90"],
        [NAMES[2], "lines of landmarks", "169", "170"],
    ]


def test_without_frames_and_hubert_there_are_none(results: Path, tmp_path: Path) -> None:
    features = tuple(name for name in FEATURES if name not in ("frames", "hubert"))
    write_dataset(results, CLIPS, features)
    folder = export(results, tmp_path)
    assert not (folder / "videos/video_frames").exists()
    assert not (folder / "audios/hubert_features").exists()
    assert len(list((folder / LANDMARKS).iterdir())) == 3
