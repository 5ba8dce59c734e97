from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.tiny_onnx import TILE, put_arcface
from talkingface.faces.arcface import FILE, PLACES, ArcFace, aligned_face, five_points, similarity
from talkingface.models.store import StoredModel
from talkingface.models.table import ModelError

COLOURS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)])


def stored(folder: Path, sizes: dict[str, int] | None = None) -> StoredModel:
    return StoredModel("glintr100", folder, "f00d", sizes or {})


def turned(points: np.ndarray, degrees: float, scale: float, shift: tuple) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ turn.T + shift


def face68(points: np.ndarray) -> np.ndarray:
    """(68, 2) whose five points are these."""
    found = np.zeros((68, 2))
    lids = np.array([(-9, 0), (-3, -4), (3, -4), (9, 0), (3, 4), (-3, 4)])
    found[36:42], found[42:48] = points[0] + lids, points[1] + lids
    found[30], found[48], found[54] = points[2:]
    return found


def test_the_five_points_are_eyes_nose_and_mouth() -> None:
    points = PLACES * 3
    np.testing.assert_allclose(five_points(face68(points)), points)


def test_a_turn_a_scale_and_a_shift_are_undone() -> None:
    matrix = similarity(turned(PLACES, 25, 2.5, (140, -30)), PLACES)
    np.testing.assert_allclose(np.linalg.det(matrix[:, :2]), 1 / 2.5**2)
    back = turned(PLACES, 25, 2.5, (140, -30)) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, PLACES)


def test_it_lies_as_near_as_a_similarity_can() -> None:
    """The four numbers by ordinary least squares."""
    points = turned(PLACES, -10, 1.7, (50, 60))
    points = points + np.random.default_rng(0).normal(0, 4, (5, 2))
    x, y, one, zero = *points.T, np.ones(5), np.zeros(5)
    equations = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, c, d = np.linalg.lstsq(equations, np.concatenate(PLACES.T), rcond=None)[0]
    np.testing.assert_allclose(similarity(points, PLACES), [[a, -b, c], [b, a, d]])


def drawn_face() -> tuple[np.ndarray, np.ndarray]:
    """A frame with a coloured disc at each of the five points, and those in clip pixels."""
    points = turned(PLACES - 56, 12, 2.2, (300, 240))
    frame = np.full((480, 640, 3), 128, np.uint8)
    for point, colour in zip(points, COLOURS.tolist(), strict=True):
        centre = np.round((point - 0.5) * 16).astype(int)
        cv2.circle(frame, centre.tolist(), 9 * 16, colour, -1, cv2.LINE_8, 4)
    return frame, points


def test_an_aligned_face_has_its_points_where_they_belong() -> None:
    frame, points = drawn_face()
    picture = aligned_face(frame, face68(points)).astype(int)
    assert picture.shape == (112, 112, 3)
    for place, colour in zip(PLACES, COLOURS, strict=True):
        y, x = np.nonzero((np.abs(picture - colour) < 60).all(axis=2))
        np.testing.assert_allclose([x.mean(), y.mean()], place, atol=0.2)


def test_the_network_sees_rgb_from_minus_one_to_one(tmp_path: Path) -> None:
    """The small one averages tiles of 16 x 16 pixels and multiplies them by its matrix."""
    matrix = put_arcface(tmp_path / FILE)
    frame, points = drawn_face()
    found = ArcFace(stored(tmp_path), threads=1).run(frame, face68(points))
    picture = (aligned_face(frame, face68(points)).astype(float) - 127.5) / 127.5
    tiles = picture.reshape(7, TILE, 7, TILE, 3).mean(axis=(1, 3))
    red, green, blue = tiles[..., 2], tiles[..., 1], tiles[..., 0]
    expected = np.concatenate([red.ravel(), green.ravel(), blue.ravel()]) @ matrix
    assert found.shape == (512,) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_another_network_is_refused(tmp_path: Path) -> None:
    put_arcface(tmp_path / FILE, width=128)
    with pytest.raises(ValueError, match=r"glintr100.onnx: a network of .* not of faces"):
        ArcFace(stored(tmp_path), threads=1)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    put_arcface(tmp_path / FILE)
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"glintr100.onnx: cannot be loaded(.|\n)*forcerun models"):
        ArcFace(stored(tmp_path), threads=1)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"glintr100.onnx is not there"):
        ArcFace(stored(tmp_path, {FILE: 1000}), threads=1)
