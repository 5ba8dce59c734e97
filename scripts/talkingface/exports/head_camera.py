"""The camera of a clip around a head that keeps still: what a NeRF of a talking head is trained by.

In a clip the camera stands still and the head moves. Training code of the RAD-NeRF family wants it
the other way round: one head, and a camera a frame. Its conventions, read from its code:

    head axes    x to the right in a picture that faces the head, y up, z out of the face
    camera axes  x right, y up, z backwards, out of the picture (OpenGL's)
    matrix       4 x 4, camera to head: p_head = M p_camera
    unit         metres. data_utils/process.py divides the decimetres of its face model by ten; with
                 its default scale of 4, the box of half-length 1 that is rendered is 0.25 m.
    origin       the mean of the face model's vertices
    picture      u = cx - f x / z, v = cy + f y / z in continuous pixels: the centre of the top left
                 pixel is (0.5, 0.5), as `get_rays` has it and as clip pixels are
    principal    the picture's middle. TalkingGaussian knows no other, and the others tell the size
    point        of the pictures by it.

A crop whose middle is not that of the source's picture has another principal point. It cannot be
told to these readers, so head and cameras are fitted to what the clip shows with the one they use.

Fit. Frames begin where `pose.solve_pose` puts them, and the head as the mean of the mesh's own
depths. Head and poses are then improved in turn until mesh and landmarks agree in x and y (bundle
adjustment), with Huber's weights. The head is held near the mesh's own depths, which a clip with
hardly a turn tells nothing of, and is laid onto them again after every step, so that its axes and
size stay those of `face_model`. Poses are fitted to what neither mouth, lids nor brows move.

A landmark's jitter of half a pixel is a jitter of half a degree in yaw and pitch, which moves what
lies 10 cm behind the face, ears and hair, by more than it moves the face. So rotations are smoothed
over five frames by parabolas (Savitzky and Golay 1964), and places fitted again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talkingface.faces.face_model import N_VERTICES
from talkingface.faces.pose import STABLE, solve_pose, to_head
from talkingface.filters import smooth_by_parabolas

# What keeps its place on the head: corners of both eyes as well, at which the mesh looks closest.
RIGID = np.array(sorted({*STABLE.tolist(), 33, 133, 263, 362}))

_PER_METRE = 100  # lengths of the face model are in centimetres
_FLIP = np.array([1.0, -1.0, -1.0])
_ROUNDS, _STEPS = 6, 4  # of head and poses in turn; of Gauss-Newton for the poses in each
_MOST_FRAMES = 400  # from which the head is told
_BLOCK = 500  # frames fitted at a time, for the memory's sake
_HUBER = 1.5  # pixels beyond which a point counts less
# Weight of the mesh's own depths, in squared pixels a squared centimetre: a centimetre from them
# weighs as much as three pixels in every frame.
_DEPTH_WEIGHT = 10.0
_SMOOTHED = 5  # frames


@dataclass(frozen=True)
class HeadCamera:
    """A head that keeps still and the camera's place in N frames.

    focal: pixels. size: width and height of the pictures in pixels. mesh: (468, 3) float64, the
    mean head, metres. rotation: (N, 3, 3) and translation: (N, 3), from the head's axes to the
    camera's, metres. Axes are as the module says.
    """

    focal: float
    size: tuple[int, int]
    mesh: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    @property
    def matrices(self) -> np.ndarray:
        """(N, 4, 4) float64, camera to head: the `transform_matrix` of every frame."""
        matrices = np.tile(np.eye(4), (len(self.rotation), 1, 1))
        turned_back = self.rotation.transpose(0, 2, 1)
        matrices[:, :3, :3] = turned_back
        matrices[:, :3, 3] = -(turned_back @ self.translation[..., None])[..., 0]
        return matrices

    def project(self, points: np.ndarray) -> np.ndarray:
        """Where points (k, 3) of the head are in every frame, (N, k, 2) pixels."""
        return _project(points, self.rotation, self.translation, self.focal, self.size)

    def errors(self, landmarks: np.ndarray, vertices: np.ndarray = RIGID) -> np.ndarray:
        """(N, k) distances in pixels of `vertices` of the mesh from landmarks (N, 468, 2 or 3)."""
        seen = landmarks[:, vertices, :2]
        return np.linalg.norm(self.project(self.mesh[vertices]) - seen, axis=-1)


def fit_head_camera(points: np.ndarray, size: tuple[int, int], focal: float) -> HeadCamera:
    """The head and the camera of N frames, one at least.

    points: (N, 468 or more, 3) mesh in clip pixels, of frames with a face only. size: the clip's
    width and height. focal: the camera's focal length in clip pixels.
    """
    points = np.asarray(points, float)[:, :N_VERTICES]
    pose = solve_pose(points, np.ones(len(points), bool), size, focal / max(size))
    rotation, translation = pose.rotation, pose.translation.astype(float) * _FLIP
    some = np.linspace(0, len(points) - 1, min(len(points), _MOST_FRAMES)).round().astype(int)
    head = _fit_head(points[some], rotation[some], translation[some], focal, size)
    origin = head.mean(axis=0)
    head, translation = head - origin, translation + rotation @ origin
    parts = [slice(k, k + _BLOCK) for k in range(0, len(points), _BLOCK)]
    seen, rigid = points[:, RIGID, :2], head[RIGID]
    for part in parts:
        rotation[part], translation[part] = _fit_poses(
            rigid, seen[part], rotation[part], translation[part], focal, size
        )
    rotation = _nearest_rotation(smooth_by_parabolas(rotation, _SMOOTHED))
    for part in parts:
        _, translation[part] = _fit_poses(
            rigid, seen[part], rotation[part], translation[part], focal, size, turn=False
        )
    return HeadCamera(focal, size, head / _PER_METRE, rotation, translation / _PER_METRE)


def _fit_head(
    points: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    focal: float,
    size: tuple[int, int],
) -> np.ndarray:
    """(468, 3) in centimetres: the head in the axes of `face_model`, fitted together with poses."""
    own = to_head(points).mean(axis=0)
    head = own
    seen = points[..., :2]
    for _ in range(_ROUNDS):
        rotation, translation = _fit_poses(
            head[RIGID], seen[:, RIGID], rotation, translation, focal, size
        )
        missing = seen - _project(head, rotation, translation, focal, size)
        moves = _moves(head @ rotation.transpose(0, 2, 1) + translation[:, None], focal)
        moves = moves @ rotation[:, None]
        weight = _weights(missing) / len(points)
        normal = np.einsum("nk,nkai,nkaj->kij", weight, moves, moves, optimize=True)
        wanted = np.einsum("nk,nkai,nka->ki", weight, moves, missing, optimize=True)
        normal += _DEPTH_WEIGHT * np.eye(3)
        wanted += _DEPTH_WEIGHT * (own - head)
        head = head + np.linalg.solve(normal, wanted[..., None])[..., 0]
        head = _laid_onto(head, own)
    return head


def _fit_poses(
    head: np.ndarray,
    seen: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    focal: float,
    size: tuple[int, int],
    *,
    turn: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Poses of N frames in which head points (k, 3) are nearest to where they are seen (N, k, 2).

    Without `turn` the rotations stay and only places are fitted.
    """
    for _ in range(_STEPS):
        turned = head @ rotation.transpose(0, 2, 1)
        jacobian = moves = _moves(turned + translation[:, None], focal)
        if turn:
            jacobian = np.concatenate([moves @ -_cross(turned), moves], axis=-1)
        missing = seen - _project(head, rotation, translation, focal, size)
        weight = _weights(missing)
        normal = np.einsum("nk,nkai,nkaj->nij", weight, jacobian, jacobian, optimize=True)
        wanted = np.einsum("nk,nkai,nka->ni", weight, jacobian, missing, optimize=True)
        step = np.linalg.solve(normal, wanted[..., None])[..., 0]
        translation = translation + step[:, -3:]
        if turn:
            rotation = _turn(step[:, :3]) @ rotation
    return rotation, translation


def _project(
    head: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    focal: float,
    size: tuple[int, int],
) -> np.ndarray:
    """Where head points (k, 3) are in the pictures of N poses, (N, k, 2) pixels."""
    x, y, z = np.moveaxis(head @ rotation.transpose(0, 2, 1) + translation[:, None], -1, 0)
    return np.stack([size[0] / 2 - focal * x / z, size[1] / 2 + focal * y / z], axis=-1)


def _moves(places: np.ndarray, focal: float) -> np.ndarray:
    """How points (N, k, 3) in the camera's axes move in the picture as they move: (N, k, 2, 3)."""
    x, y, z = np.moveaxis(places, -1, 0)
    moves = np.zeros((*places.shape[:2], 2, 3))
    moves[..., 0, 0], moves[..., 0, 2] = -focal / z, focal * x / z**2
    moves[..., 1, 1], moves[..., 1, 2] = focal / z, -focal * y / z**2
    return moves


def _weights(missing: np.ndarray) -> np.ndarray:
    """Huber's weights (N, k) of distances (N, k, 2) in pixels."""
    return np.minimum(1, _HUBER / np.maximum(np.linalg.norm(missing, axis=-1), 1e-9))


def _cross(vectors: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) of the cross product with vectors (..., 3) from the left."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    matrices = np.zeros((*vectors.shape, 3))
    matrices[..., 2, 1], matrices[..., 0, 2], matrices[..., 1, 0] = x, y, z
    matrices[..., 1, 2], matrices[..., 2, 0], matrices[..., 0, 1] = -x, -y, -z
    return matrices


def _turn(vectors: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) by vectors (N, 3) in radians (Rodrigues)."""
    angle = np.linalg.norm(vectors, axis=-1)[:, None, None]
    cross = _cross(vectors)
    # sin(a) / a and (1 - cos(a)) / a^2, which are defined at 0.
    first, second = np.sinc(angle / np.pi), np.sinc(angle / (2 * np.pi)) ** 2 / 2
    return np.eye(3) + first * cross + second * (cross @ cross)


def _nearest_rotation(matrices: np.ndarray) -> np.ndarray:
    """The rotations (N, 3, 3) nearest to matrices that are nearly ones."""
    u, _, vt = np.linalg.svd(matrices)
    return u @ vt


def _laid_onto(head: np.ndarray, own: np.ndarray) -> np.ndarray:
    """`head` (468, 3) turned, scaled and moved so that its rigid part lies nearest to `own`'s."""
    a, b = head[RIGID], own[RIGID]
    a_middle, b_middle = a.mean(axis=0), b.mean(axis=0)
    a, b = a - a_middle, b - b_middle
    u, values, vt = np.linalg.svd(b.T @ a)
    rotation = u @ vt
    return (head - a_middle) @ rotation.T * (values.sum() / (a**2).sum()) + b_middle
