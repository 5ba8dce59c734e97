"""The 68 points of 300-W (iBUG) from mediapipe's face mesh.

300-W defines most of its points by division, not by anatomy: jaw and eyelids are cut into equal
parts between two ends. Single mesh vertices cannot say that. So every point is a *place* along a
curve of mesh vertices and a *depth* from that curve towards a companion curve beside it:

    point = main(place) + depth * (companion(place) - main(place))

- A rule `arc` curve measures place as a fraction of its length in the picture, 0..1; points stay
  evenly spread when the head turns or the lid closes. A rule `vertex` curve measures it in vertices
  from the curve's start (2.2: a fifth of the way from its third vertex to its fourth); points stay
  where they are on the skin. Values slightly outside the ends extend the curve.
- Jaw (0-16), `arc`: face oval, companion the ring inside it. Ear to chin in equal eighths; on
  the cheeks 300-W's contour runs inside mediapipe's oval, at the chin outside it.
- Brows (17-26), `vertex`: lower and upper edge; 300-W's line runs near the upper one.
- Nose: bridge (27-30), `vertex`, nasion to tip; base (31-35), `vertex`, wing to septum.
- Eyes (36-47), `arc`: lid edge, companion the ring outside it; lids at thirds.
- Lips (48-67): the upper edge by `vertex` (cupid's bow is anatomy), the lower edge by `arc`.

Curves are listed for the half that lies left in the picture (the subject's right); the other half
is its mirror image, and points on the midline are the mean of both.

Source of the numbers: the curves are rows of mediapipe's mesh topology, the choice of rule per
group is the one that carried over better between two persons, and places and depths are least
squares against dlib's 68-point predictor (`dlib68.py`), left and right pooled, on scikit-image's
astronaut (NASA, public domain) and LatentSync's seated woman (head turns included), each varied
by turn, scale, stretch, perspective, mirroring and brightness: `benchmarks/fit_ibug68.py` makes
the table again. dlib's predictor was trained on 300-W, whose licence excludes commercial use; what
is here is some 70 numbers fitted to its answers on two faces, neither the model nor its data.

On a third person that took no part (tests/unit/faces/test_ibug68.py) the mean distance to PIPNet's
points is 3.6 % of the distance of the outer eye corners, 2.2 % without the jaw.
"""

from __future__ import annotations

import numpy as np

# name: rule, main curve, companion curve
CURVES: dict[str, tuple[str, list[int], list[int] | None]] = {
    "jaw": (
        "arc",
        [127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152],
        [34, 227, 137, 177, 215, 138, 135, 169, 170, 140, 171, 175],
    ),
    "brow": ("vertex", [46, 53, 52, 65, 55], [70, 63, 105, 66, 107]),
    "nose bridge": ("vertex", [9, 8, 168, 6, 197, 195, 5, 4, 1], None),
    "nose base": ("vertex", [98, 97, 2], [64, 99, 94]),
    "upper lid": (
        "arc",
        [33, 246, 161, 160, 159, 158, 157, 173, 133],
        [130, 247, 30, 29, 27, 28, 56, 190, 243],
    ),
    "lower lid": (
        "arc",
        [33, 7, 163, 144, 145, 153, 154, 155, 133],
        [130, 25, 110, 24, 23, 22, 26, 112, 243],
    ),
    "upper lip": ("vertex", [61, 185, 40, 39, 37, 0], [76, 184, 74, 73, 72, 11]),
    "lower lip": ("arc", [61, 146, 91, 181, 84, 17], [76, 77, 90, 180, 85, 16]),
    "upper lip, inside": ("vertex", [78, 191, 80, 81, 82, 13], [62, 183, 42, 41, 38, 12]),
    "lower lip, inside": ("arc", [78, 95, 88, 178, 87, 14], [62, 96, 89, 179, 86, 15]),
}

# 300-W point: curve, place, depth
PLACES: dict[int, tuple[str, float, float]] = {
    0: ("jaw", 0.01, 0.82),
    1: ("jaw", 0.15, 0.91),
    2: ("jaw", 0.27, 0.78),
    3: ("jaw", 0.41, 0.63),
    4: ("jaw", 0.51, 0.10),
    5: ("jaw", 0.61, -0.19),
    6: ("jaw", 0.74, -0.25),
    7: ("jaw", 0.87, -0.36),
    8: ("jaw", 1.00, -0.30),
    17: ("brow", -0.30, 0.69),
    18: ("brow", 1.03, 0.80),
    19: ("brow", 2.20, 0.77),
    20: ("brow", 3.18, 0.83),
    21: ("brow", 3.94, 0.52),
    27: ("nose bridge", 2.43, 0.00),
    28: ("nose bridge", 4.00, 0.00),
    29: ("nose bridge", 5.72, 0.00),
    30: ("nose bridge", 7.18, 0.00),
    31: ("nose base", 0.52, 0.30),
    32: ("nose base", 1.14, -0.21),
    33: ("nose base", 2.01, -0.75),
    36: ("upper lid", -0.02, -0.04),
    37: ("upper lid", 0.30, -0.09),
    38: ("upper lid", 0.62, -0.07),
    39: ("upper lid", 1.00, -0.62),
    41: ("lower lid", 0.31, 0.24),
    40: ("lower lid", 0.62, 0.21),
    48: ("upper lip", -0.27, 0.36),
    49: ("upper lip", 2.63, 0.39),
    50: ("upper lip", 4.13, 0.19),
    51: ("upper lip", 5.00, 0.34),
    59: ("lower lip", 0.44, -0.27),
    58: ("lower lip", 0.78, -0.16),
    57: ("lower lip", 1.00, -0.17),
    60: ("upper lip, inside", 0.11, -1.00),
    61: ("upper lip, inside", 3.96, -0.50),
    62: ("upper lip, inside", 5.01, -0.65),
    67: ("lower lip, inside", 0.74, 0.14),
    66: ("lower lip, inside", 1.00, 0.10),
}

# The mirror image of every vertex used above; midline vertices are their own.
_MIRROR_PAIRS = """
127 356   234 454   93 323   132 361   58 288   172 397   136 365   150 379   149 378
176 400   148 377   34 264   227 447   137 366   177 401   215 435   138 367   135 364
169 394   170 395   140 369   171 396   46 276   53 283   52 282   65 295   55 285
70 300   63 293   105 334   66 296   107 336   98 327   97 326   64 294   99 328
33 263   246 466   161 388   160 387   159 386   158 385   157 384   173 398   133 362
130 359   247 467   30 260   29 259   27 257   28 258   56 286   190 414   243 463
7 249   163 390   144 373   145 374   153 380   154 381   155 382   25 255   110 339
24 254   23 253   22 252   26 256   112 341   61 291   185 409   40 270   39 269
37 267   76 306   184 408   74 304   73 303   72 302   146 375   91 321   181 405
84 314   77 307   90 320   180 404   85 315   78 308   191 415   80 310   81 311
82 312   62 292   183 407   42 272   41 271   38 268   95 324   88 318   178 402
87 317   96 325   89 319   179 403   86 316
"""
_NUMBERS = [int(word) for word in _MIRROR_PAIRS.split()]
MIRROR = dict(zip(_NUMBERS[0::2], _NUMBERS[1::2], strict=True))

# The mirror image of every 300-W point.
MIRROR68 = [
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
]  # fmt: skip


def points68(points: np.ndarray) -> np.ndarray:
    """Mesh points -> 300-W points.

    points: (N, 478 or 468, 2 or 3), any float dtype; x and y in pixels, y down. NaN stays NaN.
    Returns (N, 68, 2) float32 in the same frame.
    """
    xy = np.asarray(points)[..., :2].astype(np.float64)
    if xy.ndim != 3 or xy.shape[1] < 468:
        raise ValueError(f"expected (N, 478, 3) mesh points, got {np.shape(points)}")
    found = np.empty((len(xy), 68, 2))
    for index, (curve, place, depth) in PLACES.items():
        left = place_on(xy, curve, place, depth, mirrored=False)
        right = place_on(xy, curve, place, depth, mirrored=True)
        if MIRROR68[index] == index:
            left = right = (left + right) / 2
        found[:, index], found[:, MIRROR68[index]] = left, right
    return found.astype(np.float32)


def place_on(xy: np.ndarray, curve: str, place: float, depth: float, mirrored: bool) -> np.ndarray:
    """One point on a curve of CURVES: (N, >=468, 2) mesh -> (N, 2)."""
    rule, main, companion = CURVES[curve]
    if mirrored:
        main = [MIRROR.get(v, v) for v in main]
        companion = companion and [MIRROR.get(v, v) for v in companion]
    line = xy[:, main]
    frames = np.arange(len(xy))
    if rule == "arc":
        start, part = _along(line, place)
    else:
        start = np.full(len(xy), np.clip(int(np.floor(place)), 0, len(main) - 2))
        part = place - start

    def between(polyline: np.ndarray) -> np.ndarray:
        first, second = polyline[frames, start], polyline[frames, start + 1]
        return first + part[:, None] * (second - first)

    point = between(line)
    if companion is None:
        return point
    return point + depth * (between(xy[:, companion]) - point)


def _along(line: np.ndarray, place: float) -> tuple[np.ndarray, np.ndarray]:
    """Segment (N,) and part of it (N,) at a fraction of the length of lines (N, V, 2)."""
    lengths = np.linalg.norm(np.diff(line, axis=1), axis=-1)
    ends = np.cumsum(lengths, axis=1)
    way = place * ends[:, -1]
    segment = np.minimum((ends[:, :-1] <= way[:, None]).sum(axis=1), lengths.shape[1] - 1)
    frames = np.arange(len(line))
    length = lengths[frames, segment]
    return segment, (way - ends[frames, segment] + length) / np.maximum(length, 1e-9)
