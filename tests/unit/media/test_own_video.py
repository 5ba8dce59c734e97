"""Films of ours that were damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.finished_results import N_FRAMES, film, halve
from talkingface.job.files import DamagedFile
from talkingface.media.own_video import own_frames


def test_frames_come_in_order(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4")
    assert sum(1 for _ in own_frames(tmp_path / "a.mp4")) == N_FRAMES


@pytest.mark.parametrize("content", [b"", b"<html>", bytes(5000)])
def test_what_is_no_film_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(DamagedFile, match=r"a\.mp4: damaged \("):
        list(own_frames(tmp_path / "a.mp4"))


def test_half_a_film_is_named_and_a_missing_one_is_missing(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", 50)
    halve(tmp_path / "a.mp4")
    with pytest.raises(DamagedFile, match=r"a\.mp4: damaged \("):
        list(own_frames(tmp_path / "a.mp4"))
    with pytest.raises(FileNotFoundError):
        list(own_frames(tmp_path / "b.mp4"))
