"""The 68 points of 300-W from mediapipe's face mesh: landmark backend `mediapipe`.

The mesh is followed by `mesh`, the 68 points are mapped from it by `ibug68`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from talkingface.faces import ibug68
from talkingface.faces.landmark_files import Landmarks
from talkingface.faces.mesh import N_POINTS, FaceMesh
from talkingface.faces.region import Box
from talkingface.job.closeable import Closeable


class MeshLandmarker(Closeable):
    """The backend; see `landmarks.Landmarker`."""

    def __init__(self) -> None:
        self._mesh = FaceMesh(refine=True)

    def close(self) -> None:
        """Free the networks."""
        self._mesh.close()

    def run(
        self, frames: Iterable[np.ndarray], boxes: Iterable[Box | None] | None = None
    ) -> Landmarks:
        """Landmarks of one clip; see `landmarks.Landmarker`."""
        meshes = [points for _, points in self._mesh.follow_clip(frames, boxes)]
        points = np.array(meshes, np.float32).reshape(-1, N_POINTS, 3)
        return Landmarks.of(points, ibug68.points68(points))
