"""Depth of every frame of a clip: 16-bit PNG on one scale for the whole clip, and its record.

Backends: `mesh` (embedded, the face only), `dagan`, `depth_anything` (learned).

Value 0 is where there is no depth; from 1, the farthest of the clip, to 65535, the nearest, values
are linear in the quantity that the backend measures: quantity = offset + scale * value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from talkingface.faces.landmark_files import Landmarks
from talkingface.job.files import DamagedFile, write_json
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.media.picture import read_picture
from talkingface.media.prefetch import prefetch
from talkingface.models.store import StoredModel
from talkingface.networks.backend import load_learned
from talkingface.pictures.batches import BATCH, clip_landmarks, run_in_batches
from talkingface.pictures.depth.scale import Scale
from talkingface.pictures.numbered import numbered_path, write_numbered
from talkingface.tables import DEPTH

LEARNED = ("dagan", "depth_anything")
BACKENDS = ("mesh", *LEARNED)


class Backend(Protocol):
    """A loaded backend, for any number of clips one after another.

    `name`: one of BACKENDS. `quantity`: what it measures, in words, and `unit` its unit.
    `nearer_is_smaller`: the quantity's direction. `needs_frames`: where it is False, pictures are
    not decoded for it, and `run` may look at their shape only.
    """

    name: str
    quantity: str
    unit: str
    nearer_is_smaller: bool
    needs_frames: bool

    def limits(self, points: np.ndarray, present: np.ndarray) -> tuple[float, float] | None:
        """Smallest and largest quantity that can occur in a clip with these landmarks.

        points: (N, 478, 3) float32. present: (N,) bool. Returns None where that is not known before
        the clip has been run. Then its maps are written twice.
        """

    def run(
        self, frames: Sequence[np.ndarray], points: np.ndarray, present: np.ndarray
    ) -> np.ndarray:
        """Depth of a batch of frames of one size.

        frames: B of (H, W, 3) uint8 BGR. points: (B, 478, 3) float32, the mesh in frame pixels (a
        backend may ignore it). present: (B,) bool, whether there is a face; where not, points are
        NaN. Returns (B, H, W) float32, NaN where there is no depth.
        """


def load(
    name: str, *, model: StoredModel | None, device: str, precision: str, threads: int
) -> Backend:
    """Load a backend.

    name: one of BACKENDS. model, device, precision, threads: of LEARNED ones, see `load_learned`.
    Raises ValueError for another name, and what `load_learned` raises.
    """
    if name == "mesh":
        # As of the learned ones, the module is imported only where it is chosen.
        from talkingface.pictures.depth.mesh import MeshDepth

        return MeshDepth()
    if name in LEARNED:
        module = f"talkingface.pictures.depth.{name}"
        return load_learned(module, model, device=device, precision=precision, threads=threads)
    raise ValueError(f"depth backend {name!r} is none of {', '.join(BACKENDS)}")


def make_depth(
    clips: Sequence[Clip],
    landmarks: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    backend: str,
    model: StoredModel | None,
    device: str,
    precision: str,
    threads: int,
) -> None:
    """Make the depth of the clips: pictures and a record for each, and the table DEPTH.

    landmarks: the clips' folder of landmarks. backend and the others: see `load`; without clips
    nothing is loaded.
    """
    loaded: Backend | None = None
    if clips:
        loaded = load(backend, model=model, device=device, precision=precision, threads=threads)
    cells = {"backend": backend, "sha256": model.weights_sha256 if model else ""}

    def make(clip: Clip, into: Path) -> dict[str, str]:
        marks, record = clip_landmarks(landmarks, clip), into / f"{clip.clip_id}.json"
        write_depth(loaded, clip, marks, into / clip.clip_id, record)
        return cells

    make_for_clips(make, clips, folder, manifest, DEPTH)


def write_depth(
    backend: Backend,
    clip: Clip,
    landmarks: Landmarks,
    folder: str | Path,
    record: str | Path,
) -> None:
    """Write the depth of one clip: `folder`/000001.png ... (uint16) and the JSON `record`.

    clip: its video is decoded only if the backend needs that. landmarks: of its N frames; N
    pictures are written, whether there is a face or not.
    Raises ValueError when the video or the landmarks have another number of frames.
    """
    if backend.needs_frames:
        frames = prefetch(clip.frames(), depth=BATCH)
    else:
        frames = repeat(_blank(clip.height, clip.width), clip.n_frames)
    limits = backend.limits(landmarks.points, landmarks.present)
    maps = prefetch(run_in_batches(backend.run, frames, landmarks), depth=BATCH)
    scale = write_maps(maps, folder, limits, nearer_is_smaller=backend.nearer_is_smaller)
    write_json(_record(backend, scale, clip), record)


def write_maps(
    maps: Iterable[np.ndarray],
    folder: str | Path,
    limits: tuple[float, float] | None,
    *,
    nearer_is_smaller: bool,
) -> Scale:
    """Write (H, W) float32 depth as `000001.png` ... on one scale, which is returned.

    limits: the smallest and largest quantity. Where they are None, every map is first written on a
    scale of its own and, when all are known, once more on the common one: memory does not grow, and
    the error is at most one step instead of half a step.
    """
    if limits is not None:
        common = _scale(*limits, nearer_is_smaller)
        write_numbered((common.encode(depth) for depth in maps), folder)
        return common
    scales: list[Scale] = []
    low, high = np.inf, -np.inf

    def on_scales_of_their_own() -> Iterator[np.ndarray]:
        nonlocal low, high
        for depth in maps:
            finite = depth[np.isfinite(depth)]
            scale = Scale()
            if finite.size:
                smallest, largest = float(finite.min()), float(finite.max())
                low, high = min(low, smallest), max(high, largest)
                scale = _scale(smallest, largest, nearer_is_smaller)
            scales.append(scale)
            yield scale.encode(depth)

    write_numbered(on_scales_of_their_own(), folder)
    common = _scale(low, high, nearer_is_smaller) if low <= high else Scale()
    write_numbered(
        (
            common.encode(scale.decode(read_map(numbered_path(folder, number))))
            for number, scale in enumerate(scales, start=1)
        ),
        folder,
    )
    return common


def read_map(path: str | Path) -> np.ndarray:
    """The values of one picture, (H, W) uint16: 0 no depth, larger is nearer.

    Raises DamagedFile when it is missing or no 16-bit grey picture.
    """
    values = read_picture(path)
    if values.dtype != np.uint16 or values.ndim != 2:
        raise DamagedFile(path, "no 16-bit grey picture")
    return values


def _blank(height: int, width: int) -> np.ndarray:
    """A black frame that takes no memory."""
    return np.broadcast_to(np.uint8(0), (height, width, 3))


def _scale(low: float, high: float, nearer_is_smaller: bool) -> Scale:
    return Scale.between(low, high) if nearer_is_smaller else Scale.between(high, low)


def _record(backend: Backend, scale: Scale, clip: Clip) -> dict[str, Any]:
    return {
        "backend": backend.name,
        "n_frames": clip.n_frames,
        "width": clip.width,
        "height": clip.height,
        "quantity": backend.quantity,
        "unit": backend.unit,
        "scale": scale.scale,
        "offset": scale.offset,
        "formula": "quantity = offset + scale * value; value 1 is the farthest, 65535 the nearest",
        "background": 0,
    }
