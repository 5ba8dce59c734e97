"""Faces followed through each shot: detections on every k-th frame, linked and interpolated.

Frames are sampled at each shot's first frame, every `every` frames after it and at its last
frame, so tracks reach the cuts; a track never crosses one.

**Linking.** syncnet_python links a face to the last box when IoU > 0.5, frame by frame. Between
samples five frames apart a walking person moves by more than a face width, so a face is looked
for where its track's velocity puts it, and a detection may continue a track when

- its IoU with the predicted (or the last) box is above SAME_IOU, or
- its centre lies within REACH face sizes of the predicted one, REACH growing with the time since
  the last detection, and its size within SIZE_RATIO; a track of one detection knows no velocity,
  nor does one that was out of sight for more than two samples and may have turned round meanwhile,
  so they get NEW_REACH, but must look alike by their thumbnails.

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
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from talkingface.faces import appearance, detection
from talkingface.faces.detection import box_overlaps
from talkingface.job.tables import empty_table, read_table, table_of_columns, write_table
from talkingface.shots.proxy import proxy_frames, read_proxy
from talkingface.tables import SCENES, TRACKS

log = logging.getLogger(__name__)

# Given frames of one shot in order, the faces of each: (K, 5) x, y, w, h, score.
Detect = Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]

# Sampled frames of one shot per call of the detector, which may search only the first of them
# thoroughly: once a second at the default sampling, and at the start of every shot.
BATCH = 5
IN_FLIGHT = 2  # batches detected or waiting while the next frames are decoded

SAME_IOU = 0.5
# Distances in face sizes (the geometric mean of the box's sides).
REACH, REACH_PER_FRAME, REACH_MOST = 0.35, 0.05, 1.2
NEW_REACH_PER_FRAME, NEW_REACH_MOST = 0.3, 1.5  # 0.3 a frame: a person walking briskly
SIZE_RATIO, NEW_SIZE_RATIO = 1.8, 1.4
# Mean absolute difference of thumbnails, 0 to 1; it is 0.02 to 0.1 for the same face.
NEW_DIFFERENCE = 0.2
DIFFERENCE_WEIGHT = 3.0  # of that difference against the distance, in the cost
LAST_PENALTY = 1.5  # a face that stopped is nearer to its last box than to the predicted one


def make_tracks(
    video: str | Path,
    record: str | Path,
    scenes: str | Path,
    tracks: str | Path,
    *,
    every: int,
    min_confidence: float,
    max_gap: int,
    max_change: float | None,
    threads: int = 1,
) -> None:
    """Write the table `tracks` (TRACKS) of a video.

    `video` and `record` are its analysis copy and what `shots.proxy` says of it, `scenes` its table
    of shots. See `track_faces` for the settings. Where there are no shots, nothing is loaded.
    """
    shots = read_table(scenes, SCENES)
    if not len(shots):
        write_table(empty_table(TRACKS), tracks, TRACKS)
        return
    with detection.load(threads=threads) as detector:
        table = track_faces(
            proxy_frames(video),
            shots,
            detector.follow,
            every=every,
            min_confidence=min_confidence,
            max_gap=max_gap,
            max_change=max_change,
            threads=threads,
        )
    proxy = read_proxy(record)
    scales = np.array([proxy.scale_at(start) for start in shots.start_frame])
    of_row = scales[np.searchsorted(shots.start_frame, table.frame, "right") - 1]
    for name in ("x", "y", "w", "h"):
        table[name] = (table[name] * of_row).round(2)
    table["confidence"] = table["confidence"].round(3)
    write_table(table, tracks, TRACKS)


class _Face(NamedTuple):
    """A detection: its box (x, y, w, h), its score, and two small pictures of it, one to link it
    (`_thumbnail`) and one to tell whether it is still the same face (`appearance.look`)."""

    box: np.ndarray
    score: float
    thumbnail: np.ndarray
    look: np.ndarray


@dataclass
class _Track:
    """One face inside one shot: its sampled frames, boxes (x, y, w, h) and scores."""

    frames: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    velocity: np.ndarray | None = None  # px a frame, of the centre; None: not known
    thumbnail: np.ndarray | None = None
    looks: list[np.ndarray] = field(default_factory=list)

    def add(self, frame: int, face: _Face, every: int) -> None:
        box, thumbnail = face.box, face.thumbnail
        gap = frame - self.frames[-1] if self.frames else 0
        if gap > 2 * every:
            self.velocity = None
        elif gap:
            speed = (_centre(box) - _centre(self.boxes[-1])) / gap
            known = self.velocity is not None
            self.velocity = 0.6 * speed + 0.4 * self.velocity if known else speed
        first = self.thumbnail is None
        self.thumbnail = thumbnail if first else 0.7 * self.thumbnail + 0.3 * thumbnail
        self.frames.append(frame)
        self.boxes.append(box)
        self.scores.append(face.score)
        self.looks.append(face.look)

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


def _seen(image: np.ndarray, face: np.ndarray) -> _Face:
    """A detection (x, y, w, h, score) in an image."""
    box = face[:4]
    return _Face(box, float(face[4]), _thumbnail(image, box), appearance.look(image, box))


def _cost(track: _Track, frame: int, face: _Face) -> float:
    """Cost of continuing `track` with this detection; inf when it may not."""
    box = face.box
    gap = frame - track.frames[-1]
    last, predicted = track.boxes[-1], track.predicted(frame)
    size = _size(last)
    ratio = _size(box) / size
    ratio = max(ratio, 1 / ratio)
    to_predicted = float(np.linalg.norm(_centre(box) - _centre(predicted))) / size
    to_last = float(np.linalg.norm(_centre(box) - _centre(last))) / size
    difference = float(np.abs(face.thumbnail - track.thumbnail).mean())
    overlap = box_overlaps(box, np.stack([predicted, last]))[0].max()
    if track.velocity is None:
        reach = min(NEW_REACH_PER_FRAME * gap, NEW_REACH_MOST)
        near = to_last < reach and ratio < NEW_SIZE_RATIO and difference < NEW_DIFFERENCE
    else:
        near = to_predicted < min(REACH + REACH_PER_FRAME * gap, REACH_MOST) and ratio < SIZE_RATIO
    if not near and overlap <= SAME_IOU:
        return np.inf
    distance = min(to_predicted, LAST_PENALTY * to_last)
    return distance + abs(np.log(ratio)) + DIFFERENCE_WEIGHT * difference


def _link(
    tracks: list[_Track], frame: int, faces: Sequence[_Face], every: int, max_gap: int
) -> None:
    """Add a sampled frame's faces to the tracks of its shot, or as new tracks, in place."""
    live = [track for track in tracks if frame - track.frames[-1] <= max_gap]
    taken: set[int] = set()
    if live and faces:
        cost = np.array([[_cost(track, frame, face) for face in faces] for track in live])
        for i, j in _pairs(cost):
            live[i].add(frame, faces[j], every)
            taken.add(j)
    for j, face in enumerate(faces):
        if j not in taken:
            tracks.append(_Track())
            tracks[-1].add(frame, face, every)


def _one_person_each(track: _Track, max_change: float | None) -> list[_Track]:
    """A track, cut where its face becomes another's."""
    if max_change is None:
        return [track]
    changed = appearance.changes(track.frames, track.looks, max_change)
    starts = [0, *(second for _, second in changed)]
    ends = [*(first + 1 for first, _ in changed), len(track.frames)]
    return [
        _Track(track.frames[a:b], track.boxes[a:b], track.scores[a:b])
        for a, b in zip(starts, ends, strict=True)
    ]


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
    frames: Iterable[np.ndarray], scenes: np.recarray, every: int
) -> Iterator[tuple[int, int, np.ndarray]]:
    """(row of the scene, frame, image) of every sampled frame, in order."""
    scene_of = {
        frame: i
        for i, scene in enumerate(scenes)
        for frame in sampled_frames(scene.start_frame, scene.end_frame, every)
    }
    if not scene_of:
        return
    last = max(scene_of)
    for frame, image in enumerate(frames):
        if frame in scene_of:
            yield scene_of[frame], frame, image
        if frame == last:
            return
    raise ValueError(f"the frames end before frame {last} of the last scene")


def _detected(
    samples: Iterable[tuple[int, int, np.ndarray]], detect: Detect, threads: int
) -> Iterator[tuple[int, int, list[_Face]]]:
    """(row of the scene, frame, faces) in order, detecting while frames are decoded."""

    def work(batch: list[tuple[int, int, np.ndarray]]) -> list[tuple]:
        found = detect([image for _, _, image in batch])
        out = []
        for (scene, frame, image), faces in zip(batch, found, strict=True):
            boxes = np.asarray(faces, np.float64).reshape(-1, 5)
            out.append((scene, frame, [_seen(image, box) for box in boxes]))
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


def _rows(track: _Track, number: int, scene: int, sampled: np.ndarray, scale: float) -> np.recarray:
    """A row per frame from the track's first to its last detection, boxes times `scale`."""
    at = np.array(track.frames)
    centre_size = np.array([[*_centre(b), *b[2:4]] for b in track.boxes])
    frames = np.arange(at[0], at[-1] + 1)
    cx, cy, w, h = (np.interp(frames, at, centre_size[:, i]) * scale for i in range(4))
    # A frame is supported when the samples on both sides of it (or itself) are detections.
    before = sampled[np.searchsorted(sampled, frames, "right") - 1]
    after = sampled[np.searchsorted(sampled, frames, "left")]
    return table_of_columns(
        TRACKS,
        {
            "track": np.full(len(frames), number),
            "scene": np.full(len(frames), scene),
            "frame": frames,
            "x": cx - w / 2,
            "y": cy - h / 2,
            "w": w,
            "h": h,
            "confidence": np.interp(frames, at, track.scores),
            "detected": (np.isin(before, at) & np.isin(after, at)).astype(int),
        },
    )


def track_faces(
    frames: Iterable[np.ndarray],
    scenes: np.recarray,
    detect: Detect,
    *,
    every: int,
    min_confidence: float,
    max_gap: int,
    max_change: float | None,
    scale: float = 1.0,
    threads: int = 1,
) -> np.recarray:
    """Find and follow the faces of a video: a table TRACKS, one row per frame and track.

    `frames`: (H, W, 3) uint8 BGR on the 25 fps grid, in order from frame 0; a few dozen sampled
    ones are held at a time. `scenes`: a table SCENES, in order, not overlapping. `detect`: such as
    `detection.FaceDetector.follow`; the frames of one call are of one shot, in order. It is called
    from `threads` other threads, which does not change the result. `every`: frames between
    detections. `min_confidence`: a track needs one detection with this score; weaker ones only
    continue it. `max_gap`: frames between two detections of one track, at most. `max_change`: a
    track ends where its face has changed by this much in a while (`appearance`); None for any.
    `scale`: boxes are multiplied by it (source size / frame size).

    The table is ordered by track, then frame; tracks are numbered by scene, first frame and x.
    `detected` is 1 when the frame was detected or lies between two neighbouring samples that both
    were (so its mean does not depend on `every`), 0 when a sample beside it missed the face. The
    log says how many tracks were left out for their confidence.
    Raises ValueError when the frames end before the scenes, or a setting makes no sense.
    """
    if every < 1 or max_gap < every:
        raise ValueError(f"every={every} must be 1 or more, and at most max_gap={max_gap}")
    if not scale > 0:
        raise ValueError(f"scale is {scale}, not positive")
    end = 0
    for scene in scenes:
        if not end <= scene.start_frame < scene.end_frame:
            raise ValueError(f"scene {scene.scene} is empty, out of order or overlaps")
        end = scene.end_frame

    def finished(tracks: list[_Track]) -> list[_Track]:
        return [part for track in tracks for part in _one_person_each(track, max_change)]

    followed: list[list[_Track]] = [[] for _ in scenes]
    samples = _samples(frames, scenes, every)
    current = 0
    for row, frame, faces in _detected(samples, detect, threads):
        if row != current:
            followed[current] = finished(followed[current])
            current = row
        _link(followed[row], frame, faces, every, max_gap)
    if len(scenes):
        followed[current] = finished(followed[current])

    parts: list[np.recarray] = []
    dropped = 0
    for scene, tracks in zip(scenes, followed, strict=True):
        sampled = np.array(sampled_frames(scene.start_frame, scene.end_frame, every))
        for track in sorted(tracks, key=lambda t: (t.frames[0], t.boxes[0][0])):
            if max(track.scores) < min_confidence:
                dropped += 1
            else:
                parts.append(_rows(track, len(parts), scene.scene, sampled, scale))
    log.info(
        "%d tracks in %d scenes; left out: %d below confidence %g",
        len(parts), len(scenes), dropped, min_confidence,
    )  # fmt: skip
    return np.concatenate([empty_table(TRACKS), *parts]).view(np.recarray)
