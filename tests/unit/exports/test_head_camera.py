"""The camera around a head that keeps still, against heads and cameras of known places."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from helpers.paths import SAMPLES
from helpers.small_results import CLIPS, FOCAL, SCALE, SIZE, rotations
from talkingface.exports.head_camera import RIGID, HeadCamera, fit_head_camera
from talkingface.faces.face_model import CANONICAL
from talkingface.faces.mesh68 import MeshLandmarker

N, F, WIDTH, HEIGHT = 80, 900.0, 512, 400
ORIGIN = CANONICAL.mean(axis=0)


def known_camera() -> HeadCamera:
    """A head of the mean face that turns and moves slowly, in the axes that the module tells of."""
    t = np.arange(N) / 25
    angles = np.stack([12 * np.sin(2 * t), 4 * np.cos(t), 3 * np.sin(t)], axis=1)
    place = np.stack([2 * np.sin(t), 1 + 0.5 * t, -80 + 3 * np.cos(t)], axis=1) / 100
    mesh = (CANONICAL - ORIGIN) / 100
    return HeadCamera(F, (WIDTH, HEIGHT), mesh, rotations(angles), place)


def seen(camera: HeadCamera) -> np.ndarray:
    """(N, 468, 3) what the mesh network would tell: pixels, and depth on the same scale."""
    places = np.einsum("nij,kj->nki", camera.rotation, camera.mesh)
    places = places + camera.translation[:, None]
    pixels = np.stack(
        [
            WIDTH / 2 + F * places[..., 0] / -places[..., 2],
            HEIGHT / 2 - F * places[..., 1] / -places[..., 2],
        ],
        axis=-1,
    )
    nearer = places[..., 2] - camera.translation[:, None, 2]
    depth = -F * nearer / -camera.translation[:, None, 2]
    return np.concatenate([pixels, depth[..., None]], axis=-1)


def angles_between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(N,) degrees between rotations (N, 3, 3)."""
    traces = np.einsum("nij,nij->n", one, other)
    return np.degrees(np.arccos(np.clip((traces - 1) / 2, -1, 1)))


def test_a_known_camera_is_found_again() -> None:
    known = known_camera()
    found = fit_head_camera(seen(known), (WIDTH, HEIGHT), F)
    assert (found.focal, found.size) == (F, (WIDTH, HEIGHT))
    assert angles_between(found.rotation, known.rotation).max() < 1
    # What it turns by since the first frame does not depend on how the head's axes lie in it.
    turned, expected = (c.rotation @ c.rotation[0].T for c in (found, known))
    assert angles_between(turned, expected).max() < 0.25
    assert np.abs(found.translation - known.translation).max() < 0.01  # metres, at 0.8
    assert np.abs(found.mesh - known.mesh).max() < 0.002
    np.testing.assert_allclose(found.mesh.mean(axis=0), 0, atol=1e-12)


def test_matrices_lead_from_the_camera_to_the_head() -> None:
    camera = known_camera()
    matrices = camera.matrices
    assert matrices.shape == (N, 4, 4)
    np.testing.assert_allclose(matrices[:, 3], np.tile([0, 0, 0, 1], (N, 1)))
    np.testing.assert_allclose(np.linalg.det(matrices[:, :3, :3]), 1)
    for matrix, rotation, translation in zip(
        matrices, camera.rotation, camera.translation, strict=True
    ):
        to_camera = np.linalg.inv(matrix)
        np.testing.assert_allclose(to_camera[:3, :3], rotation, atol=1e-12)
        np.testing.assert_allclose(to_camera[:3, 3], translation, atol=1e-12)
    # The camera is before the face.
    assert (matrices[:, 2, 3] > 0.5).all()


def test_what_is_projected_is_where_it_is_seen() -> None:
    camera = known_camera()
    np.testing.assert_allclose(camera.project(camera.mesh), seen(camera)[..., :2], atol=1e-9)
    assert camera.errors(seen(camera)).max() < 1e-9
    moved = seen(camera) + np.array([3, 4, 0])
    np.testing.assert_allclose(camera.errors(moved, np.array([1])), 5)


@pytest.mark.parametrize("clip", CLIPS, ids=[clip.clip_id for clip in CLIPS])
def test_a_crop_beside_the_source_s_middle_costs_nothing(clip) -> None:
    camera = fit_head_camera(clip.points, (SIZE, SIZE), FOCAL * SCALE)
    at_512 = camera.errors(clip.points, np.arange(468)) * 512 / SIZE
    assert np.quantile(at_512, 0.9) < 0.3
    assert len(camera.matrices) == clip.n_frames


def test_rotations_are_steadier_than_the_landmarks() -> None:
    known = known_camera()
    noisy = seen(known)
    noisy[..., :2] += np.random.default_rng(0).normal(0, 0.7, (N, 1, 2))
    noisy[:, :, :2] *= 1 + np.random.default_rng(1).normal(0, 0.004, (N, 1, 2))
    found = fit_head_camera(noisy, (WIDTH, HEIGHT), F)

    def jitter(rotation: np.ndarray) -> float:
        return float(np.abs(np.diff(rotation[:, 2], n=2, axis=0)).mean())

    assert jitter(found.rotation) < 3 * jitter(known.rotation)
    assert np.quantile(found.errors(noisy), 0.9) < 1


def test_one_frame_is_enough_and_many_take_no_more_memory_at_a_time() -> None:
    known = known_camera()
    one = fit_head_camera(seen(known)[:1], (WIDTH, HEIGHT), F)
    assert one.errors(seen(known)[:1]).max() < 1
    again = np.tile(np.arange(N), 14)
    many = replace(known, rotation=known.rotation[again], translation=known.translation[again])
    found = fit_head_camera(seen(many), (WIDTH, HEIGHT), F)
    assert found.rotation.shape == (14 * N, 3, 3)
    # But for the places where the head jumps from the end to the beginning.
    assert np.quantile(found.errors(seen(many)), 0.9) < 1


@pytest.mark.parametrize(
    ("name", "side", "worst"), [("FAzSK8PLmGI", 440, 2.2), ("seated_woman", 700, 2.6)]
)
def test_real_heads_are_where_they_are_seen(name: str, side: int, worst: float) -> None:
    """Within 2 pixels of a clip of 512, in the median; `side` is a crop's, in source pixels."""
    path = SAMPLES / f"{name}.mp4"
    if not path.exists():
        pytest.skip(f"no {path}")
    capture, frames = cv2.VideoCapture(str(path)), []
    while len(frames) < 120:
        there, frame = capture.read()
        if not there:
            break
        frames.append(frame)
    with MeshLandmarker() as landmarker:
        points = landmarker.run(frames).points
    height, width = frames[0].shape[:2]
    camera = fit_head_camera(points, (width, height), 1.4 * max(width, height))
    errors = camera.errors(points, RIGID) * 512 / side
    assert np.median(errors) < 1.2
    assert np.quantile(errors, 0.9) < worst
    assert np.median(camera.errors(points, np.arange(468))) * 512 / side < 2
