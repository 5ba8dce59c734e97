"""Depth of every frame of a clip: 16-bit PNG on one scale for the whole clip, and its record.

Backends: `mesh` (embedded, the face only; see `mesh_depth`), `dagan`, `depth_anything` (learned).

Value 0 is where there is no depth; from 1, the farthest of the clip, to 65535, the nearest, values
are linear in the backend's own quantity: quantity = offset + scale * value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, Self

import cv2
import numpy as np

from talkingface.clips.clips import clip_frames
from talkingface.faces.landmarks import Landmarks
from talkingface.job.files import read_json, write_json
from talkingface.media.picture import write_picture
from talkingface.media.prefetch import prefetch
from talkingface.networks.backend import load_learned

LEARNED = ("dagan", "depth_anything")
BACKENDS = ("mesh", *LEARNED)
BATCH = 8  # frames a backend is given at once

_FARTHEST, _NEAREST = 1, 65535


class Backend(Protocol):
    """What gives depth: `name`, and the quantity it measures, in words.

    `needs_frames` False: pictures are not decoded for it, and `run` may look at their shape only.
    """

    name: str
    unit: str
    meaning: str
    nearer_is_smaller: bool
    needs_frames: bool

    def limits(self, points: np.ndarray, present: np.ndarray) -> tuple[float, float] | None:
        """Smallest and largest quantity that can occur in a clip with these landmarks.

        None: not known before the clip has been run. Then its maps are written twice.
        """

    def run(self, frames: np.ndarray, points: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Depth of some frames in a row: (B, H, W) float32, NaN where there is none.

        `frames` are (B, H, W, 3) uint8 BGR; `points` (B, 478, 3) and `present` (B,) their
        landmarks (see landmarks.Landmarks).
        """


@dataclass(frozen=True)
class Scale:
    """Between a quantity and the 16 bits of a picture: quantity = offset + scale * value."""

    scale: float = 1.0
    offset: float = 0.0

    @classmethod
    def between(cls, near: float, far: float) -> Self:
        """The scale on which `far` is 1 and `near` is 65535."""
        scale = (near - far) / (_NEAREST - _FARTHEST) or 1.0
        return cls(scale, far - _FARTHEST * scale)

    def encode(self, depth: np.ndarray) -> np.ndarray:
        """float32 quantity -> uint16 values, 0 for NaN; what is beyond the ends is put there."""
        values = np.rint((depth - np.float32(self.offset)) / np.float32(self.scale))
        np.clip(values, _FARTHEST, _NEAREST, out=values)
        return np.nan_to_num(values, copy=False, nan=0).astype(np.uint16)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """uint16 values -> float32 quantity, NaN for 0."""
        depth = (self.offset + self.scale * values).astype(np.float32)
        depth[values == 0] = np.nan
        return depth


def load(
    backend: str = "mesh",
    *,
    model: str | Path | None = None,
    device: str = "auto",
    precision: str = "float32",
    threads: int = 1,
) -> Backend:
    """The backend of this name, one of BACKENDS; ValueError for another.

    model, device, precision, threads: of LEARNED ones, see `learned.load_learned`.
    """
    if backend == "mesh":
        from talkingface.pictures.depth import mesh as mesh_depth

        return mesh_depth.load()
    if backend in LEARNED:
        module = f"talkingface.pictures.depth.{backend}"
        return load_learned(module, model, device=device, precision=precision, threads=threads)
    raise ValueError(f"depth backend {backend!r} is none of {', '.join(BACKENDS)}")


def make_depth(
    backend: Backend,
    video: str | Path,
    landmarks: Landmarks,
    size: tuple[int, int],
    folder: str | Path,
    record: str | Path,
) -> None:
    """Write the depth of one clip: `folder`/000001.png ... (uint16) and the JSON `record`.

    `video` is the clip's mp4, read only if the backend needs it, `size` its width and height,
    `landmarks` those of its N frames: N pictures are written, whether there is a face or not.
    Raises ValueError when the video has another number of frames.
    """
    count = len(landmarks.present)
    if backend.needs_frames:
        batches = prefetch(_batches(clip_frames(video, count)), depth=1)
    else:
        batches = _blank(count, size)
    limits = backend.limits(landmarks.points, landmarks.present)
    maps = prefetch(_maps(backend, batches, landmarks), depth=BATCH)
    scale = write_maps(maps, folder, limits, nearer_is_smaller=backend.nearer_is_smaller)
    write_json(_record(backend, scale, count, size), record)


def write_maps(
    maps: Iterable[np.ndarray],
    folder: str | Path,
    limits: tuple[float, float] | None = None,
    *,
    nearer_is_smaller: bool = True,
) -> Scale:
    """Write (H, W) float32 depth as `000001.png` ... on one scale, which is returned.

    `limits` are the smallest and largest quantity. Without them every map is first written on a
    scale of its own and, when all are known, once more on the common one: memory does not grow,
    and the error is at most one step instead of half a step.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if limits is not None:
        common = _scale(*limits, nearer_is_smaller)
        for number, depth in enumerate(maps, start=1):
            write_picture(common.encode(depth), folder / f"{number:06d}.png")
        return common
    scales: list[Scale] = []
    low, high = np.inf, -np.inf
    for number, depth in enumerate(maps, start=1):
        seen = depth[np.isfinite(depth)]
        own = Scale()
        if seen.size:
            least, most = float(seen.min()), float(seen.max())
            low, high = min(low, least), max(high, most)
            own = _scale(least, most, nearer_is_smaller)
        scales.append(own)
        write_picture(own.encode(depth), folder / f"{number:06d}.png")
    common = _scale(low, high, nearer_is_smaller) if low <= high else Scale()
    for number, own in enumerate(scales, start=1):
        path = folder / f"{number:06d}.png"
        write_picture(common.encode(own.decode(read_map(path))), path)
    return common


def read_map(path: str | Path) -> np.ndarray:
    """The values of one picture, (H, W) uint16: 0 no depth, larger is nearer.

    Raises ValueError when it is missing or no 16-bit grey picture.
    """
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 2:
        raise ValueError(f"{path}: no 16-bit grey picture; make the clip's depth again")
    return values


def read_scale(record: str | Path) -> Scale:
    """The scale in a clip's record."""
    values = read_json(record)
    return Scale(values["scale"], values["offset"])


def _maps(
    backend: Backend, batches: Iterable[np.ndarray], landmarks: Landmarks
) -> Iterator[np.ndarray]:
    done = 0
    for frames in batches:
        part = slice(done, done + len(frames))
        yield from backend.run(frames, landmarks.points[part], landmarks.present[part])
        done += len(frames)


def _batches(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    remaining = iter(frames)
    while batch := list(islice(remaining, BATCH)):
        yield np.stack(batch)


def _blank(count: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Batches of black frames that take no memory."""
    for start in range(0, count, BATCH):
        shape = min(BATCH, count - start), size[1], size[0], 3
        yield np.broadcast_to(np.uint8(0), shape)


def _scale(low: float, high: float, nearer_is_smaller: bool) -> Scale:
    return Scale.between(low, high) if nearer_is_smaller else Scale.between(high, low)


def _record(backend: Backend, scale: Scale, count: int, size: tuple[int, int]) -> dict[str, Any]:
    return {
        "backend": backend.name,
        "n_frames": count,
        "width": size[0],
        "height": size[1],
        "quantity": backend.meaning,
        "unit": backend.unit,
        "scale": scale.scale,
        "offset": scale.offset,
        "formula": "quantity = offset + scale * value; value 1 is the farthest, 65535 the nearest",
        "background": 0,
    }
