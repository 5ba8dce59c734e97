"""The mesh is a closed disc of triangles, and the mean face is a face."""

from collections import Counter

import numpy as np
import pytest

from talkingface.faces import ibug68
from talkingface.faces.face_model import (
    CANONICAL,
    LEFT_EYE,
    MIRROR,
    MOUTH,
    RIGHT_EYE,
    SKIN,
    TRIANGLES,
)
from talkingface.faces.mesh import N_POINTS_COARSE


def directed_edges(triangles):
    return Counter(edge for a, b, c in triangles.tolist() for edge in ((a, b), (b, c), (c, a)))


def rim(triangles):
    """Edges that only one triangle has, as that triangle has them."""
    edges = directed_edges(triangles)
    return {edge for edge in edges if edge[::-1] not in edges}


def loops(edges):
    """Lengths of the closed lines that edges make, longest first."""
    following = dict(edges)
    assert len(following) == len(edges)
    lengths = []
    while following:
        start = at = next(iter(following))
        length = 0
        while at in following:
            at = following.pop(at)
            length += 1
        assert at == start
        lengths.append(length)
    return sorted(lengths, reverse=True)


def test_every_edge_of_mediapipe_is_used():
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    published = {frozenset(edge) for edge in FACEMESH_TESSELATION}
    assert {frozenset(edge) for edge in directed_edges(SKIN)} == published


@pytest.mark.parametrize(
    "triangles, boundary, euler",
    [
        (SKIN, [36, 20, 16, 16], -2),  # outline, mouth, eyes: a disc with three holes
        (TRIANGLES, [36], 1),  # a disc
    ],
    ids=["skin", "closed"],
)
def test_a_surface_without_gaps_or_folds(triangles, boundary, euler):
    edges = directed_edges(triangles)
    # A neighbour has their edge the other way round: two triangles an inner edge, one orientation.
    assert set(edges.values()) == {1}
    assert loops(rim(triangles)) == boundary
    undirected = {frozenset(edge) for edge in edges}
    assert N_POINTS_COARSE - len(undirected) + len(triangles) == euler
    assert set(np.unique(triangles)) == set(range(N_POINTS_COARSE))


def test_the_outline_is_mediapipes():
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_FACE_OVAL

    outline = {frozenset(edge) for edge in FACEMESH_FACE_OVAL}
    assert {frozenset(edge) for edge in rim(TRIANGLES)} == outline


def test_the_fillings_have_their_names():
    assert (np.concatenate([SKIN, RIGHT_EYE, LEFT_EYE, MOUTH]) == TRIANGLES).all()
    for filling, corners in ((RIGHT_EYE, {33, 133}), (LEFT_EYE, {263, 362}), (MOUTH, {78, 308})):
        assert corners <= set(filling.ravel().tolist())
        # No new vertices, and the rim is that of the hole.
        assert {e[::-1] for e in rim(filling)} <= rim(SKIN)
    for a, b in ((RIGHT_EYE, LEFT_EYE), (MOUTH, MOUTH)):
        sets = [{frozenset(t) for t in triangles.tolist()} for triangles in (MIRROR[a], b)]
        assert sets[0] == sets[1]


def test_the_mirror_maps_the_mesh_onto_itself():
    assert (MIRROR[MIRROR] == np.arange(468)).all()
    assert all(MIRROR[a] == b for a, b in ibug68.MIRROR.items())
    # mediapipe's mesh has six quadrangles whose diagonals are no mirror images.
    edges = {frozenset(edge) for edge in directed_edges(SKIN)}
    assert len({frozenset(MIRROR[list(edge)]) for edge in edges} - edges) == 6


def test_the_mean_face_is_symmetric():
    assert np.array_equal(CANONICAL[MIRROR], CANONICAL * [-1, 1, 1])
    assert CANONICAL.shape == (468, 3)


def test_the_axes_are_as_said():
    right_eye, left_eye, forehead, chin, nose = CANONICAL[[33, 263, 10, 152, 4]]
    assert np.allclose(left_eye, [4.45, 0, 0]) and np.allclose(right_eye, [-4.45, 0, 0])
    assert forehead[1] > 0 > chin[1] and forehead[2] == pytest.approx(chin[2], abs=0.002)
    assert nose[2] == CANONICAL[:, 2].max()


def test_the_proportions_are_human():
    """Means of adults, from anthropometry: face widths and heights in centimetres."""

    def distance(a, b):
        return np.linalg.norm(CANONICAL[a] - CANONICAL[b])

    assert 12.5 < distance(234, 454) < 15  # cheek bone to cheek bone (zy-zy) 13 to 14
    assert 10.5 < distance(168, 152) < 13.5  # nasion to chin (n-gn) 11 to 12.5
    assert 1.4 < distance(2, 4) < 2.6  # nose base to tip (sn-prn) 2
    assert 3 < distance(98, 327) < 4.5  # nose wing to nose wing (al-al) 3.1 to 4.3


def test_normals_point_outwards():
    a, b, c = (CANONICAL[TRIANGLES[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    centre = np.array([0, -3, -6.0])  # in the head
    outward = np.einsum("ij,ij->i", normals, (a + b + c) / 3 - centre)
    assert (outward[: len(SKIN)] > 0).mean() > 0.97  # nostrils and lips are folded in
    assert normals.sum(axis=0)[2] > 100  # towards the camera
