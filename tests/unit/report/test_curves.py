"""Curves: the values, on the right clock, packed as the page reads them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from talkingface.faces.landmark_files import Landmarks
from talkingface.job.tables import table_of_columns
from talkingface.media.audio import write_wav
from talkingface.report.curves import (
    curve,
    envelope,
    grid_sound,
    opening_curve,
    packed_boxes,
    packed_points,
    pose_curves,
    speech_curve,
    sync_curves,
)
from talkingface.tables import SYNC_FRAMES

NAN = np.nan


def unpacked(text: str | None, dtype: str, *shape: int) -> np.ndarray:
    """As a browser does it."""
    assert text is not None
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)


def test_a_curve_is_rounded_and_has_no_nan() -> None:
    found = curve(np.array([0.12345, NAN, 1.0, np.inf, -2.5]), 2)
    assert found == [0.12, None, 1, None, -2.5]
    assert json.dumps(found, allow_nan=False) == "[0.12, null, 1, null, -2.5]"
    assert curve(np.array([NAN, NAN]), 2) is None


def sync_frames(first: int, n: int, **columns: object) -> np.recarray:
    same = {"track": 3, "frame": np.arange(first, first + n), "score": 0.5, "probability": 0.25}
    return table_of_columns(SYNC_FRAMES, same | {"opening": np.arange(n) / 100} | columns)


def test_what_sync_says_is_that_of_the_frames() -> None:
    found = sync_curves(sync_frames(100, 60), 110, 114)
    assert found == {
        "opening": [0.1, 0.11, 0.12, 0.13], "score": [0.5] * 4, "probability": [0.25] * 4,
    }  # fmt: skip


def test_frames_of_which_sync_says_nothing_are_empty() -> None:
    found = sync_curves(sync_frames(100, 60, opening=NAN), 158, 162)
    assert found == {
        "opening": None,
        "score": [0.5, 0.5, None, None],
        "probability": [0.25] * 2 + [None] * 2,
    }
    assert sync_curves(None, 0, 5) == {"opening": None, "score": None, "probability": None}


@pytest.mark.parametrize(
    ("shift", "wanted"),
    [
        (0, [0.1, 0.11, 0.12, 0.13]),
        # Delayed by three frames: frame 10 is heard in what was frame 13.
        (3 * 640, [0.07, 0.08, 0.09, 0.1]),
        (-2 * 640, [0.12, 0.13, 0.14, 0.15]),
        (12 * 640, [None, None, 0, 0.01]),
        (-88 * 640, [0.98, 0.99, None, None]),
    ],
)
def test_speech_goes_with_the_sound(shift: int, wanted: list[float | None]) -> None:
    assert speech_curve(np.arange(100) / 100, 10, 14, shift) == wanted


def test_angles_are_those_of_the_head() -> None:
    found = pose_curves(np.array([[10.04, -5.06, 0.5], [NAN, NAN, NAN]], np.float32))
    assert found == {"yaw": [10, None], "pitch": [-5.1, None], "roll": [0.5, None]}


def test_how_far_a_mouth_is_open() -> None:
    """Distance of the inner lips (13, 14) over the length of the nose (168 to 2)."""
    points = np.zeros((2, 478, 3), np.float32)
    points[:, 168], points[:, 2], points[:, 13] = (0, 0, 0), (0, 40, 0), (0, 50, 0)
    points[0, 14] = (0, 60, 0)
    points[1] = NAN
    assert opening_curve(points) == [0.25, None]


def test_the_sound_has_its_least_and_its_most() -> None:
    samples = np.zeros(2 * 640, np.int16)
    samples[5], samples[9], samples[640 + 3 * 160] = 25_600, -12_800, 32_767
    found = unpacked(envelope(samples, 2), "i1", 8, 2)
    wanted = np.zeros((8, 2))
    wanted[0], wanted[7] = (-50, 100), (0, 127)
    assert (found == wanted).all()


def test_sound_of_the_grid(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, np.repeat(np.arange(10, dtype=np.int16) * 256, 640), 16_000)
    found = unpacked(grid_sound(path, 7, 12), "i1", 5, 4, 2)
    assert (found == np.array([7, 8, 9, 0, 0])[:, None, None]).all()
    assert grid_sound(tmp_path / "gone.wav", 0, 5) is None
    (tmp_path / "empty.wav").touch()
    assert grid_sound(tmp_path / "empty.wav", 0, 5) is None


def test_points_are_eighths_of_pixels() -> None:
    points68 = np.random.default_rng(0).uniform(0, 256, (5, 68, 2)).astype(np.float32)
    points68[3] = NAN
    points68[4, 0] = (-3, 300)
    marks = Landmarks(np.zeros((5, 478, 3)), points68, np.array([1, 1, 1, 0, 1], bool))
    found = unpacked(packed_points(marks, 256, 256), "<u2", 5, 68, 2)
    assert (found[3] == 65_535).all()
    assert tuple(found[4, 0]) == (0, 2400)
    rest = np.delete(points68, 3, axis=0)
    error = abs(np.delete(found, 3, axis=0) / 8 - rest)
    error[3, 0] = 0
    assert error.max() <= 1 / 16


def test_boxes_are_eighths_of_pixels() -> None:
    boxes = np.array([[-10.5, 20.25, 100.125, 120.0]])
    assert unpacked(packed_boxes(boxes, 256, 256), "<i2", 1, 4).tolist() == [[-84, 162, 801, 960]]


def test_clips_too_large_for_the_numbers_have_none() -> None:
    marks = Landmarks(np.zeros((1, 478, 3)), np.zeros((1, 68, 2)), np.ones(1, bool))
    assert packed_boxes(np.zeros((1, 4)), 4096, 2160) is None
    assert packed_points(marks, 4096, 2160) is not None
    assert packed_points(marks, 8192, 4320) is None
