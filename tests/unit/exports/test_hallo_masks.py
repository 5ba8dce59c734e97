"""The masks of hallo/utils/util.py, worked out here by hand or pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from talkingface.exports.hallo_masks import FACE, LIPS, hallo_masks, soft_mask, union_mask


def frame(*corners: tuple[float, float]) -> np.ndarray:
    """(1, P, 2) points of a frame."""
    return np.array([corners], float)


def rectangle(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 of the white part, which must be a full rectangle."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x1, y1, x2, y2 = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    assert (mask[y1:y2, x1:x2] == 255).all()
    return int(x1), int(y1), int(x2), int(y2)


def test_corners_are_rounded_and_sides_are_even() -> None:
    """10.4 to 31.2 is 10 to 31: the middle is 20, half of 21 is 10. 40 to 60 stays."""
    mask = union_mask(frame((10.4, 40), (31.2, 60)), 100, 80)
    assert mask.shape == (80, 100) and mask.dtype == np.uint8
    assert rectangle(mask) == (10, 40, 30, 60)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-6, 20, (0, 26)), (82, 110, (72, 100)), (-10, 130, (0, 100)), (0, 100, (0, 100))],
)
def test_what_reaches_beyond_the_picture_is_moved(
    low: float, high: float, expected: tuple[int, int]
) -> None:
    x1, _, x2, _ = rectangle(union_mask(frame((low, 10), (high, 20)), 100, 50))
    assert (x1, x2) == expected
    _, y1, _, y2 = rectangle(union_mask(frame((10, low), (20, high)), 50, 100))
    assert (y1, y2) == expected


def test_the_union_is_a_rectangle_around_all_frames() -> None:
    points = np.concatenate([frame((10, 10), (20, 20)), frame((40, 30), (60, 50))])
    assert rectangle(union_mask(points, 100, 100)) == (10, 10, 60, 50)


def test_a_soft_mask_is_a_blurred_one_of_64_pixels() -> None:
    """The Gaussian's deviation is OpenCV's for a kernel of that size; it is stretched to 255."""
    mask = np.zeros((640, 640), np.uint8)
    mask[200:400, 250:450] = 255
    for kernel in (31, 51):
        sigma = 0.3 * ((kernel - 1) / 2 - 1) + 0.8
        offsets = np.arange(kernel) - kernel // 2
        weights = np.exp(-(offsets**2) / (2 * sigma**2))
        weights /= weights.sum()
        small = np.zeros((64, 64))
        small[20:40, 25:45] = 255
        padded = np.pad(small, kernel // 2, "reflect")
        rows = np.array([np.convolve(row, weights, "valid") for row in padded])
        blurred = np.array([np.convolve(column, weights, "valid") for column in rows.T]).T
        expected = (blurred - blurred.min()) / (blurred.max() - blurred.min()) * 255
        found = soft_mask(mask, kernel)
        assert found.shape == (64, 64) and found.dtype == np.uint8
        assert (found.min(), found.max()) == (0, 255)
        assert np.abs(found - expected).max() < 3


def test_the_soft_masks_share_the_face_among_them() -> None:
    points = np.zeros((2, 478, 2))
    points[:, FACE] = np.linspace((150, 100), (350, 400), len(FACE))
    points[:, LIPS] = np.linspace((210, 300), (290, 340), len(LIPS))
    masks = hallo_masks(points, 512, 512)
    assert rectangle(masks.union) == (150, 100, 350, 400)
    whole = 255 - masks.border.astype(int)
    # Kernels of 51 and 31 pixels (ImageProcessorForDataProcessing).
    np.testing.assert_array_equal(whole, soft_mask(masks.union, 51))
    lips = union_mask(points[:, LIPS], 512, 512)
    np.testing.assert_array_equal(masks.lips, soft_mask(lips, 31))
    np.testing.assert_array_equal(masks.face, np.maximum(whole - masks.lips, 0))
    assert whole[31, 31] > 240 and whole[0, 0] < 30
    y, x = (np.nonzero(masks.lips == 255)[axis].mean() + 0.5 for axis in (0, 1))
    assert abs(x - 250 / 8) <= 0.5 and abs(y - 320 / 8) <= 0.5


def test_the_rings_are_those_of_the_mesh() -> None:
    """mediapipe's own names for them (FACEMESH_FACE_OVAL; the outer edge of FACEMESH_LIPS)."""
    from mediapipe.python.solutions import face_mesh_connections as known

    assert set(FACE) == {point for edge in known.FACEMESH_FACE_OVAL for point in edge}
    assert len(FACE) == 36 and len(LIPS) == 20
    lips = {point for edge in known.FACEMESH_LIPS for point in edge}
    assert set(LIPS) <= lips and {61, 291, 0, 17} <= set(LIPS)
    assert not {78, 308, 13, 14} & set(LIPS)


def test_without_a_face_it_is_nowhere() -> None:
    masks = hallo_masks(np.zeros((0, 478, 3)), 64, 48)
    assert masks.union.shape == (48, 64)
    assert not (masks.union.any() or masks.face.any() or masks.lips.any())
    assert (masks.border == 255).all()
