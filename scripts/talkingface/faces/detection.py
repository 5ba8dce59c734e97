"""Face detection, backend `mediapipe`: the short-range model on the frame and on tiles of it.

The model (BlazeFace, 128 x 128 input, shipped in mediapipe's wheel) finds a face only from
about 15 % of its input's side on: 96 px in a 640 px frame. So it looks twice. First at the whole
frame and at overlapping tiles, sized so that a face of `min_face` pixels is found too. Then
at each face found, from a window three times its size: that gives every face the same framing,
so boxes do not jump between views, completes those a tile cut, and throws out most of what is no
face (on the one clip looked at, hands reached 0.80 in a tile and 0.75 in their own window, where
the face never fell below 0.81).
The full-range model of the same wheel costs three times as much per view and reaches from 15 %
only to 13 %, so tiles of the short-range one find more per millisecond
(`benchmarks/face_height_recall.py` measures what the layout finds).

**The box.** mediapipe gives a square from the brows to the chin. S3FD, whose boxes VoxCeleb and
syncnet_python are built on, was trained on WIDER FACE boxes: forehead, chin and cheeks. Ours are
mediapipe's square of side s made `1.18 s` high, its centre moved up by `0.05 s`. That is the
hull of mediapipe's face mesh (upper forehead to chin, cheek to cheek) and about 4 % more, which
takes in the jaw line of 68-point annotations as well. Fitted on three people; not compared with
S3FD itself. A face height here means the height of that box.

`FaceDetector.run` is stateless: a frame's boxes depend on that frame and the settings alone.
`FaceDetector.follow` searches the tiles of the first frame only and then keeps to what it found.

This is the only backend, so no setting names it and `load` takes no name. `tracks.Detect` is all
that another one would have to offer.
"""

from __future__ import annotations

import math
import queue
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import cv2
import numpy as np

from talkingface.job.closeable import Closeable
from talkingface.job.quiet import quiet_stderr
from talkingface.networks import mediapipe_solutions

SHORT_RANGE = 0  # mediapipe's model_selection
INPUT_SIDE = 128  # of the short-range model
# Proxy pixels, 99 px in a 1080p source (VoxCeleb's smallest face is 100 px): 4 x 2 tiles at
# 16:9. 36 px takes 3 x 2.
MIN_FACE = 33.0
MIN_SCORE = 0.5  # also the floor built into mediapipe's graph: lower values change nothing

# Smallest face height as a share of a view's side that is found 95 times in 100.
REACH = 0.155
# The model completes a face that a border cuts by a quarter. So tiles overlap by half the height
# from which the whole view finds every face: smaller ones are three quarters inside some tile.
# (With half of that overlap 2 in 100 faces of 60 to 90 px were lost, always in the same places.)
OVERLAP = 0.5 * REACH  # of the frame's longer side
# A tile is stretched to the model's square; beyond this aspect boxes and scores suffer.
MAX_ASPECT = 1.35

# mediapipe's square -> our box, in units of its side: width, height, upward shift of the centre.
BOX_WIDTH, BOX_HEIGHT, BOX_SHIFT = 1.0, 1.18, 0.05

# Two boxes are one face above this intersection over union, or when the smaller lies in the
# larger by this share (half a face seen in a tile against the whole of it).
SAME_IOU, SAME_INSIDE = 0.3, 0.6
# Rank of a box that reaches over a border its view has inside the frame: it may be half a face.
CUT_PENALTY, CUT_SHARE = 0.75, 0.1

# The second look: side of its window, and how far from the first a box may be and still be the
# same face (distance of centres, ratio of sides), all in sides of the first box.
WINDOW, MOVE, RESIZE = 3.0, 0.6, 2.0


class View(NamedTuple):
    """A rectangle of the frame shown to the model, in frame pixels (top-left corner, size)."""

    x: int
    y: int
    width: int
    height: int


def views(width: int, height: int, min_face: float = MIN_FACE) -> list[View]:
    """The whole frame, then the fewest tiles in which a face `min_face` px high is found.

    Raises ValueError when a size is not positive.
    """
    if width < 1 or height < 1 or min_face <= 0:
        raise ValueError(f"no views of {width}x{height} for faces of {min_face} px")
    whole = [View(0, 0, width, height)]
    if max(width, height) * REACH <= min_face:
        return whole
    side = min_face / REACH
    overlap = min(OVERLAP * max(width, height), 0.5 * min(width, height), 0.5 * side)
    best: tuple[float, float, int, int] | None = None
    most = math.ceil(max(width, height) / max(side - overlap, 1)) + 2
    for columns in range(1, most + 1):
        for rows in range(1, most + 1):
            tile_w = (width + (columns - 1) * overlap) / columns
            tile_h = (height + (rows - 1) * overlap) / rows
            aspect = max(tile_w / tile_h, tile_h / tile_w)
            if aspect > MAX_ASPECT or math.sqrt(tile_w * tile_h) > side:
                continue
            key = (columns * rows, aspect, columns, rows)
            best = min(best, key) if best else key
    if best is None:  # no even split has a fair aspect (a very long frame): square tiles
        columns = max(1, math.ceil((width - overlap) / (side - overlap)))
        rows = max(1, math.ceil((height - overlap) / (side - overlap)))
        tile_w, tile_h = min(side, width), min(side, height)
    else:
        columns, rows = best[2:]
        tile_w = (width + (columns - 1) * overlap) / columns
        tile_h = (height + (rows - 1) * overlap) / rows
    tw, th = math.ceil(tile_w), math.ceil(tile_h)
    xs = np.linspace(0, width - tw, columns).round().astype(int)
    ys = np.linspace(0, height - th, rows).round().astype(int)
    return whole + [View(int(x), int(y), tw, th) for y in ys for x in xs]


def _open_graph() -> Any:
    """One short-range mediapipe graph, warmed up (its threads log while they start)."""
    with quiet_stderr():
        graph = mediapipe_solutions.face_detection(
            min_detection_confidence=MIN_SCORE, model_selection=SHORT_RANGE
        )
        graph.process(np.zeros((INPUT_SIDE, INPUT_SIDE, 3), np.uint8))
    return graph


def _squares(graph: Any, rgb: np.ndarray, view: View, stretch: bool) -> np.ndarray:
    """What one view shows: rows (n, 5) of centre x, centre y, side, score, cut (0 or 1), in frame
    pixels. `stretch`: the view fills the model's square; otherwise mediapipe letterboxes it.
    """
    frame_h, frame_w = rgb.shape[:2]
    x, y, width, height = view
    image = rgb[y : y + height, x : x + width]
    if stretch:
        image = cv2.resize(image, (INPUT_SIDE, INPUT_SIDE))
    rows = []
    for detection in graph.process(np.ascontiguousarray(image)).detections or []:
        box = detection.location_data.relative_bounding_box
        w, h = box.width * width, box.height * height
        left, top = x + box.xmin * width, y + box.ymin * height
        # Square in the stretched tile; the geometric mean undoes the stretch.
        side = math.sqrt(max(w * h, 1e-6))
        over = CUT_SHARE * side
        cut = (
            (x > 0 and left < x - over)
            or (y > 0 and top < y - over)
            or (x + width < frame_w and left + w > x + width + over)
            or (y + height < frame_h and top + h > y + height + over)
        )
        rows.append((left + w / 2, top + h / 2, side, detection.score[0], float(cut)))
    return np.array(rows, np.float64).reshape(-1, 5)


def _look_again(graph: Any, rgb: np.ndarray, first: np.ndarray) -> np.ndarray | None:
    """The square (5,) found in the window around the square `first`, or None when it was none."""
    frame_h, frame_w = rgb.shape[:2]
    cx, cy, side = first[:3]
    half = WINDOW * side / 2
    x0, y0 = max(0, round(cx - half)), max(0, round(cy - half))
    x1, y1 = min(frame_w, round(cx + half)), min(frame_h, round(cy + half))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    squares = _squares(graph, rgb, View(x0, y0, x1 - x0, y1 - y0), stretch=False)
    move = np.hypot(squares[:, 0] - cx, squares[:, 1] - cy) / side
    ratio = squares[:, 2] / side
    squares = squares[(move < MOVE) & (ratio < RESIZE) & (ratio > 1 / RESIZE)]
    return squares[squares[:, 3].argmax()] if len(squares) else None


def _boxes(squares: np.ndarray) -> np.ndarray:
    """mediapipe's squares (n, 5) as our boxes (n, 5): x, y, w, h, score."""
    cx, cy, side, score = squares[:, :4].T
    width, height = BOX_WIDTH * side, BOX_HEIGHT * side
    top = cy - BOX_SHIFT * side - height / 2
    return np.column_stack([cx - width / 2, top, width, height, score])


def box_overlaps(one: np.ndarray, many: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Overlap of box `one` (4,) with boxes `many` (K, 4), all x, y, w, h.

    Returns (intersection over union, share of the smaller box inside the other), each (K,).
    """
    low = np.maximum(one[:2], many[:, :2])
    high = np.minimum(one[:2] + one[2:4], many[:, :2] + many[:, 2:4])
    both = np.clip(high - low, 0, None).prod(1)
    areas = many[:, 2] * many[:, 3]
    area = one[2] * one[3]
    tiny = 1e-9
    return both / (areas + area - both + tiny), both / (np.minimum(areas, area) + tiny)


def one_per_face(boxes: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Indices of the boxes (K, 4 or more: x, y, w, h) to keep, highest `rank` (K,) first.

    What overlaps a kept box (SAME_IOU), lies in it or contains it (SAME_INSIDE) is the same face.
    """
    kept: list[int] = []
    for i in np.argsort(-rank, kind="stable"):
        if kept:
            iou, inside = box_overlaps(boxes[i, :4], boxes[kept, :4])
            if (iou > SAME_IOU).any() or (inside > SAME_INSIDE).any():
                continue
        kept.append(int(i))
    return np.array(kept, int)


class FaceDetector(Closeable):
    """`threads` mediapipe graphs behind one `run`. Use as a context manager, or `close`."""

    def __init__(self, *, min_face: float, min_score: float, threads: int) -> None:
        if threads < 1:
            raise ValueError(f"threads is {threads}, not 1 or more")
        self.min_face = min_face
        self.min_score = min_score
        self._graphs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._all = [_open_graph() for _ in range(threads)]
        for graph in self._all:
            self._graphs.put(graph)
        self._pool = ThreadPoolExecutor(threads, "faces") if threads > 1 else None

    def run(self, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Faces of each BGR frame (H, W, 3) uint8: one (K, 5) float32 array per frame.

        Columns x, y, w, h (frame pixels, may reach beyond the frame's border), score (0.5 to 1);
        best score first. The result does not depend on the batch nor on the number of threads.
        """
        if self._pool is None:
            return [self._chosen(self._search(frame)) for frame in frames]
        return [self._chosen(found) for found in self._pool.map(self._search, frames)]

    def follow(self, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
        """As `run`, for frames of one shot in order, at a quarter of the cost.

        Only the first frame is searched tile by tile; after it come the whole frame, and the
        windows around the faces of the frame before. A small face that appears in between waits
        for the next call. Several threads may call this at once.
        """
        squares: list[np.ndarray] = []
        before: np.ndarray | None = None
        for frame in frames:
            before = self._search(frame, before)
            squares.append(before)
        return [self._chosen(found) for found in squares]

    def _search(self, frame: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
        """Squares (n, 5) of the faces in a frame; `before`: where to look instead of in tiles."""
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(f"not an 8-bit BGR image: {frame.dtype} {frame.shape}")
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        whole, *tiles = views(frame.shape[1], frame.shape[0], self.min_face)
        graph = self._graphs.get()
        try:
            seen = [_squares(graph, rgb, whole, stretch=False)]
            if before is None:
                seen += [_squares(graph, rgb, tile, stretch=True) for tile in tiles]
            else:
                seen.append(before)
            first = np.concatenate(seen)
            rank = first[:, 3] * np.where(first[:, 4] > 0, CUT_PENALTY, 1.0)
            first = first[one_per_face(_boxes(first), rank)]
            second = [_look_again(graph, rgb, square) for square in first]
        finally:
            self._graphs.put(graph)
        squares = np.array([s for s in second if s is not None]).reshape(-1, 5)
        return squares[one_per_face(_boxes(squares), squares[:, 3])]

    def _chosen(self, squares: np.ndarray) -> np.ndarray:
        faces = _boxes(squares)
        return faces[faces[:, 4] >= self.min_score].astype(np.float32)

    def close(self) -> None:
        """Free the graphs; the detector cannot be used afterwards."""
        if self._pool is not None:
            self._pool.shutdown()
        for graph in self._all:
            graph.close()


def load(
    *, min_face: float = MIN_FACE, min_score: float = MIN_SCORE, threads: int = 1
) -> FaceDetector:
    """Open the backend.

    `min_face`: face height in frame (proxy) pixels that must be found; it sets the number of
    tiles and so the cost. `min_score`: boxes scored lower are left out. `threads`: graphs
    that share a batch of frames; mediapipe releases the interpreter lock.
    """
    return FaceDetector(min_face=min_face, min_score=min_score, threads=threads)
