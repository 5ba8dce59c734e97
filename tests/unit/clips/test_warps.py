"""Parts of the picture that lie askew."""

from fractions import Fraction

import av
import numpy as np
import pytest

from talkingface.clips.crops import crop_planes, warp_planes
from talkingface.media.orientation import Orientation
from talkingface.media.video import ShownFrame, plane_array

SIZE = (128, 96)


def shown(luma, chroma=(128, 128), aspect=1):
    """A yuv420p frame of the given (H, W) luma."""
    height, width = luma.shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, values in zip(frame.planes, (luma, *chroma), strict=True):
        plane_array(plane)[:] = values
    return ShownFrame(frame, 0, 1, Fraction(aspect))


def ramp(width, height):
    """Luma that says where it is: at the continuous place (x, y) it is x / 4 + y / 8 + 20."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return x / 4 + y / 8 + 20


def matrix(degrees, scale, stretch, centre, size=SIZE):
    """From pixels of the result to the source: around `centre`, turned, scaled, stretched."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    linear = scale * np.array([[c, -s], [s, c]]) @ np.diag([1, stretch])
    return np.column_stack([linear, centre - linear @ np.array(size) / 2])


@pytest.mark.parametrize("degrees", [0, 7, -30, 90, 200])
@pytest.mark.parametrize("scale", [0.4, 1, 1.7])
@pytest.mark.parametrize("stretch", [1, 0.75])
def test_every_pixel_comes_from_its_place(degrees, scale, stretch):
    small = ramp(200, 200)
    one = shown(ramp(400, 400), (small, small))
    there = matrix(degrees, scale, stretch, (197.3, 206.1))
    for plane, half in zip(warp_planes(one, there, SIZE), (1, 2, 2), strict=True):
        assert plane.shape == (SIZE[1] // half, SIZE[0] // half)
        x, y = np.meshgrid(np.arange(plane.shape[1]) + 0.5, np.arange(plane.shape[0]) + 0.5)
        # A pixel of a half-sized plane stands at twice its place, in both pictures.
        places = np.stack([x * half, y * half, np.ones_like(x)], axis=2) @ there.T
        truth = (places / half) @ [1 / 4, 1 / 8] + 20
        # Numbers are cut to whole ones twice.
        assert np.abs(plane - truth).max() <= 1.6
        assert abs((plane - truth).mean()) < 0.6


@pytest.mark.parametrize("crop", [(41.5, 60.25, 128, 128), (-40, -20, 160, 160)])
def test_one_that_does_not_lie_askew_is_a_crop(crop):
    noise = np.random.default_rng(0).integers(0, 255, (3, 200, 300))
    one = shown(noise[0], (noise[1, :100, :150], noise[2, :100, :150]))
    x, y, w, h = crop
    there = np.array([[w / 64, 0, x], [0, h / 64, y]])
    for plane, expected in zip(
        warp_planes(one, there, (64, 64)), crop_planes(one, np.array(crop), (64, 64)), strict=True
    ):
        assert (plane == expected).all()


def test_outside_the_picture_is_the_padding():
    one = shown(np.full((360, 320), 235), (40, 200))
    there = matrix(30, 2, 1, (0, 180), (80, 80))
    x, y = np.meshgrid(np.arange(80) + 0.5, np.arange(80) + 0.5)
    across = (np.stack([x, y, np.ones_like(x)], axis=2) @ there.T)[..., 0]
    luma, blue, red = warp_planes(one, there, (80, 80), padding=(125, 128, 129))
    assert (luma[across > 8] == 235).all() and (luma[across < -8] == 125).all()
    assert (blue[across[::2, ::2] < -16] == 128).all()
    assert (red[across[::2, ::2] < -16] == 129).all()
    beyond = warp_planes(one, matrix(30, 1, 1, (900, 90), (80, 80)), (80, 80), padding=(1, 2, 3))
    assert [np.unique(plane).tolist() for plane in beyond] == [[1], [2], [3]]


@pytest.mark.parametrize("degrees", [0, 20, 45])
def test_scaling_down_does_not_alias(degrees):
    """A checkerboard finer than the output's pixels is grey."""
    board = np.where(np.indices((600, 600)).sum(axis=0) % 2, 235, 16)
    luma, _, _ = warp_planes(
        shown(board), matrix(degrees, 3.3, 0.8, (300, 300), (64, 64)), (64, 64)
    )
    assert np.abs(luma.astype(int) - 125).max() < 32


def test_pixels_that_are_not_square():
    """A circle stored at half its width is a circle again, also turned."""
    y, x = np.indices((200, 150))
    stored = np.where(((x + 0.5) * 2 - 150) ** 2 + (y + 0.5 - 100) ** 2 < 60**2, 200, 20)
    there = matrix(35, 1, 1, (150, 100), (180, 180))
    luma, _, _ = warp_planes(shown(stored, aspect=2), there, (180, 180))
    y, x = np.indices((180, 180))
    circle = (x + 0.5 - 90) ** 2 + (y + 0.5 - 90) ** 2 < 60**2
    assert ((luma > 110) == circle).mean() > 0.99


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("flip_x", [False, True])
@pytest.mark.parametrize("flip_y", [False, True])
def test_a_picture_that_was_stored_turned(transposed, flip_x, flip_y):
    """It is warped as the upright picture is."""
    there = matrix(12, 0.9, 1.1, (150, 110))
    chroma = ramp(160, 110)
    upright = shown(ramp(320, 220), (chroma, chroma))

    def stored(plane):
        flipped = plane[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
        return flipped.T if transposed else flipped

    turned = shown(stored(ramp(320, 220)), (stored(chroma), stored(chroma)))
    turned.__dict__["orientation"] = Orientation(transposed, flip_x, flip_y)
    assert turned.display_size == (320, 220)
    for plane, expected in zip(
        warp_planes(turned, there, SIZE), warp_planes(upright, there, SIZE), strict=True
    ):
        assert np.abs(plane.astype(int) - expected).max() <= 2
