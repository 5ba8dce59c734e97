"""What a stage makes of every clip, and the table that lists it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from talkingface.job.per_clip import make_for_clips
from talkingface.job.tables import read_table
from talkingface.tables import FRAMES, LANDMARKS


@dataclass
class Clip:
    clip_id: str
    n_frames: int
    width: int = 64


def test_every_clip_is_made_and_listed(tmp_path: Path) -> None:
    def make(clip: Clip, folder: Path) -> dict[str, object]:
        (folder / f"{clip.clip_id}.txt").write_text(str(clip.width))
        return {"present_share": clip.n_frames / 10, "backend": "x"}

    clips = [Clip("a", 3), Clip("b", 5)]
    make_for_clips(make, clips, tmp_path / "out", tmp_path / "out.csv", LANDMARKS)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.txt", "b.txt"]
    rows = read_table(tmp_path / "out.csv", LANDMARKS).tolist()
    assert rows == [("a", 3, 0.3, "x"), ("b", 5, 0.5, "x")]


def test_no_clip_makes_an_empty_folder_and_the_same_header(tmp_path: Path) -> None:
    make_for_clips(lambda *_: None, [], tmp_path / "out", tmp_path / "out.csv", LANDMARKS)
    assert (tmp_path / "out").is_dir()
    assert (tmp_path / "out.csv").read_text() == "clip_id,n_frames,present_share,backend\n"


def test_a_clip_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def make(clip: Clip, folder: Path) -> None:
        (folder / clip.clip_id).touch()
        if clip.clip_id == "b":
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        clips = [Clip("a", 1), Clip("b", 1)]
        make_for_clips(make, clips, tmp_path / "out", tmp_path / "out.csv", FRAMES)
    assert list(tmp_path.iterdir()) == []


def test_the_log_says_how_far_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clips = [Clip("a", 30), Clip("b", 10)]
    with caplog.at_level("INFO"):
        make_for_clips(lambda *_: None, clips, tmp_path / "out", tmp_path / "out.csv", FRAMES)
    (line,) = caplog.messages
    assert line.startswith("2 of 2 clips, 40 frames, ")
