"""Frames from the middle of a clip are those that reading it from its beginning gives."""

from __future__ import annotations

import av
import numpy as np
import pytest

from helpers.synthetic import Film, make_film, number_picture, patch_film, read_number
from talkingface.job.files import DamagedFile
from talkingface.media.own_window import picked_frames, window_frames
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


@pytest.mark.parametrize("interval", [1, 2, 12, 25, 250])
@pytest.mark.parametrize("preset", ["ultrafast", "superfast", "veryslow"])
def test_picked_frames_are_exact(tmp_path, interval, preset):
    """Bit for bit, few or many, beside each other or far apart, also the last one."""
    path = numbered_clip(tmp_path / "a.mp4", 90, interval, preset)
    with av.open(str(path)) as container:
        whole = [
            frame.reformat(format="bgr24", interpolation="AREA").to_ndarray()
            for frame in container.decode(video=0)
        ]
    for wanted in ([], [0], [89], [3, 4, 5, 30], [24, 25, 49, 50], list(range(4, 90, 9))):
        found = list(picked_frames(path, wanted))
        assert [k for k, _ in found] == wanted
        assert all(np.array_equal(image, whole[k]) for k, image in found)
    every = list(picked_frames(path, range(90), threads=2))
    assert [read_number(image) for _, image in every] == list(range(90))


def test_picked_frames_are_scaled(tmp_path):
    path = numbered_clip(tmp_path / "a.mp4", 60, 25)
    for k, image in picked_frames(path, [7, 40], size=(48, 32)):
        assert image.shape == (32, 48, 3)
        assert read_number(image) == k


def test_between_keyframes_without_a_wanted_frame_nothing_is_decoded(tmp_path):
    """What is damaged there is not looked at, and what is damaged where one is wanted is told."""
    path = numbered_clip(tmp_path / "a.mp4", 75, 25, "ultrafast")
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        assert [p.is_keyframe for p in packets].count(True) == 3
        place, size = packets[25].pos, packets[25].size
    content = bytearray(path.read_bytes())
    content[place : place + size] = bytes(size)
    path.write_bytes(content)
    assert [k for k, _ in picked_frames(path, [0, 24, 50, 74])] == [0, 24, 50, 74]
    with pytest.raises(DamagedFile, match="a.mp4: damaged"):
        list(picked_frames(path, [24, 30, 50]))


def test_frames_that_are_not_there_are_missed(tmp_path):
    path = numbered_clip(tmp_path / "a.mp4", 30, 25)
    shown = []
    with pytest.raises(DamagedFile, match="its frame 30 cannot be decoded"):
        shown += [k for k, _ in picked_frames(path, [29, 30])]
    for content in (b"", b"no film", path.read_bytes()[:900]):
        (tmp_path / "b.mp4").write_bytes(content)
        with pytest.raises(DamagedFile, match="b.mp4"):
            list(picked_frames(tmp_path / "b.mp4", [3]))
    for wanted in ([3, 3], [4, 3]):
        with pytest.raises(ValueError, match="do not rise"):
            list(picked_frames(path, wanted))
