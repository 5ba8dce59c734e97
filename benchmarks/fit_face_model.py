"""Makes the table face_model.csv again: a mean face from mesh output on given faces.

    python benchmarks/fit_face_model.py VIDEO_OR_IMAGE ... > face_model.csv

The table in use came from `astronaut` (scikit-image's), `FAzSK8PLmGI.mp4` (a news anchor, the
sample of liutaocode/talking_face_preprocessing) and `seated_woman.mp4` (LatentSync, assets/). Each
file weighs the same; every frame is also shown mirrored. Takes a minute.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from fit_ibug68 import frames_of
from scipy.optimize import linear_sum_assignment

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from talkingface.faces import ibug68, mesh

STEP = 3  # every third frame
EYE_CORNERS = 33, 263  # right, left
OUTER_EYE_DISTANCE = 8.9  # cm; see face_model.CANONICAL
FOREHEAD, CHIN = 10, 152


def meshes(name: str) -> np.ndarray:
    """(n, 468, 3) points, y up, z towards the camera; upright frames, then mirrored ones."""
    frames = frames_of(name, STEP)
    found = []
    for mirrored in (False, True):
        with mesh.FaceMesh() as faces:
            for frame in frames:
                picture = np.ascontiguousarray(frame[:, ::-1]) if mirrored else frame
                for _ in range(2):  # the region settles
                    points = faces.follow(picture)
                if points is not None:
                    found.append(points[:468] * [1.0, -1.0, -1.0])
    return np.array(found)


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(3, 3) and (3,): the linear part and the shift that bring `source` nearest to `target`."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, values, vt = np.linalg.svd(a.T @ b)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    linear = (values @ signs) / (a**2).sum() * (u * signs) @ vt
    return linear, target.mean(axis=0) - source.mean(axis=0) @ linear


def aligned(points: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """`points` moved onto `shape`."""
    linear, shift = similarity(points, shape)
    return points @ linear + shift


def mean_shape(faces: list[np.ndarray]) -> np.ndarray:
    """Generalised Procrustes: the mean of each face's mean, all of the same size."""
    shape = faces[0][0] - faces[0][0].mean(axis=0)
    for _ in range(10):
        means = [np.mean([aligned(points, shape) for points in face], axis=0) for face in faces]
        shape = np.mean([m / np.linalg.norm(m) for m in means], axis=0)
    return shape


def mirror_of(shape: np.ndarray) -> np.ndarray:
    """(468,) the vertex nearest to each vertex's mirror image, one to one."""
    known = np.array(list(ibug68.MIRROR.items()))
    flipped = shape * [-1, 1, 1]
    linear, shift = similarity(flipped[known[:, 1]], shape[known[:, 0]])
    moved = flipped @ linear + shift
    distances = np.linalg.norm(shape[:, None] - moved[None], axis=-1)
    return linear_sum_assignment(distances)[1]


def placed(shape: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """In centimetres on the axes of face_model, exactly symmetric."""
    right, left = EYE_CORNERS
    x = np.linalg.svd(shape[mirror] - shape)[2][0]
    x *= np.sign(x @ (shape[left] - shape[right]))
    y = shape[FOREHEAD] - shape[CHIN]
    y -= x * (x @ y)
    y /= np.linalg.norm(y)
    axes = np.stack([x, y, np.cross(x, y)])
    face = (shape - (shape[right] + shape[left]) / 2) @ axes.T
    face = (face + face[mirror] * [-1, 1, 1]) / 2
    return face * OUTER_EYE_DISTANCE / np.linalg.norm(face[right] - face[left])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", help="videos, images, or the word astronaut")
    shape = mean_shape([meshes(name) for name in parser.parse_args().files])
    mirror = mirror_of(shape)
    print("vertex,mirror,x,y,z")
    for vertex, (x, y, z) in enumerate(placed(shape, mirror).round(3) + 0.0):
        print(f"{vertex},{mirror[vertex]},{x:.3f},{y:.3f},{z:.3f}")
