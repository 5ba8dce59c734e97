"""One face followed through a sequence of frames with mediapipe's face mesh.

The landmark network of mediapipe 0.10.21 (`FaceLandmarkCpu`, the graph inside
`mp.solutions.face_mesh`) is run on a region that this module chooses, instead of letting
`mp.solutions.face_mesh` detect and track by itself. Reasons: with several people in the picture its
detector picks whom it likes; a crop that moves with the face breaks its internal tracking, which
remembers where the face was *in the crop*; and a fixed crop costs a detection whenever it is moved.

How a face is followed
    - The region is a square, turned with the eye line and 1.5 times the extent of the face's points
      in the frame before, which is mediapipe's own rule (`FaceLandmarkLandmarksToRoi`). Nothing but
      those points is remembered, in frame pixels, so a moving camera or box cannot confuse it.
    - At the start, after a loss, and when the points and the box of the frame disagree, the search
      begins anew: with the face that mediapipe's detector finds in and around the box, or with the
      box itself; without a box, with the largest face in the frame (short range first, then full
      range). Then the network runs again on its own answer until the region settles, since a box
      says little about size. Heads rolled by up to 90 degrees are found; beyond, points can be
      wrong.
    - The region may reach over the frame's edge; the border pixels are replicated there.

When a face counts as present
    1. the network's presence score is at least 0.5, as mediapipe has it, and at least 0.9 where the
       search began anew: nothing vouches for a face there yet,
    2. at least half of the mesh's points lie inside the frame, and
    3. if a box is given, the centre of the points lies inside it (widened by a quarter on each
       side) and their extent is between 0.4 and 2.5 times the box's: so a mesh that slid onto a
       neighbour is not taken for the face asked for.
    Otherwise the frame has no points; nothing is carried over from earlier frames.

An instance is not to be shared between threads; several threads may hold one instance each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import cv2
import numpy as np

from talkingface.faces.region import (
    Box,
    Region,
    crop,
    crop_to_frame,
    region_of_box,
    region_of_points,
)
from talkingface.job.closeable import Closeable
from talkingface.job.quiet import quiet_stderr
from talkingface.networks import mediapipe_solutions

N_POINTS = 478
N_POINTS_COARSE = 468

_INPUT = 192  # side of the network's input, pixels
_SHORT_RANGE, _FULL_RANGE = 0, 1  # mediapipe's detectors: faces within 2 m, and small ones
_MIN_PRESENCE = 0.5  # of a face that is followed, mediapipe's own
# Of one that was just found: settled faces score 0.99 and more, cats and cups often 0.5 to 0.9.
_MIN_NEW_PRESENCE = 0.9
_MAX_SETTLE = 4  # network runs on a face that was just found, at most
_SETTLED = 0.03  # a region that moves or grows by less than this share of its side is settled

# Streams inside a subgraph are reachable by its name; FaceLandmarkCpu does not offer its score.
_SCORE = "facelandmarkcpu__face_presence_score"
_GRAPH = f"""
input_stream: "image"
input_stream: "roi"
input_side_packet: "with_attention"
output_stream: "landmarks"
output_stream: "{_SCORE}"
node {{
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "WITH_ATTENTION:with_attention"
  output_stream: "LANDMARKS:landmarks"
}}
"""

# A landmark in protobuf's encoding: tag and length, then tag and value of x, y and z.
_ENCODED = np.dtype(
    {"names": ["x", "y", "z"], "formats": ["<f4"] * 3, "offsets": [3, 8, 13], "itemsize": 17}
)


class FaceMesh(Closeable):
    """Follows one face. Give it the frames of one clip in order; `reset` between clips.

    refine: 478 points with attention on eyes, irises and lips; else 468, about twice as fast.
    """

    def __init__(self, refine: bool = True) -> None:
        self.n_points = N_POINTS if refine else N_POINTS_COARSE
        self._previous: np.ndarray | None = None
        self._detectors: dict[int, Any] = {}
        with quiet_stderr():
            self._graph = mediapipe_solutions.face_mesh_graph(
                _GRAPH,
                side_inputs={"with_attention": refine},
                # The score is judged here: a region that has not settled yet scores low.
                calculator_params={"facelandmarkcpu__ThresholdingCalculator.threshold": 0.0},
                outputs=["landmarks", _SCORE],
            )
            self._whole = mediapipe_solutions.normalized_rect(
                x_center=0.5, y_center=0.5, width=1, height=1
            )
            # The first run initialises the interpreter, which talks.
            self._infer(np.zeros((_INPUT, _INPUT, 3), np.uint8))

    def close(self) -> None:
        """Free the networks; the instance is useless afterwards. May be called twice."""
        for solution in [self._graph, *self._detectors.values()]:
            if solution is not None:
                solution.close()
        self._graph, self._detectors = None, {}

    def reset(self) -> None:
        """Forget the face followed so far."""
        self._previous = None

    def follow(self, frame: np.ndarray, box: Box | None = None) -> np.ndarray | None:
        """Points of the face in the next frame.

        frame: (H, W, 3) uint8 BGR.
        box: x, y, w, h in frame pixels of the face to look at; None: the face followed so far, or
            the largest one in the frame. A box of size 0 or with NaN counts as None.
        Returns (n_points, 3) float32: x and y in frame pixels (the centre of the top left pixel is
        0.5, 0.5), z in pixels too, nearer is smaller; or None (see the module's docstring).
        """
        if self._graph is None:
            raise ValueError("this FaceMesh is closed")
        if box is not None and not (np.isfinite(box).all() and box[2] > 0 and box[3] > 0):
            box = None
        points = None
        if self._previous is not None:
            points, score = self._run(frame, region_of_points(self._previous))
            if score < _MIN_PRESENCE or not _acceptable(points, frame.shape, box):
                points = None
        if points is None:
            points = self._search(frame, box)
        self._previous = points
        return points

    def follow_clip(
        self, frames: Iterable[np.ndarray], boxes: Iterable[Box | None] | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Every frame of one clip and the points that `follow` finds in it, lazily.

        What was followed before is forgotten. boxes: as many as frames, or None when no box is
        known. Yields the frame and (n_points, 3) float32, NaN where there is no face. Raises
        ValueError when the boxes are fewer or more than the frames.
        """
        self.reset()
        absent = np.full((self.n_points, 3), np.nan, np.float32)
        pairs: Iterable[tuple[np.ndarray, Box | None]]
        if boxes is None:
            pairs = ((frame, None) for frame in frames)
        else:
            pairs = zip(frames, boxes, strict=True)
        for frame, box in pairs:
            points = self.follow(frame, box)
            yield frame, absent if points is None else points

    def _search(self, frame: np.ndarray, box: Box | None) -> np.ndarray | None:
        """Points of a face that was not followed so far, or None."""
        if box is None:
            regions = [
                self._detect(frame, _SHORT_RANGE, _size) or self._detect(frame, _FULL_RANGE, _size)
            ]
        else:
            regions = [self._detect_in_box(frame, box), region_of_box(box)]
        for region in regions:
            if region is None:
                continue
            for _ in range(_MAX_SETTLE):
                points, score = self._run(frame, region)
                before, region = region, region_of_points(points)
                if _change(before, region) < _SETTLED:
                    break
            if score >= _MIN_NEW_PRESENCE and _acceptable(points, frame.shape, box):
                return points
        return None

    def _run(self, frame: np.ndarray, region: Region) -> tuple[np.ndarray, float]:
        """The network on one region: points in frame pixels, presence score 0..1."""
        scale = region.side / _INPUT
        linear, shift = crop_to_frame(region, _INPUT, scale)
        points, score = self._infer(crop(frame, linear, shift, _INPUT))
        points *= _INPUT
        points[:, :2] = points[:, :2] @ linear.T + shift
        points[:, 2] *= scale
        return points.astype(np.float32), score

    def _infer(self, picture: np.ndarray) -> tuple[np.ndarray, float]:
        """(192, 192, 3) BGR -> (n_points, 3) float64 in units of the crop's side, and score."""
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        outputs = self._graph.process({"image": rgb, "roi": self._whole})
        return _positions(outputs.landmarks), float(getattr(outputs, _SCORE))

    def _detect(
        self, picture: np.ndarray, model: int, merit: Callable[[Any], float]
    ) -> Region | None:
        """Region on the face of greatest merit that a detector finds in a picture."""
        detector = self._detectors.get(model)
        if detector is None:
            with quiet_stderr():
                detector = mediapipe_solutions.face_detection(model_selection=model)
                self._detectors[model] = detector
                detector.process(np.zeros((_INPUT, _INPUT, 3), np.uint8))
        height, width = picture.shape[:2]
        detections = detector.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).detections
        if not detections:
            return None
        face = max((d.location_data for d in detections), key=merit)
        box = face.relative_bounding_box
        right, left = face.relative_keypoints[:2]  # the eyes
        turn = np.arctan2((left.y - right.y) * height, (left.x - right.x) * width)
        x, y, side, _ = region_of_box(
            (box.xmin * width, box.ymin * height, box.width * width, box.height * height)
        )
        return Region(x, y, side, float(turn))

    def _detect_in_box(self, frame: np.ndarray, box: Box) -> Region | None:
        """The same in a square around a box, twice its size, for the face nearest its centre."""
        x, y, w, h = (float(v) for v in box)
        scale = 2 * max(w, h) / _INPUT
        corner = np.array([x + w / 2, y + h / 2]) - scale * _INPUT / 2
        square = crop(frame, scale * np.eye(2), corner, _INPUT)
        region = self._detect(square, _SHORT_RANGE, _central)
        if region is None:
            return None
        cx, cy, side, turn = region
        return Region(corner[0] + scale * cx, corner[1] + scale * cy, scale * side, turn)


def _positions(landmarks: Any) -> np.ndarray:
    """(n, 3) float64 x, y, z of a list of landmarks.

    Read off its bytes: field by field, Python takes a fifth of the network's time for it and lets
    no other thread work meanwhile.
    """
    encoded = landmarks.SerializeToString()
    if len(encoded) != _ENCODED.itemsize * len(landmarks.landmark):  # not just x, y and z
        return np.array([(p.x, p.y, p.z) for p in landmarks.landmark])
    table = np.frombuffer(encoded, _ENCODED)
    return np.stack([table["x"], table["y"], table["z"]], axis=1).astype(float)


def _change(a: Region, b: Region) -> float:
    """How far one region is from another: largest of shift, growth and turn, as share of side."""
    turn = abs(np.angle(np.exp(1j * (a.turn - b.turn)))) / 2  # a corner's way / side, roughly
    moved = max(abs(a.x - b.x), abs(a.y - b.y), abs(a.side - b.side))
    return float(max(moved / b.side, turn))


def _acceptable(points: np.ndarray, shape: tuple[int, ...], box: Box | None) -> bool:
    """Points 2 and 3 of the module's definition of present."""
    height, width = shape[:2]
    xy = points[:N_POINTS_COARSE, :2]
    if ((xy >= 0) & (xy < (width, height))).all(axis=1).mean() < 0.5:
        return False
    if box is None:
        return True
    low, high = xy.min(axis=0), xy.max(axis=0)
    start, size = np.array(box[:2], float), np.array(box[2:], float)
    place = ((low + high) / 2 - start) / size
    growth = max(high - low) / max(size)
    return bool((place > -0.25).all() and (place < 1.25).all() and 0.4 < growth < 2.5)


def _size(location: Any) -> float:
    return location.relative_bounding_box.width * location.relative_bounding_box.height


def _central(location: Any) -> float:
    box = location.relative_bounding_box
    return -np.hypot(box.xmin + box.width / 2 - 0.5, box.ymin + box.height / 2 - 0.5)
