"""Where the head is and how it is turned, frame by frame, from the face mesh.

Angles, in degrees, are relative to the line of sight to the head: 0, 0, 0 is the mean face of
`face_model` looking into the camera, wherever in the picture it is, held level, give or take a few
degrees. Rotation = Rz(roll) Ry(-yaw) Rx(pitch) in right-handed axes x right, y up, z towards the
viewer. In a picture that is not mirrored:

    yaw    positive when the subject turns to the own right: the nose goes left in the picture
    pitch  positive when the subject looks down
    roll   positive when the head tips to the subject's right: counter-clockwise in the picture

These are order, signs, decomposition and frame of 3DDFA_V2 (`utils/pose.py`), which
talking_face_preprocessing writes: its camera has no perspective, so what it measures is relative to
the line of sight. `view_angle` is 0 when the face points at the camera, 90 in profile. What is
relative to the camera's axis is `Pose.rotation`, so that a head that only moves across the picture
does not turn; `sight_to_camera` leads from the one to the other.

Camera. The source picture's, not the clip's: clip points go back to source pixels through every
frame's crop. Its axis goes through the middle of the source frame, and its focal length is `focal`
times the frame's longer side. No file says what it was. 1.4 is a 50 mm lens on 36 mm film; phones
and webcams have 0.7 to 0.8, studios 2 and more. It hardly matters to the angles. Distances are
proportional to it, and the rotation of a face half a frame beside the axis is 12 degrees off if it
was 0.8, and 10 if it was 3.

Method. Every point is put where its line of sight and its depth say (the mesh's z, along the line
of sight of the face), and the mean face is laid onto these points in closed form (Umeyama 1991,
doi 10.1109/34.88573). This tells pitch. Yaw and place are refined by x and y alone: a face is
symmetric, so they tell yaw whatever its shape, and the mesh's z falls short of it. They tell pitch
badly (four fifths of it), so that stays.

Roll follows the line between the eyes, refined by x and y too. The mesh draws the rest of a face as
a camera 45 cm away would see it, even where the picture's was far: as the face turns, lines between
the temples, cheeks or corners of the jaw lean by 0.02 degrees for every degree of yaw and
centimetre above or below the eyes. A fit of the whole face takes that for roll. The eyes are what
the network looks at closest, and they stay where they are in the picture.

Only what does not move with mouth, lids and brows is used, but for the lids in the eye line, which
open and close together. How far a nose stands out differs between persons, so its lower half is
left out of the pitch.

Accuracy: `docs/accuracy.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkingface.faces import ibug68
from talkingface.faces.angles import ANGLES, angle_ranges
from talkingface.faces.face_model import CANONICAL, MIRROR, N_VERTICES
from talkingface.faces.landmark_files import read_landmarks
from talkingface.grid import FPS
from talkingface.job.per_clip import make_for_clips
from talkingface.job.tables import table_of_columns, write_table
from talkingface.media.clip_files import Clip, clip_to_source
from talkingface.tables import POSE, POSE_FRAMES

# Between axes x right, y up, z to the viewer (head, rotation) and x right, y down, z away
# (picture, mesh, translation).
_FLIP = np.array([1.0, -1.0, -1.0])
_FACE_WIDTH = float(np.ptp(CANONICAL[:, 0]))  # cm
_STEPS = 4  # of Gauss-Newton; from 10 degrees off, 0.01 degrees are left
# Of the mesh with irises: the right and the left one's centre.
_IRISES = (468, 473)


def make_pose(
    clips: Sequence[Clip],
    landmarks: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    source_size_at: Callable[[int], tuple[int, int]],
    focal: float,
) -> None:
    """Write angles (npy) and table (csv, POSE_FRAMES) of each clip to `folder`, and `manifest`.

    `landmarks` is the folder with the clips' landmarks, `manifest` a table POSE.
    `source_size_at` gives width and height of the source in pixels at a grid frame. `focal`: see
    `solve_pose`.
    """

    def make(clip: Clip, folder: Path) -> Mapping[str, float]:
        marks = read_landmarks(Path(landmarks, f"{clip.clip_id}.npz"))
        boxes = clip.boxes()
        points = clip_to_source(marks.points, boxes, (clip.width, clip.height))
        source_size = source_size_at(int(boxes.source_frame[0]))
        pose = solve_pose(points, marks.present, source_size, focal)
        table = pose_table(pose)
        np.save(folder / f"{clip.clip_id}.npy", pose.angles)
        write_table(table, folder / f"{clip.clip_id}.csv", POSE_FRAMES)
        return pose_summary(table)

    make_for_clips(make, clips, folder, manifest, POSE)


def _stable() -> np.ndarray:
    """Vertices above the base of the nose that are on neither lids nor brows."""
    moving: set[int] = set()
    for name in ("upper lid", "lower lid", "brow"):
        for line in ibug68.CURVES[name][1:]:
            moving.update(line, MIRROR[line].tolist())
    nose_base = CANONICAL[2, 1]
    return np.array(
        [v for v in range(N_VERTICES) if CANONICAL[v, 1] > nose_base and v not in moving]
    )


STABLE = _stable()
# What of STABLE tells pitch: all but the lower nose.
_PROFILE = ~((np.abs(CANONICAL[STABLE, 0]) < 2.2) & (CANONICAL[STABLE, 1] < -2))
# Outline of the right eye and, mirrored, of the left one: (2, 16).
_LIDS = np.unique(np.concatenate([ibug68.CURVES[f"{side} lid"][1] for side in ("upper", "lower")]))
_EYES = np.stack([_LIDS, MIRROR[_LIDS]])


@dataclass(frozen=True)
class Pose:
    """The head in N frames; NaN where the face is absent.

    angles: (N, 3) float32 yaw, pitch, roll, degrees, relative to the line of sight.
    rotation: (N, 3, 3) float64, from the head's axes (`face_model`) to the camera's: x right, y up,
        z to the viewer.
    translation: (N, 3) float32, centimetres: the point between the outer eye corners seen from the
        camera; x right, y down, z away.
    present: (N,) bool.
    """

    angles: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    present: np.ndarray


def to_head(points: np.ndarray) -> np.ndarray:
    """Mesh points of N frames in the head's own axes: turned to the front and of one size.

    points: (N, 468 or more, 3) pixels as the mesh gives them; vertices after 467 are carried along.
    Returns (N, the same, 3) float64 in centimetres of the mean face, on the axes of `face_model`.
    """
    points = np.asarray(points, float)
    scale, rotation, shift = _similarity(CANONICAL[STABLE] * _FLIP, points[:, STABLE])
    return (points - shift[:, None]) @ rotation / scale[:, None, None] * _FLIP


def solve_pose(
    points: np.ndarray, present: np.ndarray, frame_size: tuple[int, int], focal: float
) -> Pose:
    """Pose of the head in N frames.

    points: (N, 468 or more, 3) mesh in source pixels. present: (N,) bool. frame_size: the source's
    width and height in pixels. focal: the camera's focal length in longer sides of the source.
    """
    present = np.asarray(present, bool)
    rotation = np.full((len(present), 3, 3), np.nan)
    translation = np.full((len(present), 3), np.nan)
    if present.any():
        seen = np.asarray(points, float)[present]
        turn, translation[present] = _solve(seen, np.array(frame_size) / 2, focal * max(frame_size))
        rotation[present] = _FLIP[:, None] * turn * _FLIP
    angles = angles_of(sight_to_camera(translation).transpose(0, 2, 1) @ rotation)
    return Pose(angles.astype(np.float32), rotation, translation.astype(np.float32), present)


def sight_to_camera(translation: np.ndarray) -> np.ndarray:
    """The smallest rotations (N, 3, 3) from the camera's axis to lines of sight, to (N, 3) places.

    In the axes of `Pose`, whose rotation is this one times `rotation_of` its angles.
    """
    distance = np.linalg.norm(translation, axis=1, keepdims=True)
    return _FLIP[:, None] * _onto(np.asarray(translation, float) / distance) * _FLIP


def angles_of(rotation: np.ndarray) -> np.ndarray:
    """Yaw, pitch, roll (N, 3) in degrees of rotations (N, 3, 3) as the module defines them."""
    yaw = np.arcsin(np.clip(rotation[:, 2, 0], -1, 1))
    pitch = np.arctan2(rotation[:, 2, 1], rotation[:, 2, 2])
    roll = np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])
    return np.degrees(np.stack([yaw, pitch, roll], axis=1))


def rotation_of(angles: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) of yaw, pitch, roll (N, 3) in degrees; the inverse of `angles_of`."""
    yaw, pitch, roll = np.asarray(angles, float).T
    return _turn(roll, 2) @ _turn(-yaw, 1) @ _turn(pitch, 0)


def pose_table(pose: Pose) -> np.recarray:
    """A table POSE_FRAMES, one row a frame, empty where the face is absent.

    frame from 0; present 0 or 1; yaw, pitch, roll and view_angle in degrees; angular_speed in
    degrees a second, of the rotation from the frame before to this one, and speed in face widths a
    second, of the point between the eyes in the picture: both empty after an absent frame. x, y, z:
    `Pose.translation`.
    """
    place = pose.translation.astype(float)
    towards = -place * _FLIP / np.linalg.norm(place, axis=1, keepdims=True)
    facing = (pose.rotation[:, :, 2] * towards).sum(axis=1)
    step = pose.rotation[1:] @ pose.rotation[:-1].transpose(0, 2, 1)
    cosine = (np.trace(step, axis1=1, axis2=2) - 1) / 2
    in_picture = place[:, :2] / place[:, 2:]
    moved = np.linalg.norm(np.diff(in_picture, axis=0), axis=1) * place[1:, 2] / _FACE_WIDTH
    angles, places = pose.angles.astype(float).round(2), place.round(2)
    return table_of_columns(
        POSE_FRAMES,
        {
            "frame": np.arange(len(place)),
            "present": pose.present.astype(int),
            **dict(zip(ANGLES, angles.T, strict=True)),
            "view_angle": _degrees(facing).round(2),
            "angular_speed": _after_first(_degrees(cosine) * FPS, len(place)).round(1),
            **dict(zip("xyz", places.T, strict=True)),
            "speed": _after_first(moved * FPS, len(place)).round(3),
        },
    )


def pose_summary(table: np.recarray) -> dict[str, float]:
    """What POSE has of a clip's `pose_table`, for choosing clips; NaN where no frame has a face.

    median_*: degrees. *_range, max_abs_*: see `angles.angle_ranges`. max_view_angle: 95th
    percentile in degrees. angular_speed (degrees a second), speed (face widths a second): means.
    """
    seen = table[table["present"] == 1]
    angles = np.stack([seen[name] for name in ANGLES], axis=1)
    values = {
        **{f"median_{name}": np.median(seen[name]) if len(seen) else np.nan for name in ANGLES},
        **angle_ranges(angles),
        "max_view_angle": np.quantile(seen["view_angle"], 0.95) if len(seen) else np.nan,
        "angular_speed": _mean(table["angular_speed"]),
        "speed": _mean(table["speed"]),
    }
    return {name: round(float(value), 2) for name, value in values.items()}


def _mean(values: np.ndarray) -> float:
    """Mean of what is not NaN; NaN where nothing is."""
    return float(np.nanmean(values)) if not np.isnan(values).all() else np.nan


def _degrees(cosine: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _after_first(values: np.ndarray, frames: int) -> np.ndarray:
    """(frames,) values between neighbouring frames, with NaN for the first."""
    return np.concatenate([[np.nan], values])[:frames]


def _turn(degrees: np.ndarray, axis: int) -> np.ndarray:
    """Right-handed rotations (N, 3, 3) by angles (N,) about one axis."""
    angle = np.radians(degrees)
    after, last = (axis + 1) % 3, (axis + 2) % 3
    turn = np.zeros((len(angle), 3, 3))
    turn[:, axis, axis] = 1
    turn[:, after, after] = turn[:, last, last] = np.cos(angle)
    turn[:, last, after] = np.sin(angle)
    turn[:, after, last] = -np.sin(angle)
    return turn


def _solve(points: np.ndarray, centre: np.ndarray, focal: float) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (n, 3, 3) and translations (n, 3), x right, y down, z away, of whole meshes."""
    face = CANONICAL[STABLE] * _FLIP
    stable = points[:, STABLE]
    _, _, origin = _similarity(face, stable)
    # The network sees a crop: its z runs along the line of sight, as if the camera looked there.
    sight = _lines(origin[:, None], centre, focal)[:, 0]
    sight /= np.linalg.norm(sight, axis=1, keepdims=True)
    camera = _onto(sight)
    lines = _lines(stable, centre, focal)
    # Pixels in the face's distance: away from the axis, the picture is stretched.
    unit = focal / sight[:, 2] ** 1.5
    depth = 1 + (stable[..., 2] - origin[:, None, 2]) / unit[:, None]
    ahead = (lines @ camera)[:, _PROFILE]
    scale, rotation, shift = _similarity(
        face[_PROFILE], ahead / ahead[..., 2:] * depth[:, _PROFILE, None]
    )
    rotation, place = camera @ rotation, (camera @ shift[..., None])[..., 0] / scale[:, None]
    eyes = _lines(_eye_centres(points[..., :2]), centre, focal)
    for _ in range(_STEPS):
        rotation, place = _turned_to_fit(lines, face, rotation, place)
    return _rolled_to_fit(eyes, rotation, place), place


def _turned_to_fit(
    lines: np.ndarray, face: np.ndarray, rotation: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A step to where x and y fit best, by a turn about the face's upright axis and by place."""
    seen = face @ rotation.transpose(0, 2, 1) + place[:, None]
    plane = seen / seen[..., 2:]
    about = np.column_stack([face[:, 2], 0 * face[:, 1], -face[:, 0]])
    moves = np.empty((*seen.shape, 4))  # of every point, by a turn and along three axes
    moves[..., 0] = about @ rotation.transpose(0, 2, 1)
    moves[..., 1:] = np.eye(3)
    in_plane = (moves - plane[..., None] * moves[..., 2:, :]) / seen[..., 2:, None]
    jacobian = in_plane[..., :2, :].reshape(len(seen), -1, 4)
    missing = (lines - plane)[..., :2].reshape(len(seen), -1, 1)
    transposed = jacobian.transpose(0, 2, 1)
    step = np.linalg.solve(transposed @ jacobian, transposed @ missing)[..., 0]
    return rotation @ _turn(np.degrees(step[:, 0]), 1), place + step[:, 1:]


def _rolled_to_fit(eyes: np.ndarray, rotation: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Rotations turned about the line of sight so that the line between the eyes is as seen.

    eyes: (n, 2, 3) lines of sight to the centres of the right and the left eye.
    """
    camera = _onto(place / np.linalg.norm(place, axis=1, keepdims=True))
    face = _eye_centres(CANONICAL) * _FLIP
    expected = _angle_of_line((face @ rotation.transpose(0, 2, 1) + place[:, None]) @ camera)
    missing = np.degrees(_angle_of_line(eyes @ camera) - expected)
    return camera @ _turn(missing, 2) @ camera.transpose(0, 2, 1) @ rotation


def _angle_of_line(ends: np.ndarray) -> np.ndarray:
    """Angles (n,) in radians, in the picture plane, of lines between two places (n, 2, 3)."""
    x, y = np.diff(ends[..., :2] / ends[..., 2:], axis=-2)[..., 0, :].T
    return np.arctan2(y, x)


def _eye_centres(points: np.ndarray) -> np.ndarray:
    """(..., 2, k) the right and the left eye's centre: of the lids' outline and, if known, iris."""
    lids = points[..., _EYES, :].mean(axis=-2)
    if points.shape[-2] <= max(_IRISES):
        return lids
    return (lids + points[..., _IRISES, :]) / 2


def _lines(points: np.ndarray, centre: np.ndarray, focal: float) -> np.ndarray:
    """Lines of sight (n, k, 3), with z = 1, of points (n, k, 2 or 3) in pixels."""
    plane = (points[..., :2] - centre) / focal
    return np.concatenate([plane, np.ones_like(plane[..., :1])], axis=-1)


def _onto(directions: np.ndarray) -> np.ndarray:
    """The smallest rotations (n, 3, 3) that take the z axis to unit vectors (n, 3) before it."""
    x, y, z = directions.T
    share = 1 / (1 + z)
    rows = [
        [1 - x * x * share, -x * y * share, x],
        [-x * y * share, 1 - y * y * share, y],
        [-x, -y, z],
    ]
    return np.array(rows).transpose(2, 0, 1)


def _similarity(
    source: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """scale (n,), rotation (n, 3, 3), shift (n, 3) that lay source (k, 3) on targets (n, k, 3)."""
    middle = target.mean(axis=1)
    a, b = source - source.mean(axis=0), target - middle[:, None]
    u, values, vt = np.linalg.svd(np.einsum("nki,kj->nij", b, a))
    signs = np.ones_like(values)
    signs[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * signs[:, None]) @ vt
    scale = (values * signs).sum(axis=1) / (a**2).sum()
    shift = middle - scale[:, None] * (rotation @ source.mean(axis=0))
    return scale, rotation, shift
