"""Faces followed through each shot: detections on every k-th frame, linked and interpolated.

Frames are sampled at each shot's first frame, every ``every`` frames after it and at its last
frame, so tracks reach the cuts; a track never crosses one.

**Linking.** syncnet_python links a face to the last box when IoU > 0.5, frame by frame. Between
samples five frames apart a walking person moves by more than a face width, so a face is looked
for where its track's velocity puts it, and a detection may continue a track when

- its IoU with the predicted (or the last) box is above ``iou``, or
- its centre lies within REACH face sizes of the predicted one, REACH growing with the time since
  the last detection, and its size within SIZE_RATIO; a track of one detection knows no velocity,
  nor does one that was out of sight for more than two samples and may have turned round meanwhile,
  so they get NEW_REACH, but must look alike.

All pairs of a frame are settled at once (Hungarian algorithm) by distance, change of size and
difference of an 8 x 8 thumbnail, which is what keeps two people apart when one passes before the
other.

**Numbers.** Between two detections boxes and confidence are linear in time. Boxes are not
smoothed: averaging neighbouring detections 1:2:1 moved the mean IoU with the face mesh's hull by
0.001 on real footage and lagged behind fast moves; the crop stage takes a median anyway.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
import pandas as pd

from talkingface.faces.detection import box_overlaps

log = logging.getLogger(__name__)

COLUMNS = ["track", "scene", "frame", "x", "y", "w", "h", "confidence", "detected"]

Detector = Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]

# Sampled frames of one shot per call of the detector, which may search only the first of them
# thoroughly: once a second at the default sampling, and at the start of every shot.
BATCH = 5
IN_FLIGHT = 2  # batches detected or waiting while the next frames are decoded

# Distances in face sizes (the geometric mean of the box's sides).
REACH, REACH_PER_FRAME, REACH_MOST = 0.35, 0.05, 1.2
NEW_REACH_PER_FRAME, NEW_REACH_MOST = 0.3, 1.5  # 0.3 a frame: a person walking briskly
SIZE_RATIO, NEW_SIZE_RATIO = 1.8, 1.4
NEW_LOOK = 0.2  # mean absolute difference of thumbnails (0 to 1); the same face: 0.02 to 0.1
LOOK_WEIGHT = 3.0  # of the thumbnail against the distance, in the cost
LAST_PENALTY = 1.5  # a face that stopped is nearer to its last box than to the predicted one


@dataclass
class _Track:
    """One face inside one shot: its sampled frames, boxes (x, y, w, h) and scores."""

    frames: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    velocity: np.ndarray | None = None  # px a frame, of the centre; None: not known
    look: np.ndarray | None = None

    def add(self, frame: int, box: np.ndarray, score: float, look: np.ndarray, every: int) -> None:
        gap = frame - self.frames[-1] if self.frames else 0
        if gap > 2 * every:
            self.velocity = None
        elif gap:
            speed = (_centre(box) - _centre(self.boxes[-1])) / gap
            known = self.velocity is not None
            self.velocity = 0.6 * speed + 0.4 * self.velocity if known else speed
        self.look = look if self.look is None else 0.7 * self.look + 0.3 * look
        self.frames.append(frame)
        self.boxes.append(box)
        self.scores.append(score)

    def predicted(self, frame: int) -> np.ndarray:
        box = self.boxes[-1].copy()
        if self.velocity is not None:
            box[:2] += self.velocity * (frame - self.frames[-1])
        return box


def _centre(box: np.ndarray) -> np.ndarray:
    return box[:2] + box[2:4] / 2


def _size(box: np.ndarray) -> float:
    return float(np.sqrt(max(box[2] * box[3], 1e-6)))


def _thumbnail(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The face as 8 x 8 BGR (8, 8, 3) float32 from 0 to 1; grey where it has left the frame."""
    x0, y0 = np.floor(np.maximum(box[:2], 0)).astype(int)
    x1, y1 = np.ceil(box[:2] + box[2:4]).astype(int)
    face = image[y0 : max(y1, 0), x0 : max(x1, 0)]
    if face.size == 0:
        return np.full((8, 8, 3), 0.5, np.float32)
    return cv2.resize(face, (8, 8), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _cost(track: _Track, frame: int, box: np.ndarray, look: np.ndarray, iou: float) -> float:
    """Cost of continuing ``track`` with this detection; inf when it may not."""
    gap = frame - track.frames[-1]
    last, predicted = track.boxes[-1], track.predicted(frame)
    size = _size(last)
    ratio = _size(box) / size
    ratio = max(ratio, 1 / ratio)
    to_predicted = float(np.linalg.norm(_centre(box) - _centre(predicted))) / size
    to_last = float(np.linalg.norm(_centre(box) - _centre(last))) / size
    unlike = float(np.abs(look - track.look).mean())
    overlap = box_overlaps(box, np.stack([predicted, last]))[0].max()
    if track.velocity is None:
        reach = min(NEW_REACH_PER_FRAME * gap, NEW_REACH_MOST)
        near = to_last < reach and ratio < NEW_SIZE_RATIO and unlike < NEW_LOOK
    else:
        near = to_predicted < min(REACH + REACH_PER_FRAME * gap, REACH_MOST) and ratio < SIZE_RATIO
    if not near and overlap <= iou:
        return np.inf
    return min(to_predicted, LAST_PENALTY * to_last) + abs(np.log(ratio)) + LOOK_WEIGHT * unlike


def _link(
    tracks: list[_Track],
    frame: int,
    faces: np.ndarray,
    looks: Sequence[np.ndarray],
    iou: float,
    every: int,
    max_gap: int,
) -> None:
    """Add a sampled frame's faces (K, 5) to the tracks of its shot, or as new tracks, in place."""
    live = [track for track in tracks if frame - track.frames[-1] <= max_gap]
    taken: set[int] = set()
    if live and len(faces):
        pairs = list(zip(faces, looks, strict=True))
        cost = np.array([[_cost(t, frame, f[:4], look, iou) for f, look in pairs] for t in live])
        for i, j in _pairs(cost):
            live[i].add(frame, faces[j, :4], float(faces[j, 4]), looks[j], every)
            taken.add(j)
    for j, face in enumerate(faces):
        if j not in taken:
            tracks.append(_Track())
            tracks[-1].add(frame, face[:4], float(face[4]), looks[j], every)


def _pairs(cost: np.ndarray) -> list[tuple[int, int]]:
    """(row, column) of the assignment of least cost, by row; cost inf: never.

    As many are assigned as can be, and each row and column once at most.
    """
    possible = np.isfinite(cost)
    rows, columns = np.nonzero(possible)
    if (possible.sum(axis=0) > 1).any() or (possible.sum(axis=1) > 1).any():
        # Imported only for faces that compete: it takes longer than the rest of what is imported.
        from scipy.optimize import linear_sum_assignment

        never = 1e6
        rows, columns = linear_sum_assignment(np.where(possible, cost, never))
    return [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if possible[i, j]]


def sampled_frames(start: int, end: int, every: int) -> list[int]:
    """Frames of the shot [start, end) to detect: every k-th from its start, and its last."""
    return sorted({*range(start, end, every), end - 1})


def _samples(
    frames: Iterable[np.ndarray], scenes: Sequence[tuple[int, int, int]], every: int
) -> Iterator[tuple[int, int, np.ndarray]]:
    """(position of the scene in the list, frame, image) of every sampled frame, in order."""
    wanted = {f: i for i, (_, s, e) in enumerate(scenes) for f in sampled_frames(s, e, every)}
    if not wanted:
        return
    last = max(wanted)
    for frame, image in enumerate(frames):
        if frame in wanted:
            yield wanted[frame], frame, image
        if frame == last:
            return
    raise ValueError(f"the frames end before frame {last} of the last scene")


def _detected(
    samples: Iterable[tuple[int, int, np.ndarray]], detector: Detector, threads: int
) -> Iterator[tuple[int, int, np.ndarray, list[np.ndarray]]]:
    """(scene position, frame, faces, thumbnails) in order, detecting while frames are decoded."""

    def work(batch: list[tuple[int, int, np.ndarray]]) -> list[tuple]:
        found = detector([image for _, _, image in batch])
        out = []
        for (scene, frame, image), faces in zip(batch, found, strict=True):
            faces = np.asarray(faces, np.float64).reshape(-1, 5)
            out.append((scene, frame, faces, [_thumbnail(image, f[:4]) for f in faces]))
        return out

    waiting: deque[Future] = deque()
    batch: list[tuple[int, int, np.ndarray]] = []
    with ThreadPoolExecutor(threads, "detect") as pool:
        try:
            for sample in samples:
                if len(batch) == BATCH or (batch and sample[0] != batch[0][0]):
                    waiting.append(pool.submit(work, batch))
                    batch = []
                batch.append(sample)
                if len(waiting) > threads + IN_FLIGHT:
                    yield from waiting.popleft().result()
            if batch:
                waiting.append(pool.submit(work, batch))
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _rows(track: _Track, scene: int, sampled: np.ndarray, scale: float) -> pd.DataFrame:
    """A row per frame from the track's first to its last detection, boxes times ``scale``."""
    at = np.array(track.frames)
    centre_size = np.array([[*_centre(b), *b[2:4]] for b in track.boxes])
    frames = np.arange(at[0], at[-1] + 1)
    cx, cy, w, h = (np.interp(frames, at, centre_size[:, i]) * scale for i in range(4))
    # A frame is supported when the samples on both sides of it (or itself) are detections.
    before = sampled[np.searchsorted(sampled, frames, "right") - 1]
    after = sampled[np.searchsorted(sampled, frames, "left")]
    return pd.DataFrame(
        {
            "scene": scene,
            "frame": frames,
            "x": cx - w / 2,
            "y": cy - h / 2,
            "w": w,
            "h": h,
            "confidence": np.interp(frames, at, track.scores),
            "detected": (np.isin(before, at) & np.isin(after, at)).astype(int),
        }
    )


def track_faces(
    frames: Iterable[np.ndarray],
    scenes: Sequence[tuple[int, int, int]],
    detector: Detector,
    *,
    every: int = 5,
    iou: float = 0.5,
    max_gap: int = 25,
    min_confidence: float = 0.75,
    min_frames: int = 1,
    scale: float = 1.0,
    threads: int = 1,
) -> pd.DataFrame:
    """Find and follow the faces of a video; one row per frame and track, columns COLUMNS.

    ``frames``: (H, W, 3) uint8 BGR on the 25 fps grid, in order from frame 0; a few dozen sampled
    ones are held at a time. ``scenes``: (scene, start_frame, end_frame), in order, end exclusive,
    not overlapping. ``detector``: takes a list of frames, returns per frame an array (K, 5) of
    x, y, w, h, score (`detection.FaceDetector.follow`); the frames of one call are of one shot, in
    order. It is called from ``threads`` other threads, which does not change the result.
    ``every``: frames between detections. ``iou``: see the module. ``max_gap``: frames between two
    detections of one track, at most. ``min_confidence``: a track needs one detection with this
    score; weaker ones only continue it. ``min_frames``: shortest track kept. ``scale``: boxes are
    multiplied by it (source size / frame size).

    The table is ordered by track, then frame; tracks are numbered by scene, first frame and x.
    ``detected`` is 1 when the frame was detected or lies between two neighbouring samples that
    both were (so its mean does not depend on ``every``), 0 when a sample beside it missed the
    face. ``attrs["dropped"]`` counts the tracks that the two minima left out, by name.
    Raises ValueError when the frames end before the scenes, or a setting makes no sense.
    """
    scenes = [(int(n), int(s), int(e)) for n, s, e in scenes]
    if every < 1 or max_gap < every:
        raise ValueError(f"every={every} must be 1 or more, and at most max_gap={max_gap}")
    if not scale > 0:
        raise ValueError(f"scale is {scale}, not positive")
    for k, (_, start, end) in enumerate(scenes):
        if not (scenes[k - 1][2] if k else 0) <= start < end:
            raise ValueError(f"scene {scenes[k]} is empty, out of order or overlaps")
    found: list[list[_Track]] = [[] for _ in scenes]
    samples = _samples(frames, scenes, every)
    for position, frame, faces, looks in _detected(samples, detector, threads):
        _link(found[position], frame, faces, looks, iou, every, max_gap)

    dropped = {"min_confidence": 0, "min_frames": 0}
    parts: list[pd.DataFrame] = []
    for (scene, start, end), tracks in zip(scenes, found, strict=True):
        sampled = np.array(sampled_frames(start, end, every))
        for track in sorted(tracks, key=lambda t: (t.frames[0], t.boxes[0][0])):
            if max(track.scores) < min_confidence:
                dropped["min_confidence"] += 1
            elif track.frames[-1] - track.frames[0] + 1 < min_frames:
                dropped["min_frames"] += 1
            else:
                rows = _rows(track, scene, sampled, scale)
                rows.insert(0, "track", len(parts))
                parts.append(rows)
    log.info(
        "%d tracks in %d scenes; left out: %d below confidence %g, %d shorter than %d frames",
        len(parts), len(scenes), dropped["min_confidence"], min_confidence,
        dropped["min_frames"], min_frames,
    )  # fmt: skip
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    table = table[COLUMNS]
    table.attrs["dropped"] = dropped
    return table
