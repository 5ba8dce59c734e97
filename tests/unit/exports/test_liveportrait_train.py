"""The folders of LivePortrait-Train, whose reader divides landmarks by 512 whatever the size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers.small_results import CLIPS, write_dataset
from helpers.tables import read_frame
from talkingface.exports.export import make_export
from talkingface.exports.table import EXPORTS
from talkingface.settings.load import check_config

NAMES = [clip.clip_id for clip in CLIPS]


def export(results: Path, folder: Path) -> Path:
    folder = folder / "liveportrait_train"
    make_export("liveportrait_train", results, folder, {})
    return folder


def call_512(results: Path) -> None:
    """Have the table say that the first and last clip have the size that is needed."""
    path = results / "dataset/clips.csv"
    lines = path.read_text().splitlines()
    for i in (1, 3):
        lines[i] = lines[i].replace(",256,256,", ",512,512,", 1)
    path.write_text("\n".join([*lines, ""]))


def test_each_side_is_a_database(results: Path, tmp_path: Path) -> None:
    call_512(results)
    folder = export(results, tmp_path)
    for side, clip in (("train", CLIPS[0]), ("eval", CLIPS[2])):
        base, name = folder / side, clip.clip_id
        assert [path.name for path in (base / "raw_cropped_frames").iterdir()] == [name]
        pictures = sorted(path.name for path in (base / f"raw_cropped_frames/{name}").iterdir())
        assert pictures == [f"{k:06d}.png" for k in range(1, clip.n_frames + 1)]
        lines = (base / f"landmarks/{name}.txt").read_text().splitlines()
        assert [line.split()[0] for line in lines] == pictures
        pose = np.load(base / f"face_orientation/{name}.npy")
        assert pose.shape == (clip.n_frames, 3)
    # Its reader opens every folder here as a database.
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"train", "eval"}


def test_another_size_is_skipped(results: Path, tmp_path: Path) -> None:
    call_512(results)
    skipped = read_frame(export(results, tmp_path) / "skipped.csv")
    assert skipped.to_numpy().tolist() == [
        [NAMES[1], "width x height (px)", "256 x 256", "512 x 512"]
    ]


def test_it_needs_pictures() -> None:
    config = check_config({"features": ["landmarks", "pose"]})
    (fault,) = EXPORTS["liveportrait_train"].faults(config)
    assert "needs frames: features: [landmarks, pose, frames]" in fault


def test_an_empty_dataset_is_an_empty_export(results: Path, tmp_path: Path) -> None:
    write_dataset(results, ())
    folder = export(results, tmp_path)
    assert {path.name for path in folder.iterdir()} == {"export.json", "filled.txt", "skipped.csv"}
