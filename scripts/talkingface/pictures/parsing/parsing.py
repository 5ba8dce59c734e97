"""Face parsing: one label for every pixel of every frame of a clip; see `labels`.

Backends: `mesh` (embedded), `bisenet`, `segformer` (learned).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from talkingface.faces.landmark_files import Landmarks, clip_landmarks
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.media.prefetch import prefetch
from talkingface.models.store import StoredModel
from talkingface.networks.backend import load_learned
from talkingface.pictures.batches import run_in_batches
from talkingface.pictures.numbered import write_numbered
from talkingface.tables import PARSING

LEARNED = ("bisenet", "segformer")
BACKENDS = ("mesh", *LEARNED)


class Parser(Protocol):
    """A loaded backend, for any number of clips one after another; not for several threads."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def run(
        self, frames: Sequence[np.ndarray], points: np.ndarray, present: np.ndarray
    ) -> np.ndarray:
        """Label maps of a batch of frames of one size.

        frames: B of (H, W, 3) uint8 BGR. points: (B, 478, 3) float32, the mesh in frame pixels (a
        backend may ignore it). present: (B,) bool, whether there is a face; where not, points are
        NaN. Returns (B, H, W) uint8.
        """
        ...


def load(
    name: str,
    *,
    model: StoredModel | None,
    device: str,
    precision: str,
    threads: int,
    person: str,
) -> Parser:
    """Load a backend.

    name: one of BACKENDS. model, device, precision: of LEARNED ones, see `load_learned`. threads:
    how many it may use. person: of `mesh`, one of `person.MODELS`.
    Raises ValueError for another name or person model, and what `load_learned` raises.
    """
    if name == "mesh":
        # As of the learned ones, the module is imported only where it is chosen.
        from talkingface.pictures.parsing.mesh import MeshParser

        return MeshParser(person, threads)
    if name in LEARNED:
        module = f"talkingface.pictures.parsing.{name}"
        return load_learned(module, model, device=device, precision=precision, threads=threads)
    raise ValueError(f"parsing backend {name!r} is none of {', '.join(BACKENDS)}")


def make_parsing(
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
    person: str,
) -> None:
    """Label every pixel of the clips: a folder of pictures for each, and the table PARSING.

    landmarks: the clips' folder of landmarks. backend and the others: see `load`; without clips
    nothing is loaded.
    """
    cells = {"backend": backend, "sha256": model.weights_sha256 if model else ""}

    def make(clip: Clip, into: Path) -> dict[str, str]:
        frames, marks = prefetch(clip.frames()), clip_landmarks(landmarks, clip)
        parse_clip(parser, frames, marks, into / clip.clip_id, threads)
        return cells

    opened: AbstractContextManager[Any] = nullcontext()
    if clips:
        opened = load(
            backend, model=model, device=device, precision=precision, threads=threads, person=person
        )
    with opened as parser:
        make_for_clips(make, clips, folder, manifest, PARSING)


def parse_clip(
    parser: Parser,
    frames: Iterable[np.ndarray],
    landmarks: Landmarks,
    folder: str | Path,
    threads: int,
) -> int:
    """Write the label maps of a clip as `000001.png`, `000002.png` ... and give their number.

    frames: (H, W, 3) uint8 BGR; a batch of them is held at a time. landmarks: of the same frames.
    threads: see write_numbered. Raises ValueError when there are not as many frames as landmarks.
    """
    return write_numbered(run_in_batches(parser.run, frames, landmarks), folder, threads=threads)
