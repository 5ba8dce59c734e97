"""mediapipe's face mesh as a surface: triangles, mirror images and a mean face in centimetres.

Triangles
    mediapipe publishes the edges of its mesh (FACEMESH_TESSELATION), not its faces. A face is a
    cycle of three edges that encloses nothing else: two cycles do (all their edges belong to two
    other triangles) and are left out. What remains is a disc with three holes, the eyes and the
    mouth; they are filled with strips between their upper and lower edges, so that a depth map has
    no holes. All are counter-clockwise seen from outside, in any right-handed frame.

Mean face
    Axes: x to the subject's left (right in the picture), y up, z out of the face towards the
    camera; right-handed. The origin is midway between the outer eye corners, the top of the
    forehead (10) is straight above the chin (152), and the face is symmetric about x = 0. So the
    line from nasion to chin leans back by 4 degrees, about as in a head held level (Downs 1948:
    the facial plane by 2).

    It is the mean of mesh output (generalised Procrustes) on three persons, mirrored too:
    `benchmarks/fit_face_model.py` makes `face_model.csv` again. None of it is copied from
    mediapipe's canonical_face_model.obj, which its wheels do not carry.

    Scale: outer eye corners 8.9 cm apart. That is assumed, not measured: mediapipe's own face has
    8.89, adults' means are 8.8 to 9.3 (Hong Kong, doi 10.1155/2013/821428). So lengths of one
    person are wrong by some 5 %.

    Depth is the network's guess: in the weak perspective of its output nothing else fixes it.
    Pictures can check it. Three heads rendered with this depth and turned by up to 30 degrees are
    seen turned (by `pose`) 0.9 to 1.05 times as much in yaw, 0.98 to 1.03 times in pitch; with 1.2
    times the depth both grow by an eighth. So depths are right within some 10 %. The persons
    smile, so the lips are 0.9 cm apart.
"""

from __future__ import annotations

from collections import defaultdict, deque
from itertools import combinations
from pathlib import Path

import numpy as np

from talkingface.faces import ibug68
from talkingface.networks.mediapipe_solutions import face_mesh_edges

N_VERTICES = 468

_OVAL_EDGE = (338, 10)  # on the face's outline, directed as its one triangle has it


def _skin() -> np.ndarray:
    """The mesh's own triangles: (852, 3)."""
    neighbours: dict[int, set[int]] = defaultdict(set)
    edges = face_mesh_edges()
    for a, b in edges:
        neighbours[a].add(b)
        neighbours[b].add(a)
    cycles = {tuple(sorted((a, b, c))) for a, b in edges for c in neighbours[a] & neighbours[b]}
    uses: dict[tuple[int, ...], int] = defaultdict(int)
    for cycle in cycles:
        for edge in combinations(cycle, 2):
            uses[edge] += 1
    faces = [c for c in cycles if any(uses[edge] <= 2 for edge in combinations(c, 2))]
    return np.array(sorted(faces))


def _strip(upper: list[int], lower: list[int]) -> np.ndarray:
    """Triangles between two lines of n vertices with the same ends: (2 n - 4, 3)."""
    faces = [(upper[0], lower[1], upper[1]), (upper[-1], lower[-2], upper[-2])]
    for i in range(1, len(upper) - 2):
        a, b, c, d = upper[i], lower[i], lower[i + 1], upper[i + 1]
        if i < len(upper) // 2:  # diagonals fan from the middle, so halves are mirror images
            faces += [(a, b, d), (b, c, d)]
        else:
            faces += [(a, b, c), (a, c, d)]
    return np.array(faces)


def _holes() -> list[np.ndarray]:
    """Fillings of the right eye (14, 3), the left eye (14, 3) and the mouth (18, 3)."""

    def mirrored(line: list[int]) -> list[int]:
        return [ibug68.MIRROR.get(v, v) for v in line]

    def across(line: list[int]) -> list[int]:
        return line + mirrored(line)[-2::-1]

    lids = [ibug68.CURVES[name][1] for name in ("upper lid", "lower lid")]
    lips = [ibug68.CURVES[f"{name} lip, inside"][1] for name in ("upper", "lower")]
    return [
        _strip(*lids),
        _strip(*(mirrored(line) for line in lids)),
        _strip(*(across(line) for line in lips)),
    ]


def _oriented(faces: np.ndarray) -> np.ndarray:
    """The same triangles, all counter-clockwise, each beginning where it did."""
    at_edge: dict[frozenset[int], list[int]] = defaultdict(list)
    for index, face in enumerate(faces.tolist()):
        for edge in combinations(face, 2):
            at_edge[frozenset(edge)].append(index)
    (first,) = at_edge[frozenset(_OVAL_EDGE)]
    result = faces.copy()
    waiting, done = deque([(first, *_OVAL_EDGE)]), {first}
    while waiting:
        index, start, end = waiting.popleft()
        a, b, c = result[index].tolist()
        if (start, end) not in ((a, b), (b, c), (c, a)):
            b, c = c, b
            result[index] = a, b, c
        for start, end in ((b, a), (c, b), (a, c)):  # as the neighbour has it
            for other in at_edge[frozenset((start, end))]:
                if other not in done:
                    done.add(other)
                    waiting.append((other, start, end))
    return result


_SKIN, _HOLES = _skin(), _holes()

# (898, 3) int. The first 852 are the mesh's own (SKIN), the others fill its holes.
TRIANGLES = _oriented(np.concatenate([_SKIN, *_HOLES]))
SKIN, RIGHT_EYE, LEFT_EYE, MOUTH = np.split(TRIANGLES, np.cumsum([len(_SKIN), 14, 14]))

_TABLE = np.loadtxt(Path(__file__).with_suffix(".csv"), delimiter=",", skiprows=1)

# (468,) int: vertex v's mirror image is MIRROR[v], its own on the midline.
MIRROR = _TABLE[:, 1].astype(int)

# (468, 3) float64, centimetres: the mean face.
CANONICAL = _TABLE[:, 2:]
