"""What part of the picture a clip shows, and its pixels.

Boxes are float x, y, w, h in source display pixels (upright, square pixels).
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.signal import medfilt

from talkingface.media.video import ShownFrame, limited_yuv420p, plane_array, turn

# syncnet_python smooths box centres and sizes over this many frames.
MEDIAN_FRAMES = 13
# liutaocode/talking_face_preprocessing: side = longer side x (1 + 0.6); TalkingVideo: +-1.4 half
# sides around the centre.
SCALES = {"fixed": 1.6, "follow": 1.4}
# syncnet_python pads with RGB 110; the same grey in limited-range YUV.
PADDING = (110, 128, 128)


def crop_boxes(
    policy: str, boxes: np.ndarray, frame_size: tuple[int, int], scale: float | None = None
) -> np.ndarray:
    """Crop of every frame of a clip as (N, 4) float64 x, y, w, h.

    `boxes` are the (N, 4) face boxes, `frame_size` is width and height. `fixed` is one square on
    whole, even pixels inside the picture; `follow` a square a frame, which may reach beyond the
    picture; `none` the whole picture.
    """
    width, height = frame_size
    if policy == "none":
        return np.tile(np.array([0, 0, width, height], float), (len(boxes), 1))
    if policy not in SCALES:
        raise ValueError(f"unknown crop {policy!r}: choose fixed, follow or none")
    scale = scale or SCALES[policy]
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    longer = boxes[:, 2:].max(axis=1)
    if policy == "fixed":
        side = min(np.median(longer) * scale, width, height)
        side = max(2, int(side) // 2 * 2)
        corner = np.median(centres, axis=0) - side / 2
        corner = np.clip(np.round(corner / 2) * 2, 0, [width - side, height - side])
        # The last even position: chroma has half the resolution.
        corner = corner // 2 * 2
        return np.tile(np.array([*corner, side, side], float), (len(boxes), 1))
    centres = np.stack([_smooth(centres[:, 0]), _smooth(centres[:, 1])], axis=1)
    sides = _smooth(longer) * scale
    return np.column_stack([centres - sides[:, None] / 2, sides, sides])


def output_size(policy: str, crop: np.ndarray, size: int | None) -> tuple[int, int]:
    """Even width and height of a clip: a square of `size`, or the whole picture's shape with its
    longer side `size`; None: the pixels of the (first) crop."""
    width, height = float(crop[2]), float(crop[3])
    scale = 1.0 if size is None else size / max(width, height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def crop_planes(
    shown: ShownFrame, crop: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y, U and V planes, (H, W) and twice (H/2, W/2) uint8, of one crop scaled to `size`.

    The pixels are taken from the decoded planes in one resampling, which also turns the picture
    upright and makes its pixels square; colours are never converted. Outside the picture is grey.
    """
    frame = limited_yuv420p(shown.frame)
    x, y, w, h = crop
    corners = np.array([[x, y, 1], [x + w, y + h, 1]]) @ shown.display_to_coded().T
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    width, height = size if frame.rotation % 180 == 0 else size[::-1]
    planes = []
    for index, plane in enumerate(frame.planes[:3]):
        half = 2 if index else 1
        area = (left / half, top / half, right / half, bottom / half)
        sampled = _resample(
            plane_array(plane), area, (width // half, height // half), PADDING[index]
        )
        planes.append(turn(sampled, frame.rotation))
    return planes[0], planes[1], planes[2]


def _resample(
    plane: np.ndarray, area: tuple[float, float, float, float], size: tuple[int, int], padding: int
) -> np.ndarray:
    """Scale the part `area` (left, top, right, bottom; continuous coordinates) of a plane."""
    left, top, right, bottom = area
    factor_x, factor_y = (right - left) / size[0], (bottom - top) / size[1]
    rows, columns = plane.shape
    inside = left >= 0 and top >= 0 and right <= columns and bottom <= rows
    whole = all(abs(edge - round(edge)) < 1e-6 for edge in area)
    if inside and whole:
        part = plane[round(top) : round(bottom), round(left) : round(right)]
        how = cv2.INTER_AREA if max(factor_x, factor_y) > 1 else cv2.INTER_CUBIC
        return cv2.resize(part, size, interpolation=how)
    # A warp samples single points: shrink by a whole factor first, so that none is passed over.
    shrink = max(1, int(min(factor_x, factor_y)))
    if shrink > 1:
        plane = cv2.resize(plane, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
    scale_x, scale_y = columns / plane.shape[1], rows / plane.shape[0]
    matrix = np.array(
        [
            [factor_x / scale_x, 0, (left + 0.5 * factor_x) / scale_x - 0.5],
            [0, factor_y / scale_y, (top + 0.5 * factor_y) / scale_y - 0.5],
        ]
    )
    return cv2.warpAffine(
        plane,
        matrix,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=padding,
    )


def _smooth(values: np.ndarray) -> np.ndarray:
    """Median filter that keeps the ends: the first and last value are repeated outwards."""
    pad = MEDIAN_FRAMES // 2
    return medfilt(np.pad(values, pad, mode="edge"), MEDIAN_FRAMES)[pad:-pad]
