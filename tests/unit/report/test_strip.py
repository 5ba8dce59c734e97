"""Strips: which frames they show, and what of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from talkingface.report.strip import (
    MOST_BYTES,
    PICTURES,
    SIDE,
    face_square,
    square_picture,
    strip_frames,
    write_strip,
)


def test_a_strip_shows_the_middles_of_ten_equal_parts() -> None:
    assert strip_frames(100) == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]
    assert strip_frames(10) == list(range(10))


@pytest.mark.parametrize("n_frames", [1, 3, 9, 11, 75, 226, 100_000])
def test_frames_of_a_strip_rise_and_are_there(n_frames: int) -> None:
    frames = strip_frames(n_frames)
    assert len(frames) == PICTURES
    assert frames == sorted(frames) and frames[0] >= 0 and frames[-1] < n_frames
    distances = np.diff(frames)
    assert distances.max() - distances.min() <= 1


def test_a_square_is_around_the_face() -> None:
    """1.6 times the longer side, as clips are cut."""
    assert face_square(np.array([100, 50, 40, 60]), 60, (640, 360)) == (72, 32, 96)


@pytest.mark.parametrize(
    ("face", "longer", "wanted"),
    [
        ([-5.0, 10.0, 40.0, 60.0], 60, (0, 0, 96)),
        ([610.0, 320.0, 40.0, 60.0], 60, (544, 264, 96)),
        ([100.0, 50.0, 300.0, 350.0], 350, (70, 0, 360)),
        ([100.0, 50.0, 0.1, 0.1], 0.1, (99, 49, 2)),
    ],
)
def test_a_square_is_inside_the_picture(
    face: list[float], longer: float, wanted: tuple[int, int, int]
) -> None:
    assert face_square(np.array(face), longer, (640, 360)) == wanted


def test_a_square_picture_is_that_part(tmp_path: Path) -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    image[40:72, 100:132] = (0, 0, 255)
    assert (square_picture(image, (100, 40, 32)) == (0, 0, 255)).all()
    image[:256, :256] = (255, 0, 0)
    assert square_picture(image, (0, 0, 256)).shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize("noise", [0, 120])
def test_a_strip_is_small_whatever_it_shows(tmp_path: Path, noise: int) -> None:
    random = np.random.default_rng(0)
    pictures = [
        np.clip(random.normal(10 * i, noise, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
        for i in range(PICTURES)
    ]
    write_strip(pictures, tmp_path / "a.jpg")
    strip = cv2.imread(str(tmp_path / "a.jpg"))
    assert strip.shape == (SIDE, PICTURES * SIDE, 3)
    if not noise:
        assert (tmp_path / "a.jpg").stat().st_size < MOST_BYTES
        means = strip.reshape(SIDE, PICTURES, SIDE, 3).mean(axis=(0, 2, 3))
        assert np.allclose(means, 10 * np.arange(PICTURES), atol=2)
