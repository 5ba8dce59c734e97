"""What part of the picture a clip shows, and its pixels.

Boxes are float x, y, w, h in source display pixels (upright, square pixels).
"""

from __future__ import annotations

from math import ceil, floor

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from talkingface.filters import median_filter
from talkingface.media.sizes import even_size
from talkingface.media.video import ShownFrame, limited_yuv420p, plane_array
from talkingface.media.writer import frame_from_planes

# syncnet_python smooths box centres and sizes over this many frames.
MEDIAN_FRAMES = 13
# liutaocode/talking_face_preprocessing: side = longer side x (1 + 0.6); TalkingVideo: +-1.4 half
# sides around the centre.
SCALES = {"fixed": 1.6, "follow": 1.4}
# syncnet_python pads with RGB 110; the same grey in limited-range YUV.
PADDING = (110, 128, 128)


def crop_boxes(
    policy: str, boxes: np.ndarray, frame_size: tuple[int, int], scale: float | None
) -> np.ndarray:
    """Crop of every frame of a clip as (N, 4) float64 x, y, w, h.

    `boxes` are the (N, 4) face boxes, `frame_size` is width and height. `fixed` is one square on
    whole, even pixels inside the picture; `follow` a square a frame, which may reach beyond the
    picture; `none` the whole picture. `scale` is the square's side over the longer side of the
    face, None for the policy's in SCALES. Raises ValueError for another policy.
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
    return even_size(width * scale, height * scale)


def crop_planes(
    shown: ShownFrame,
    crop: np.ndarray,
    size: tuple[int, int],
    scaler: VideoReformatter | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y, U and V planes, (H, W) and twice (H/2, W/2) uint8, of one crop scaled to `size`.

    The pixels are taken from the decoded planes in one resampling, which also turns the picture
    upright and makes its pixels square; colours are never converted. Outside the picture is grey.
    `scaler` is best the same for all frames of a clip: setting one up costs more than using it.
    """
    frame = limited_yuv420p(shown.frame)
    x, y, w, h = crop
    corners = np.array([[x, y, 1], [x + w, y + h, 1]]) @ shown.display_to_coded().T
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    orientation = shown.orientation
    width, height = size[::-1] if orientation.transposed else size
    part = _whole_part(frame, (left, top, right, bottom))
    if part is not None:
        # libav's filter widens with the reduction, so nothing is passed over.
        scaled = (scaler or VideoReformatter()).reformat(
            part, width, height, "yuv420p", interpolation="BICUBIC"
        )
        y_plane, u_plane, v_plane = (orientation.upright(plane_array(p)) for p in scaled.planes)
        return y_plane, u_plane, v_plane
    planes = []
    for index, plane in enumerate(frame.planes[:3]):
        half = 2 if index else 1
        area = (left / half, top / half, right / half, bottom / half)
        sampled = _resample(
            plane_array(plane), area, (width // half, height // half), PADDING[index]
        )
        planes.append(orientation.upright(sampled))
    return planes[0], planes[1], planes[2]


def warp_planes(
    shown: ShownFrame,
    matrix: np.ndarray,
    size: tuple[int, int],
    scaler: VideoReformatter | None = None,
    padding: tuple[int, int, int] = PADDING,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y, U and V planes, (H, W) and twice (H/2, W/2) uint8, of a part that lies askew.

    `matrix` (2, 3) leads from pixels of the result, of width and height `size`, to source display
    pixels, both continuous: pixel (i, j) covers [i, i + 1) x [j, j + 1). As in `crop_planes` the
    pixels are taken from the decoded planes in one resampling; outside the picture is `padding`.
    The scaler is not needed.
    """
    frame = limited_yuv420p(shown.frame)
    to_coded = shown.display_to_coded()
    matrix = to_coded @ np.vstack([matrix, [0, 0, 1]])
    width, height = size
    planes = []
    for index, plane in enumerate(frame.planes[:3]):
        half = 2 if index else 1
        of_plane = matrix / [1, 1, half]
        extent = (width // half, height // half)
        corners = np.array([[0, 0, 1], [extent[0], 0, 1], [0, extent[1], 1], [*extent, 1]])
        x, y = of_plane @ corners.T
        area = (x.min(), y.min(), x.max(), y.max())
        planes.append(_warp(plane_array(plane), of_plane, area, extent, padding[index]))
    return planes[0], planes[1], planes[2]


def _whole_part(
    frame: av.VideoFrame, area: tuple[float, float, float, float]
) -> av.VideoFrame | None:
    """The part of a frame inside `area`, where that is whole pixels of every plane, all inside."""
    left, top, right, bottom = (round(edge) for edge in area)
    even = all(edge % 2 == 0 for edge in (left, top, right, bottom))
    near = max(abs(edge - round(edge)) for edge in area) < 1e-6
    if not (even and near and left >= 0 and top >= 0):
        return None
    if right > frame.width or bottom > frame.height:
        return None
    if (left, top, right, bottom) == (0, 0, frame.width, frame.height):
        return frame
    y, u, v = (plane_array(plane) for plane in frame.planes[:3])
    halved = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
    return frame_from_planes(y[top:bottom, left:right], u[halved], v[halved])


def _resample(
    plane: np.ndarray, area: tuple[float, float, float, float], size: tuple[int, int], padding: int
) -> np.ndarray:
    """Scale the part `area` (left, top, right, bottom; continuous coordinates) of a plane."""
    left, top, right, bottom = area
    factor_x, factor_y = (right - left) / size[0], (bottom - top) / size[1]
    return _warp(plane, np.array([[factor_x, 0, left], [0, factor_y, top]]), area, size, padding)


def _warp(
    plane: np.ndarray,
    matrix: np.ndarray,
    area: tuple[float, float, float, float],
    size: tuple[int, int],
    padding: int,
) -> np.ndarray:
    """A plane seen through `matrix` (2, 3), from pixels of the result to those of the plane, both
    continuous; `area` (left, top, right, bottom) is what it shows of the plane, at most."""
    left, top, right, bottom = area
    # Pixels of the plane for one of the result, along the plane's axes.
    factor_x, factor_y = np.hypot(matrix[0, 0], matrix[0, 1]), np.hypot(*matrix[1, :2])
    rows, columns = plane.shape
    # What matters of the plane, with as much around it as the filters reach.
    margin_x, margin_y = 2 * ceil(max(1, factor_x)), 2 * ceil(max(1, factor_y))
    x0, x1 = max(0, floor(left) - margin_x), min(columns, ceil(right) + margin_x)
    y0, y1 = max(0, floor(top) - margin_y), min(rows, ceil(bottom) + margin_y)
    if x0 >= x1 or y0 >= y1:
        return np.full(size[::-1], padding, np.uint8)
    part = plane[y0:y1, x0:x1]
    # A warp samples single points: shrink by averaging first, so that none is passed over.
    shrunk = (
        max(1, round((x1 - x0) / max(1, factor_x))),
        max(1, round((y1 - y0) / max(1, factor_y))),
    )
    if shrunk != (x1 - x0, y1 - y0):
        part = cv2.resize(part, shrunk, interpolation=cv2.INTER_AREA)
    scale_x, scale_y = (x1 - x0) / shrunk[0], (y1 - y0) / shrunk[1]
    # From centre to centre: cv2 counts the centre of the first pixel as 0.
    x_of_first = matrix[0, 2] - x0 + 0.5 * (matrix[0, 0] + matrix[0, 1])
    y_of_first = matrix[1, 2] - y0 + 0.5 * (matrix[1, 0] + matrix[1, 1])
    of_part = np.array(
        [
            [matrix[0, 0] / scale_x, matrix[0, 1] / scale_x, x_of_first / scale_x - 0.5],
            [matrix[1, 0] / scale_y, matrix[1, 1] / scale_y, y_of_first / scale_y - 0.5],
        ]
    )
    return cv2.warpAffine(
        part,
        of_part,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(padding,),
    )


def _smooth(values: np.ndarray) -> np.ndarray:
    """Median filter that keeps the ends: the first and last value are repeated outwards."""
    pad = MEDIAN_FRAMES // 2
    return median_filter(np.pad(values, pad, mode="edge"), MEDIAN_FRAMES)[pad:-pad]
