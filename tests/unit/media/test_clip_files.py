"""A finished clip whose files were damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers.finished_results import N_FRAMES, finish_video, halve
from talkingface.job.files import DamagedFile
from talkingface.media.clip_files import Clip, read_clips

READERS: dict[str, Callable[[Clip], object]] = {
    "mp4": lambda clip: list(clip.frames()),
    "wav": lambda clip: clip.sound(),
    "csv": lambda clip: clip.boxes(),
}


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    finish_video(tmp_path / "results", "v")
    (clip,) = read_clips(tmp_path / "results/clips/v", tmp_path / "results/clips/v.csv")
    return clip


def test_a_whole_clip_is_read(clip: Clip) -> None:
    assert len(list(clip.frames())) == len(clip.boxes()) == N_FRAMES
    np.testing.assert_array_equal(clip.sound(), np.zeros(640 * N_FRAMES))


@pytest.mark.parametrize("suffix", READERS)
def test_a_halved_file_is_named(clip: Clip, suffix: str) -> None:
    path = clip.folder / f"{clip.clip_id}.{suffix}"
    halve(path)
    words = rf"\.{suffix}: damaged \(.+verify\.py --remake"
    with pytest.raises(DamagedFile, match=words) as caught:
        READERS[suffix](clip)
    assert caught.value.path == path


def test_a_table_cut_between_two_lines_is_named(clip: Clip) -> None:
    path = clip.folder / f"{clip.clip_id}.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(DamagedFile, match="3 rows, but the clip has 4 frames"):
        clip.boxes()
