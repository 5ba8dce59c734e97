from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.signal import medfilt

pytest.importorskip("torch")

from talkingface.sync.syncnet.crops import crop_face, crop_squares


def published_crop(frame: np.ndarray, x: float, y: float, s: float) -> np.ndarray:
    """syncnet_python's crop: the whole picture is padded, then cut."""
    pad = int(s * (1 + 2 * 0.40))
    padded = np.pad(frame, ((pad, pad), (pad, pad), (0, 0)), constant_values=110)
    my, mx = y + pad, x + pad
    face = padded[int(my - s) : int(my + s * 1.8), int(mx - s * 1.4) : int(mx + s * 1.4)]
    return cv2.resize(face, (224, 224))


@pytest.mark.parametrize(
    "square",
    [
        (200.3, 150.7, 60.2),
        (200.0, 150.0, 112.0),
        (20.5, 30.2, 61.7),
        (390.1, 280.9, 77.3),
        (200.0, 150.0, 260.4),
        (5.0, 295.0, 3.3),
    ],
    ids=["inside", "whole", "top left", "bottom right", "larger than the picture", "tiny"],
)
def test_the_crop_is_the_published_one(square: tuple[float, float, float]) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    np.testing.assert_array_equal(
        crop_face(frame, np.array(square)), published_crop(frame, *square)
    )


@pytest.mark.parametrize("centre", [(-500.0, 100.0), (100.0, 900.0), (5000.0, 100.0)])
def test_a_face_outside_the_picture_is_grey(centre: tuple[float, float]) -> None:
    frame = np.zeros((300, 400, 3), np.uint8)
    assert (crop_face(frame, np.array([*centre, 50.0])) == 110).all()


def test_more_is_seen_below_than_above() -> None:
    frame = np.zeros((400, 400, 3), np.uint8)
    frame[200:] = 255
    rows = crop_face(frame, np.array([200.0, 200.0, 100.0]))[:, 112, 0]
    # The centre lies 1 / 2.8 of the crop's height below its upper edge.
    assert abs(int(np.argmax(rows > 127)) - 224 / 2.8) <= 1


def test_squares_are_median_filtered() -> None:
    rng = np.random.default_rng(0)
    boxes = rng.uniform([100, 50, 80, 90], [120, 70, 100, 130], (40, 4))
    x, y, w, h = boxes.T
    expected = [medfilt(v, 13) for v in (x + w / 2, y + h / 2, np.maximum(w, h) / 2)]
    np.testing.assert_allclose(crop_squares(boxes), np.stack(expected, 1))


def test_one_wrong_box_does_not_move_the_crop() -> None:
    boxes = np.tile([100.0, 50.0, 80.0, 90.0], (30, 1))
    boxes[14] = [300, 20, 10, 10]
    np.testing.assert_array_equal(crop_squares(boxes), np.tile([140.0, 95.0, 45.0], (30, 1)))


@pytest.mark.parametrize("count", [1, 5, 12])
def test_a_short_track_keeps_its_place(count: int) -> None:
    boxes = np.tile([100.0, 50.0, 80.0, 90.0], (count, 1))
    np.testing.assert_array_equal(crop_squares(boxes), np.tile([140.0, 95.0, 45.0], (count, 1)))
