"""Pictures from the small copy: the right frames, the right part of them, each read once.

Where the face is, a frame of the copy shows its number; the copy's own size and shape change.
"""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from helpers.synthetic import number_picture, read_number
from talkingface.job.files import DamagedFile
from talkingface.job.tables import table_of_columns, table_of_rows
from talkingface.media.writer import VideoWriter
from talkingface.report.copy_pictures import CopyPictures
from talkingface.report.strip import PICTURES, SIDE
from talkingface.shots.proxy import Proxy, write_proxy
from talkingface.shots.timeline import Picture
from talkingface.sync.comparison import rows_by_track
from talkingface.tables import SEGMENTS, TRACKS

COPY = (320, 180)
# From frame 250 on the picture stands upright, and its source has half as many pixels.
PICTURE_SIZES = (Picture(0, 1280, 720, 320, 180), Picture(250, 202, 360, 100, 180))
N_FRAMES = 500
# Squares in the copy's pixels in which a number is shown: left, top, side.
WIDE, UPRIGHT = (80, 35, 80), (10, 50, 80)


def copy_picture(k: int) -> np.ndarray:
    left, top, side = WIDE if k < 250 else UPRIGHT
    image = np.full((COPY[1], COPY[0], 3), 60, np.uint8)
    if k >= 250:
        image[:, 100:] = 0  # Outside of the picture.
    image[top : top + side, left : left + side] = number_picture(k, (side, side))
    return image


def box(k: int) -> tuple[float, float, float, float]:
    """A face of which 1.6 times the longer side is the square of the number; in source pixels."""
    (left, top, side), scale = (WIDE, 4.0) if k < 250 else (UPRIGHT, 2.02)
    high, wide = side / 1.6, side / 2
    x, y = left + (side - wide) / 2, top + (side - high) / 2
    return x * scale, y * scale, wide * scale, high * scale


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("copy")
    path, record = folder / "v.mp4", folder / "v.json"
    with VideoWriter(path, *COPY, preset="ultrafast", crf=18, sound=None) as writer:
        for k in range(N_FRAMES):
            frame = av.VideoFrame.from_ndarray(copy_picture(k), format="bgr24")
            writer.write(frame.reformat(format="yuv420p"))
    write_proxy(Proxy("ok", None, N_FRAMES, PICTURE_SIZES, COPY), record)
    return path, record


def tracks(*spans: tuple[int, int, int]) -> dict[int, np.recarray]:
    tables = []
    for number, start, end in spans:
        columns = dict(zip("xywh", np.array([box(k) for k in range(start, end)]).T, strict=True))
        frames = np.arange(start, end)
        same = {"track": number, "scene": 0, "confidence": 1, "detected": 1, "frame": frames}
        tables.append(table_of_columns(TRACKS, same | columns))
    return rows_by_track(np.concatenate(tables).view(np.recarray))


def row(track: int, start: int, end: int) -> np.record:
    name = f"v_{start:06d}_{end:06d}_{track:02d}"
    cells = {"clip_id": name, "track": track, "start_frame": start, "end_frame": end}
    return table_of_rows(SEGMENTS, [cells])[0]


def strip_numbers(path: Path) -> list[int]:
    strip = cv2.imread(str(path))
    assert strip.shape == (SIDE, PICTURES * SIDE, 3)
    return [read_number(part) for part in np.split(strip, PICTURES, axis=1)]


def test_strips_show_their_frames_and_their_face(copy: tuple[Path, Path], tmp_path: Path) -> None:
    """Also of stretches that overlap, and of a picture of another shape and scale."""
    boxes = tracks((0, 0, 240), (1, 100, 200), (2, 250, 500))
    pictures = CopyPictures(*copy)
    for found in (row(0, 0, 240), row(1, 100, 200), row(2, 300, 400), row(2, 400, 404)):
        assert pictures.want(found, int(found.start_frame), boxes, tmp_path) == PICTURES
    pictures.write()
    assert strip_numbers(tmp_path / "v_000000_000240_00.jpg") == list(range(12, 240, 24))
    assert strip_numbers(tmp_path / "v_000100_000200_01.jpg") == list(range(105, 200, 10))
    assert strip_numbers(tmp_path / "v_000300_000400_02.jpg") == list(range(305, 400, 10))
    wanted = [400, 400, 401, 401, 401, 402, 402, 403, 403, 403]
    assert strip_numbers(tmp_path / "v_000400_000404_02.jpg") == wanted


def test_a_cause_shows_the_whole_picture_of_its_frame(
    copy: tuple[Path, Path], tmp_path: Path
) -> None:
    boxes = tracks((0, 0, 240), (1, 250, 500))
    pictures = CopyPictures(*copy)
    pictures.want(row(0, 0, 240), 123, boxes, tmp_path)
    pictures.want(row(1, 250, 500), 333, boxes, tmp_path)
    pictures.write()
    for name, k, size in (
        ("v_000000_000240_00.why.jpg", 123, (180, 320)),
        ("v_000250_000500_01.why.jpg", 333, (180, 100)),
    ):
        image = cv2.imread(str(tmp_path / name))
        assert image.shape[:2] == size
        left, top, side = WIDE if k < 250 else UPRIGHT
        # The box and its tag cover parts of some blocks, but not most of the lower half.
        shown, wanted = image[top : top + side, left : left + side], copy_picture(k)
        wanted = wanted[top : top + side, left : left + side]
        assert (abs(shown.astype(int) - wanted) < 60).all(axis=2).mean() > 0.7
        x, y, w, h = (value / (4 if k < 250 else 2.02) for value in box(k))
        line = image[round(y + h * 0.75), round(x) - 1 : round(x) + 2]
        assert (abs(line.astype(int) - (60, 200, 255)) < 60).all(axis=1).any()


def test_a_whole_video_is_shown_by_its_middle(copy: tuple[Path, Path], tmp_path: Path) -> None:
    pictures = CopyPictures(*copy)
    pictures.want_whole(tmp_path / "v.why.jpg")
    pictures.write()
    image = cv2.imread(str(tmp_path / "v.why.jpg"))
    left, top, side = UPRIGHT
    assert image.shape[:2] == (180, 100)
    assert read_number(image[top : top + side, left : left + side]) == 250


def test_few_strips_are_held_at_a_time(copy: tuple[Path, Path], tmp_path: Path) -> None:
    """A strip is written when its last frame has passed: memory does not grow with the list."""
    boxes = tracks(*((n, 20 * n, 20 * n + 20) for n in range(12)))
    pictures = CopyPictures(*copy)
    for n in range(12):
        pictures.want(row(n, 20 * n, 20 * n + 20), 20 * n, boxes, tmp_path)
    there: list[int] = []
    boxes[99] = boxes[11]
    use = pictures._use
    for k in range(0, 240, 20):
        use(k, lambda image: there.append(len(list(tmp_path.glob("*_??.jpg")))))
    pictures.write()
    assert there == list(range(12))


@pytest.mark.parametrize("gone", ["v.mp4", "v.json"])
def test_without_the_copy_nothing_is_shown(
    copy: tuple[Path, Path], tmp_path: Path, gone: str
) -> None:
    paths = [tmp_path / path.name for path in copy]
    for path, there in zip(copy, paths, strict=True):
        if there.name != gone:
            there.write_bytes(path.read_bytes())
    pictures = CopyPictures(*paths)
    assert pictures.want(row(0, 0, 240), 3, tracks((0, 0, 240)), tmp_path) == 0
    pictures.want_whole(tmp_path / "v.why.jpg")
    pictures.write()
    assert not list(tmp_path.glob("*.jpg"))


def test_a_video_without_pictures_has_an_empty_copy(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").touch()
    write_proxy(Proxy("no_media", "see the video's record"), tmp_path / "v.json")
    pictures = CopyPictures(tmp_path / "v.mp4", tmp_path / "v.json")
    pictures.want_whole(tmp_path / "v.why.jpg")
    pictures.write()
    assert not (tmp_path / "v.why.jpg").exists()


def test_a_damaged_copy_is_named(copy: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    content = copy[0].read_bytes()
    path.write_bytes(content[: len(content) // 4])
    pictures = CopyPictures(path, copy[1])
    pictures.want(row(0, 0, 240), 3, tracks((0, 0, 240)), tmp_path)
    with pytest.raises(DamagedFile, match="v.mp4"):
        pictures.write()
