"""Frames from the middle of a clip are those that reading it from its beginning gives."""

from __future__ import annotations

import av
import numpy as np
import pytest

from helpers.synthetic import Film, make_film, number_picture, patch_film, read_number
from talkingface.job.files import DamagedFile
from talkingface.media.own_window import window_frames
from talkingface.media.video import bgr_frames
from talkingface.media.writer import VideoWriter

SIZE = (96, 64)


def numbered_clip(path, count, interval, preset="superfast"):
    with VideoWriter(
        path, *SIZE, preset=preset, crf=18, keyframe_interval=interval, threads=1
    ) as writer:
        for k in range(count):
            frame = av.VideoFrame.from_ndarray(number_picture(k, SIZE), format="bgr24")
            writer.write(frame.reformat(format="yuv420p"))
    return path


@pytest.mark.parametrize("interval", [1, 2, 12, 25, 250])
@pytest.mark.parametrize("preset", ["ultrafast", "superfast", "veryslow"])
def test_any_window_is_exact(tmp_path, interval, preset):
    """Bit for bit, with few and many frames that are predicted from later ones."""
    path = numbered_clip(tmp_path / "a.mp4", 90, interval, preset)
    whole = np.stack([image[..., ::-1] for _, image in bgr_frames(path)])
    assert [read_number(image) for image in whole] == list(range(90))
    for start in [*range(0, 90, 7), 11, 12, 13, 24, 25, 26, 89]:
        for count in (1, 5):
            stop = min(90, start + count)
            assert np.array_equal(window_frames(path, start, stop), whole[start:stop])
    assert np.array_equal(window_frames(path, 20, 90, threads=2), whole[20:])


@pytest.mark.parametrize(
    "options",
    [
        {"x264-params": "keyint=20:open-gop=1:bframes=8:b-pyramid=strict"},
        {"g": "1000", "bf": "0"},
        {"g": "30", "bf": "16", "x264-params": "b-adapt=0:scenecut=0"},
    ],
)
def test_films_of_other_encoders(tmp_path, options):
    """Open groups begin with frames that need the group before; many frames may be reordered."""
    path = make_film(tmp_path, Film(seconds=4, options=options, size=SIZE, flashes=()))
    for start in range(0, 96):
        shown = [read_number(image) for image in window_frames(path, start, start + 3)]
        assert shown == [start, start + 1, start + 2]


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full", [False, True])
def test_colours_follow_the_files_tags(tmp_path, matrix, full):
    """Of a known patch, 200 red, 80 green, 40 blue; as `media.video` gives it."""
    path = patch_film(tmp_path / "a.mp4", matrix, full)
    picture = window_frames(path, 2, 3)[0]
    assert picture.reshape(-1, 3).mean(axis=0) == pytest.approx([200, 80, 40], abs=3)
    assert np.array_equal(picture, dict(bgr_frames(path))[2][..., ::-1])


def test_windows_beyond_the_end(tmp_path):
    path = numbered_clip(tmp_path / "a.mp4", 30, 12)
    with pytest.raises(DamagedFile, match=r"a.mp4.*its frame 30 cannot be decoded"):
        window_frames(path, 28, 31)
    with pytest.raises(DamagedFile, match="its frame 40"):
        window_frames(path, 40, 41)
    for start, stop in ((5, 5), (-1, 2)):
        with pytest.raises(ValueError, match="are no window"):
            window_frames(path, start, stop)


def test_films_that_are_damaged(tmp_path):
    path = numbered_clip(tmp_path / "a.mp4", 90, 12)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], content[:100], b"", b"no film"):
        path.write_bytes(damaged)
        with pytest.raises(DamagedFile, match=r"a\.mp4"):
            window_frames(path, 80, 85)
    with pytest.raises(FileNotFoundError):
        window_frames(tmp_path / "b.mp4", 0, 1)
