"""Products of every clip, and their table."""

from pathlib import Path

import pandas as pd
import pytest

from talkingface.job.files import read_table
from talkingface.job.per_clip import make_products


def manifest(folder: Path, *clips: tuple[str, int]) -> Path:
    path = folder / "clips.csv"
    pd.DataFrame(clips, columns=["clip_id", "n_frames"]).assign(width=64).to_csv(path, index=False)
    return path


def test_every_clip_is_made_and_listed(tmp_path: Path) -> None:
    def make(clip, folder):
        (folder / f"{clip.clip_id}.txt").write_text(str(clip.width))
        return {"double": 2 * clip.n_frames}

    clips = manifest(tmp_path, ("a", 3), ("b", 5))
    make_products(clips, tmp_path / "out", tmp_path / "out.csv", make, ["double"])
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.txt", "b.txt"]
    table = read_table(tmp_path / "out.csv")
    assert list(table.columns) == ["clip_id", "n_frames", "double"]
    assert table.double.tolist() == [6, 10]


def test_no_clip_makes_an_empty_folder_and_the_same_header(tmp_path: Path) -> None:
    clips = manifest(tmp_path)
    make_products(clips, tmp_path / "out", tmp_path / "out.csv", lambda *_: {"x": 1}, ["x"])
    assert (tmp_path / "out").is_dir()
    assert (tmp_path / "out.csv").read_text() == "clip_id,n_frames,x\n"


def test_a_clip_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def make(clip, folder):
        (folder / clip.clip_id).touch()
        if clip.clip_id == "b":
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        make_products(
            manifest(tmp_path, ("a", 1), ("b", 1)), tmp_path / "out", tmp_path / "out.csv", make
        )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["clips.csv"]


def test_the_log_says_how_far_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clips = manifest(tmp_path, ("a", 30), ("b", 10))
    with caplog.at_level("INFO"):
        make_products(clips, tmp_path / "out", tmp_path / "out.csv", lambda *_: None)
    (line,) = caplog.messages
    assert line.startswith("2 of 2 clips, 40 frames, ")
