"""The mouth of every face in a video: followed by the face mesh, and its shape in the head's frame.

What the head does (place, size, turn) is taken out of the points, frame by frame, so that what is
left is what the face does: lips, jaw and cheeks.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from talkingface.sync.comparison import face_boxes, rows_by_track

if TYPE_CHECKING:
    from talkingface.faces.mesh import FaceMesh

N_POINTS = 468

# Vertices that move with the skull: corners of the eyes, nose, forehead.
RIGID = (
    *(33, 133, 362, 263, 27, 257, 124, 353, 46, 276),
    *(168, 6, 197, 195, 5, 4, 2, 1, 19, 94),
    *(10, 109, 338, 67, 297, 9, 8, 151, 108, 337),
)
# Vertices of the midline inside the lips, upper and lower.
INNER_LIPS = (13, 14)

# Frames a worker follows a face for before it finds it anew.
CHUNK = 64


@dataclass(frozen=True)
class MouthShape:
    """Which vertices make the shape of a mouth, and the mean face they are compared with.

    `mean_face` is (468, 3) float64 in cm (`faces.face_model`), `right` and `left` are (P,) vertices
    that are each other's mirror images; those of the midline are their own.
    """

    mean_face: np.ndarray
    right: np.ndarray
    left: np.ndarray

    @property
    def size(self) -> int:
        """Numbers in a shape, 3 P."""
        return 3 * len(self.right)

    def of(self, points: np.ndarray) -> np.ndarray:
        """Shapes (N, 3 P) float64 in cm of mesh points (N, 468 or more, 3) in pixels.

        Axes are the mean face's, after a similarity of each frame onto its rigid vertices. A face
        speaks with both its halves alike, so a shape is the mean of the face and its mirror image,
        which halves what the network's points jitter. NaN where a frame has no face.
        """
        shapes = np.full((len(points), self.size), np.nan)
        seen = np.isfinite(points[:, :N_POINTS]).all(axis=(1, 2))
        if seen.any():
            upright = self._upright(points[seen, :N_POINTS].astype(np.float64))
            mirrored = upright[:, self.left] * (-1.0, 1.0, 1.0)
            shapes[seen] = ((upright[:, self.right] + mirrored) / 2).reshape(seen.sum(), -1)
        return shapes

    def _upright(self, points: np.ndarray) -> np.ndarray:
        """The same points on the mean face: least-squares similarity of the rigid vertices."""
        points = points * (1.0, -1.0, -1.0)  # y up, z to the camera
        rigid, aim = points[:, RIGID], self.mean_face[list(RIGID)]
        centre, aim_centre = rigid.mean(axis=1, keepdims=True), aim.mean(axis=0)
        rigid = rigid - centre
        # Umeyama 1991, doi 10.1109/34.88573, for rows of coordinates.
        left, values, right = np.linalg.svd(rigid.transpose(0, 2, 1) @ (aim - aim_centre))
        signs = np.ones_like(values)
        signs[:, 2] = np.sign(np.linalg.det(left @ right))
        rotations = (left * signs[:, None]) @ right
        scales = (values * signs).sum(axis=1) / np.maximum((rigid**2).sum(axis=(1, 2)), 1e-9)
        return scales[:, None, None] * ((points - centre) @ rotations) + aim_centre


def mouth_opening(points: np.ndarray) -> np.ndarray:
    """Height between the inner lips, (N,) float64 in lengths of the nose, of mesh points
    (N, 468 or more, 3) in pixels; NaN where a frame has no face."""
    upper, lower = points[:, INNER_LIPS[0]], points[:, INNER_LIPS[1]]
    nose = np.linalg.norm(points[:, 168] - points[:, 2], axis=1)
    return np.linalg.norm(upper - lower, axis=1) / np.maximum(nose, 1e-9)


def follow_mouths(
    frames: Iterable[np.ndarray],
    tracks: np.recarray,
    scale_at: Callable[[int], float],
    threads: int,
    measure: Callable[[np.ndarray], np.ndarray],
) -> dict[int, np.ndarray]:
    """What `measure` says of the face mesh of every track, frame by frame.

    `frames` are the analysis copy's (H, W, 3) uint8 BGR frames in grid order, `tracks` a table
    TRACKS, `scale_at` gives source pixels per pixel of the copy at a grid frame. `measure` is
    given the (n, 468, 3) float32 points of some frames in a row, in the copy's pixels, NaN where no
    face was seen, and gives (n, C); the points themselves are not kept. Gives (N, C) float32 for
    every track.
    Raises ValueError when `frames` end before the last track does.
    """
    from talkingface.faces.mesh import FaceMesh

    by_track = rows_by_track(tracks)
    measured: dict[int, list[np.ndarray]] = {number: [] for number in by_track}
    meshes = threading.local()
    opened: list[FaceMesh] = []

    def follow(chunk: _Chunk) -> tuple[int, np.ndarray]:
        if not hasattr(meshes, "mesh"):
            meshes.mesh = FaceMesh(refine=False)
            opened.append(meshes.mesh)
        meshes.mesh.reset()
        pictures, chunk.pictures = chunk.pictures, []
        points = np.full((len(pictures), N_POINTS, 3), np.nan, np.float32)
        for i, picture in enumerate(pictures):
            mesh = meshes.mesh.follow(picture, chunk.boxes[i])
            if mesh is not None:
                points[i] = mesh
        points[:, :, :2] += chunk.corner
        return chunk.track, measure(points).astype(np.float32)

    def store(future: Future[tuple[int, np.ndarray]]) -> None:
        track, part = future.result()
        measured[track].append(part)

    # Chunks are bounded by frame number, so the result does not depend on the number of threads;
    # those of a track come in order, for it has one at a time.
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[tuple[int, np.ndarray]]] = deque()
        for chunk in _with_pictures(frames, _chunks(by_track, scale_at)):
            waiting.append(pool.submit(follow, chunk))
            if len(waiting) > threads + 1:
                store(waiting.popleft())
        for future in waiting:
            store(future)
    for mesh in opened:
        mesh.close()
    return {number: np.concatenate(parts) for number, parts in measured.items()}


@dataclass
class _Chunk:
    """Some frames of a track in a row: where its face is cropped, (x, y) and (width, height), and
    the face's boxes in the crop."""

    track: int
    start: int
    corner: tuple[int, int]
    size: tuple[int, int]
    boxes: np.ndarray
    pictures: list[np.ndarray] = field(default_factory=list)


def _chunks(by_track: dict[int, np.recarray], scale_at: Callable[[int], float]) -> list[_Chunk]:
    """Stretches of up to CHUNK frames of one track, each with one crop that holds the face."""
    chunks = []
    for number, rows in by_track.items():
        frames = rows["frame"]
        boxes = face_boxes(rows) / scale_at(int(frames[0]))
        for i in range(0, len(frames), CHUNK):
            part = boxes[i : i + CHUNK]
            # Half a face around: the mesh looks at 1.5 times the face.
            margin = 0.5 * part[:, 2:].max()
            low = np.maximum(np.floor(part[:, :2].min(axis=0) - margin), 0).astype(int)
            high = np.ceil((part[:, :2] + part[:, 2:]).max(axis=0) + margin).astype(int)
            relative = part - [*low, 0, 0]
            size = (int(high[0] - low[0]), int(high[1] - low[1]))
            corner = (int(low[0]), int(low[1]))
            chunks.append(_Chunk(number, int(frames[i]), corner, size, relative))
    return sorted(chunks, key=lambda chunk: chunk.start)


def _with_pictures(frames: Iterable[np.ndarray], chunks: list[_Chunk]) -> Iterator[_Chunk]:
    """Give every chunk its pictures while the frames go by."""
    waiting = deque(chunks)
    # The list would keep every chunk's pictures until the end.
    del chunks
    filling: list[_Chunk] = []
    for k, frame in enumerate(frames):
        while waiting and waiting[0].start == k:
            filling.append(waiting.popleft())
        for chunk in filling:
            (x, y), (w, h) = chunk.corner, chunk.size
            chunk.pictures.append(frame[y : y + h, x : x + w].copy())
        for chunk in [c for c in filling if len(c.pictures) == len(c.boxes)]:
            filling.remove(chunk)
            yield chunk
    if waiting or filling:
        last = max(chunk.start + len(chunk.boxes) - 1 for chunk in [*waiting, *filling])
        raise ValueError(f"the frames end before frame {last} of the last track")
