from dataclasses import replace
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from talkingface.clips.crops import crop_boxes, crop_planes, output_size
from talkingface.media.video import ShownFrame, plane_array

GREY = (110, 128, 128)


def shown(luma, aspect=1, chroma=None):
    """A yuv420p frame of the given (H, W) luma, chroma by position or flat."""
    height, width = luma.shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, values in zip(frame.planes, (luma, *(chroma or (128, 128))), strict=True):
        plane_array(plane)[:] = values
    return ShownFrame(frame, 0, 1, Fraction(aspect))


def ramp(width, height):
    """Luma that says where it is: x / 4 + y / 8 plus 20, for pictures up to 400 x 400."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return x / 4 + y / 8 + 20


def boxes_at(centres, side):
    centres = np.asarray(centres, float)
    sides = np.broadcast_to(side, len(centres)).astype(float)
    return np.column_stack([centres - sides[:, None] / 2, sides, sides])


def test_fixed_is_the_median_face_and_more():
    """liutaocode: centre and longer side of the median box, the side times 1.6."""
    boxes = np.array([[100, 80, 40, 50], [104, 82, 40, 50], [500, 300, 9, 9]], float)
    (x, y, w, h), *others = crop_boxes("fixed", boxes, (640, 360), None)
    assert (w, h) == (80, 80)
    # 107 - 40 is odd; chroma has half the resolution.
    assert x == 124 - 40 and y in (107 - 41, 107 - 39)
    assert all((other == (x, y, w, h)).all() for other in others)
    assert crop_boxes("fixed", boxes, (640, 360), scale=1.0)[0, 2] == 50


def test_fixed_stays_inside_and_even():
    rng = np.random.default_rng(0)
    for _ in range(300):
        frame = rng.integers(40, 400, 2)
        boxes = boxes_at(rng.uniform(-50, 450, (7, 2)), rng.uniform(3, 500, 7))
        x, y, w, h = crop_boxes("fixed", boxes, tuple(frame), rng.uniform(0.5, 3))[0]
        assert w == h >= 2
        assert x >= 0 and y >= 0 and x + w <= frame[0] and y + h <= frame[1]
        assert not np.array([x, y, w]).astype(int) % 2 @ [1, 1, 1]


def test_follow_keeps_the_face_in_the_centre():
    path = np.column_stack([np.linspace(50, 300, 60), np.linspace(90, 30, 60)])
    crops = crop_boxes("follow", boxes_at(path, 40), (320, 180), None)
    # The median of a straight path is the path, but for the ends.
    assert crops[6:-6, :2] + crops[6:-6, 2:] / 2 == pytest.approx(path[6:-6])
    assert (crops[:, 2:] == 56).all()
    jumpy = path.copy()
    jumpy[30] += 50
    assert crop_boxes("follow", boxes_at(jumpy, 40), (320, 180), None) == pytest.approx(
        crops, abs=9
    )


def test_none_is_the_whole_picture():
    assert (
        crop_boxes("none", boxes_at([[5, 5]] * 3, 4), (321, 241), None).tolist()
        == [[0, 0, 321, 241]] * 3
    )
    with pytest.raises(ValueError, match="unknown crop 'round'"):
        crop_boxes("round", boxes_at([[5, 5]], 4), (320, 180), None)


@pytest.mark.parametrize(
    ("policy", "crop", "size", "expected"),
    [
        ("fixed", (10, 10, 300, 300), 512, (512, 512)),
        ("fixed", (10, 10, 300, 300), None, (300, 300)),
        ("follow", (1.5, -3, 99.4, 99.4), None, (100, 100)),
        ("none", (0, 0, 1920, 1080), 512, (512, 288)),
        ("none", (0, 0, 1080, 1920), 512, (288, 512)),
        ("none", (0, 0, 321, 241), None, (320, 240)),
        ("none", (0, 0, 400, 3), 100, (100, 2)),
    ],
)
def test_output_sizes_are_even(policy, crop, size, expected):
    assert output_size(policy, np.array(crop, float), size) == expected


@pytest.mark.parametrize(
    "crop",
    [
        (40, 60, 128, 128),
        (41.5, 60.25, 128, 128),
        (40, 60, 96, 96),
        (30.3, 20.7, 170.5, 170.5),
        (20, 10, 256, 256),
        (10, 8, 60, 60),
    ],
)
@pytest.mark.parametrize("size", [(320, 300), (321, 301)])
def test_every_pixel_comes_from_its_place(crop, size):
    """Pixel (i, j) of a crop scaled by f shows x + f (i + 1/2) and y + f (j + 1/2)."""
    x, y, w, _ = crop
    small = ramp((size[0] + 1) // 2, (size[1] + 1) // 2)
    planes = crop_planes(shown(ramp(*size), chroma=(small, small)), np.array(crop), (128, 128))
    for plane, half in zip(planes, (1, 2, 2), strict=True):
        position = (np.arange(128 // half) + 0.5) * w / 128
        truth = ((x / half + position) - 0.5) / 4 + 20
        truth = truth[None, :] + (((y / half + position) - 0.5) / 8)[:, None]
        inner = slice(2, -2)
        assert np.abs(plane[inner, inner] - truth[inner, inner]).max() <= 1.6
        assert abs((plane[inner, inner] - truth[inner, inner]).mean()) < 0.6  # rounding down


@pytest.mark.parametrize("crop", [(-40, -20, 160, 160), (250, 100, 160, 160), (-0.5, 0, 400, 400),
                                  (-300, 20, 100, 100)])  # fmt: skip
def test_outside_the_picture_is_grey(crop):
    size = (320, 180)
    white = np.full(size[::-1], 235)
    planes = crop_planes(shown(white, chroma=(40, 200)), np.array(crop, float), (80, 80))
    scale = crop[2] / 80
    inside = (235, 40, 200)
    for plane, value, grey in zip(planes, inside, GREY, strict=True):
        across = crop[0] + (np.arange(len(plane)) + 0.5) * crop[2] / len(plane)
        down = crop[1] + (np.arange(len(plane)) + 0.5) * crop[2] / len(plane)
        edge = 3 * scale * 80 / len(plane)
        within = np.outer((down > edge) & (down < size[1] - edge),
                          (across > edge) & (across < size[0] - edge))  # fmt: skip
        beyond = ~np.outer((down > -edge) & (down < size[1] + edge),
                           (across > -edge) & (across < size[0] + edge))  # fmt: skip
        assert (np.abs(plane[within].astype(int) - value) <= 1).all()
        assert (plane[beyond] == grey).all()
        assert beyond.any() or crop[0] == -0.5
    # In RGB the grey is that of syncnet_python.
    frame = np.concatenate([np.full((4, 2), 110), np.full((2, 2), 128)]).astype(np.uint8)
    assert np.abs(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420).astype(int) - 110).max() <= 1


@pytest.mark.parametrize("side", [100.5, 150, 151.3, 190.7, 257.9, 300, 333.3])
@pytest.mark.parametrize("corner", [0, 1.37])
def test_scaling_down_does_not_alias(side, corner):
    """A checkerboard finer than the output's pixels is grey."""
    board = np.where(np.indices((400, 400)).sum(axis=0) % 2, 235, 16)
    luma, _, _ = crop_planes(shown(board), np.array([corner, corner, side, side]), (64, 64))
    assert np.abs(luma[3:-3, 3:-3].astype(int) - 125).max() < 32


def test_scaling_up_keeps_edges_sharp():
    luma = np.zeros((100, 100))
    luma[:, 50:] = 200
    plane, _, _ = crop_planes(shown(luma), np.array([30, 30, 40, 40.0]), (160, 160))
    assert (plane[:, :76] < 12).all() and (plane[:, 84:] > 188).all()


def test_pixels_that_are_not_square():
    """A circle stored at half its width is a circle again."""
    y, x = np.indices((200, 150))
    stored = np.where(((x + 0.5) * 2 - 150) ** 2 + (y + 0.5 - 100) ** 2 < 60**2, 200, 20)
    crop = np.array([60, 10, 180, 180.0])
    plane, _, _ = crop_planes(shown(stored, aspect=2), crop, (180, 180))
    y, x = np.indices((180, 180))
    circle = (x + 0.5 - 90) ** 2 + (y + 0.5 - 90) ** 2 < 60**2
    assert ((plane > 110) == circle).mean() > 0.99


def test_the_source_frame_is_not_changed():
    one = shown(ramp(320, 180))
    before = [plane_array(plane).copy() for plane in one.frame.planes]
    crop_planes(replace(one), np.array([3.3, 3, 100, 100]), (50, 50))
    for plane, old in zip(one.frame.planes, before, strict=True):
        assert (plane_array(plane) == old).all()
