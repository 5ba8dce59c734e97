"""Facial landmarks of a clip, frame by frame.

Backends: `mediapipe` (embedded; see `mesh68`) and `dlib` (optional; see `dlib68` for what to
install and its licence). Both find and follow the face with the mesh, so `points` and `present`
are the same; only `points68` differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from talkingface.faces.dlib68 import DlibLandmarker
from talkingface.faces.landmark_files import Landmarks, write_landmarks, write_text
from talkingface.faces.mesh68 import MeshLandmarker
from talkingface.faces.region import Box
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.tables import LANDMARKS


class Landmarker(Protocol):
    """A loaded backend, for any number of clips one after another; not for several threads."""

    def run(
        self, frames: Iterable[np.ndarray], boxes: Iterable[Box | None] | None = None
    ) -> Landmarks:
        """Landmarks of one clip.

        frames: (H, W, 3) uint8 BGR, in order; taken one at a time, none is kept.
        boxes: per frame the face's x, y, w, h in clip pixels, or None; None: no box is known, the
            largest face is followed. Raises ValueError if there are not as many as frames.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


BACKENDS: dict[str, type[Landmarker]] = {"mediapipe": MeshLandmarker, "dlib": DlibLandmarker}


def load(name: str) -> Landmarker:
    """Open a backend, one of BACKENDS.

    Raises ValueError for another name, and dlib68.DlibMissing when dlib is not installed.
    """
    if name not in BACKENDS:
        raise ValueError(f"landmark backend {name!r} is none of {', '.join(BACKENDS)}")
    return BACKENDS[name]()


def make_landmarks(
    clips: Sequence[Clip], folder: str | Path, manifest: str | Path, *, backend: str
) -> None:
    """Write an npz and a text for each of `clips` to `folder`, and `manifest` (LANDMARKS).

    backend: see `load`. Where there are no clips, none is loaded.
    """

    def make(clip: Clip, folder: Path) -> Mapping[str, Any]:
        landmarks = landmarker.run(clip.frames(), clip.face_boxes())
        write_landmarks(folder / f"{clip.clip_id}.npz", landmarks)
        write_text(folder / f"{clip.clip_id}.txt", landmarks.points68, landmarks.present)
        return {"present_share": round(landmarks.present.mean(), 4), "backend": backend}

    opened: AbstractContextManager[Any] = load(backend) if clips else nullcontext()
    with opened as landmarker:
        make_for_clips(make, clips, folder, manifest, LANDMARKS)
