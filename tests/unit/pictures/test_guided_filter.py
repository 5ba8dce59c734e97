"""Edges of the map end up on edges of the picture, as the published filter has it."""

import cv2
import numpy as np
import pytest

from talkingface.pictures.guided_filter import GuidedFilter


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)


def by_definition(picture: np.ndarray, values: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """He, Sun, Tang: a ridge regression in every window, and the mean of all that hold a pixel."""
    pad = ((radius, radius), (radius, radius))
    guide = np.pad(picture / 255.0, (*pad, (0, 0)), mode="symmetric")
    target = np.pad(values, pad, mode="symmetric")
    side = 2 * radius + 1
    height, width = values.shape
    factors = np.empty((height, width, 4))
    for y in range(height):
        for x in range(width):
            colours = guide[y : y + side, x : x + side].reshape(-1, 3)
            goal = target[y : y + side, x : x + side].ravel()
            centred = colours - colours.mean(axis=0)
            covariance = centred.T @ centred / side**2
            cross = centred.T @ (goal - goal.mean()) / side**2
            a = np.linalg.solve(covariance + eps * np.eye(3), cross)
            factors[y, x] = (*a, goal.mean() - a @ colours.mean(axis=0))
    padded = np.pad(factors, (*pad, (0, 0)), mode="symmetric")
    out = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            mean = padded[y : y + side, x : x + side].mean(axis=(0, 1))
            out[y, x] = mean[:3] @ (picture[y, x] / 255.0) + mean[3]
    return out


@pytest.mark.parametrize("eps", [1e-4, 1e-1])
def test_is_the_published_filter(noise, eps):
    values = np.random.default_rng(1).random((24, 20)).astype(np.float32)
    found = GuidedFilter(noise, 3, eps=eps).apply(values)
    assert np.allclose(found, by_definition(noise, values, 3, eps), atol=2e-4)


def test_keeps_constants_and_sums(noise):
    rng = np.random.default_rng(2)
    a, b = rng.random((2, 24, 20)).astype(np.float32)
    smooth = GuidedFilter(noise, 2)
    assert np.allclose(smooth.apply(np.full((24, 20), 0.7, np.float32)), 0.7, atol=1e-4)
    assert np.allclose(smooth.apply(a + b), smooth.apply(a) + smooth.apply(b), atol=1e-3)


def test_an_edge_moves_onto_the_pictures():
    picture = np.full((160, 240, 3), (40, 90, 160), np.uint8)
    picture[:, 101:] = (90, 140, 60)
    small = cv2.resize(picture, (120, 80), interpolation=cv2.INTER_AREA)
    coarse = np.zeros((80, 120), np.float32)
    coarse[:, 52:] = 1  # 3 pixels of the full picture too far to the right
    sharp = GuidedFilter(small, 6, picture).apply(coarse)
    assert sharp.shape == (160, 240) and sharp.dtype == np.float32
    edges = (sharp > 0.5).argmax(axis=1)
    assert (abs(edges - 101) <= 1).all()
