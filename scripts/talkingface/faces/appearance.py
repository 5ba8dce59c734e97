"""Whether a face that is followed is still the same one, by its looks before and after.

A tracker that goes by place follows on from one person to the next where a second face comes up
where the first was: in a dissolve, a wipe, or at a cut that nobody found. A *look* is a small
picture of a face with its hair, neck and surroundings. Somebody who turns, talks, raises a hand or
is lit otherwise still looks like a moment ago at some moment soon; another person never does. So of
LOOKS looks before and as many after the most alike pair is compared, over steps from one sample to
LONGEST frames, that slow dissolves are seen from both of their ends.

What must have changed is both the face and all that a look shows: the surroundings change where
somebody walks by a lively background, the face where somebody turns.

`benchmarks/transitions.py` measures it. The numbers were chosen on tracks of one half of public
footage, 184 of the same face and 400 made of two faces, of which the one dissolves into the other.
Of these 97 % differ by 1.4 or more. Of the first those that do are other people and covered faces;
somebody who turns away from the camera differs by up to 1.35, in 10 frames by up to 1.1, in 5 by up
to 0.9.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

SIDE = 16  # pixels of a look
REACH = 1.6  # side of the square that a look shows, in longer sides of the face box
FACE = slice(3, 13)  # the rows and columns of a look that show the face box
LOOKS = 3  # before, and after
STEP = 5  # frames between looks, at least: closer ones say the same
LONGEST = 45  # frames: the longest transition, and a sample on either side
# The difference is 1 where the colours differ by so much (levels of 0 to 255), and light and shade
# by so much (1 - correlation); it is the geometric mean of the two, of the face by itself or of all
# that a look shows, whichever has changed less.
COLOUR, SHADE = 10.0, 0.25
FACE_COLOUR, FACE_SHADE = 7.7, 0.19
# A box is not always at the same place of its face: by how many pixels it may be off.
SHIFT, FACE_SHIFT = 2, 1
GAIN = 1.7  # the light may change by, at most
# In less time the same face changes less: shares of the threshold up to so many frames.
SOON = {5: 0.75, 10: 0.85}
# Fewer looks at an end of a track are less likely to meet one that is alike.
FEWER = {1: 1.6, 2: 1.15}
CHEAP = 1.8  # pairs whose cells differ by less than so many COLOUR are not looked at closely


def look(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The square around a face box (x, y, w, h) of a BGR picture: (SIDE, SIDE, 3) uint8.

    Where the square leaves the picture, the picture's border goes on.
    """
    height, width = image.shape[:2]
    side = round(REACH * float(max(box[2], box[3])))
    side = min(max(side, 2), 2 * max(height, width))
    x = round(float(box[0] + box[2] / 2) - side / 2)
    y = round(float(box[1] + box[3] / 2) - side / 2)
    # At least one pixel of the picture is shown, and no more border than it takes.
    x0, y0 = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    x1, y1 = min(max(x + side, x0 + 1), width), min(max(y + side, y0 + 1), height)
    face = image[y0:y1, x0:x1]
    above, left = min(max(0, y0 - y), side), min(max(0, x0 - x), side)
    below, right = min(max(0, y + side - y1), side), min(max(0, x + side - x1), side)
    if above or below or left or right:
        face = cv2.copyMakeBorder(face, above, below, left, right, cv2.BORDER_REPLICATE)
    return cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def changes(
    frames: Sequence[int], looks: Sequence[np.ndarray], threshold: float
) -> list[tuple[int, int]]:
    """Where a face becomes another's: (i, j) for the same until sample i, another from sample j on.

    `frames` (n,) are those of the samples, in order, `looks` n of `look`. What lies between i and j
    may show both. In order; no two overlap. `threshold` is for steps of more than 10 frames; over
    shorter ones less is asked (SOON).
    """
    kept = _spread(frames)
    at = np.asarray(frames)[kept]
    found = _candidates(at, np.asarray(looks)[kept], threshold)
    chosen: list[tuple[int, int]] = []
    while len(found):
        i, j, _ = found[found[:, 2].argmax()]
        group = found[(found[:, 0] < j) & (found[:, 1] > i)]
        group = group[group[:, 2] >= 0.9 * group[:, 2].max()]
        steps = group[:, 1] - group[:, 0]
        group = group[steps == steps.min()]
        i, j, _ = group[group[:, 2].argmax()]
        chosen.append((kept[int(i)], kept[int(j)]))
        # Looks of the transition itself make their neighbours differ too.
        found = found[(found[:, 0] >= j + LOOKS) | (found[:, 1] <= i - LOOKS)]
    return sorted(chosen)


def _spread(frames: Sequence[int]) -> list[int]:
    """Numbers of samples that are STEP frames or more apart."""
    kept = [0]
    for i, frame in enumerate(frames):
        if frame - frames[kept[-1]] >= STEP:
            kept.append(i)
    return kept


def _candidates(frames: np.ndarray, looks: np.ndarray, threshold: float) -> np.ndarray:
    """Rows (k, 3) of samples i and j and how much the face has changed, above the threshold."""
    n = len(frames)
    flat = _halved(looks.astype(np.float32)).reshape(n, -1)
    cheap: dict[int, np.ndarray] = {}
    for lag in range(1, min(n, LONGEST // STEP + 2 * LOOKS - 1)):
        cheap[lag] = np.abs(flat[lag:] - flat[:-lag]).mean(1)
    pairs = [
        (i, i + lag)
        for lag in range(1, min(n, LONGEST // STEP + 1))
        for i in _far(cheap, lag, n).tolist()
        if frames[i + lag] - frames[i] <= LONGEST
    ]
    beside = [
        [(a, b) for a in range(max(0, i - LOOKS + 1), i + 1) for b in range(j, min(n, j + LOOKS))]
        for i, j in pairs
    ]
    wanted = sorted({pair for group in beside for pair in group})
    if not wanted:
        return np.empty((0, 3))
    one, other = np.array(wanted).T
    known = dict(zip(wanted, _in_parts(looks[one], looks[other]).tolist(), strict=True))
    rows = []
    for (i, j), group in zip(pairs, beside, strict=True):
        least = min(known[pair] for pair in group)
        share = next((s for f, s in SOON.items() if frames[j] - frames[i] <= f), 1.0)
        share *= FEWER.get(min(i + 1, n - j), 1)
        if least >= threshold * share:
            rows.append((i, j, least))
    return np.array(rows).reshape(-1, 3)


def _in_parts(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """`differences`, with no more memory than so many looks at a time need."""
    part = 500
    starts = range(0, len(one), part)
    return np.concatenate([differences(one[k : k + part], other[k : k + part]) for k in starts])


def _far(cheap: dict[int, np.ndarray], lag: int, n: int) -> np.ndarray:
    """Samples i of which no look before is nearly that of one after i + lag, cell by cell."""
    least = np.full(n - lag, np.inf)
    for before in range(LOOKS):
        for after in range(LOOKS):
            values = cheap.get(lag + before + after)
            if values is not None:
                # Sample i - before against sample i + lag + after.
                part = slice(before, before + len(values))
                least[part] = np.minimum(least[part], values[: len(least[part])])
    return np.flatnonzero(least >= CHEAP * COLOUR)


def differences(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n,) how much looks (n, SIDE, SIDE, 3) differ from others, see COLOUR and SHADE."""
    one, other = one.astype(np.float32), other.astype(np.float32)
    whole = np.sqrt(
        _colour(one, other) / COLOUR * _shade(one.mean(3), other.mean(3), SHIFT) / SHADE
    )
    one, other = one[:, FACE, FACE], other[:, FACE, FACE]
    face = np.sqrt(
        _colour(one, other)
        / FACE_COLOUR
        * _shade(one.mean(3), other.mean(3), FACE_SHIFT)
        / FACE_SHADE
    )
    return np.minimum(whole, face)


def _halved(pictures: np.ndarray) -> np.ndarray:
    n, height, width, channels = pictures.shape
    return pictures.reshape(n, height // 2, 2, width // 2, 2, channels).mean((2, 4))


def _colour(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n,) mean difference of the colours of cells of 2 x 2 pixels, in the same light or not."""
    light = (one.mean((1, 2, 3)) + 4) / (other.mean((1, 2, 3)) + 4)
    lit = np.minimum(other * np.clip(light, 1 / GAIN, GAIN)[:, None, None, None], 255)
    one = _halved(one)
    return np.minimum(_nearest_cells(one, _halved(other)), _nearest_cells(one, _halved(lit)))


def _nearest_cells(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n,) mean difference of cells from the least different of those at and around their place."""
    height, width = one.shape[1:3]
    padded = np.pad(other, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    least = np.full(one.shape[:3], np.inf, np.float32)
    for y in range(3):
        for x in range(3):
            moved = padded[:, y : y + height, x : x + width]
            least = np.minimum(least, np.abs(one - moved).mean(3))
    return least.mean((1, 2))


def _shade(one: np.ndarray, other: np.ndarray, shift: int) -> np.ndarray:
    """(n,) 1 - the highest correlation of grey pictures (n, h, w) moved by up to `shift` pixels."""
    height, width = one.shape[1:]
    best = np.full(len(one), -1.0, np.float32)
    for y in range(-shift, shift + 1):
        for x in range(-shift, shift + 1):
            parts = []
            for picture, sign in ((one, 1), (other, -1)):
                rows = slice(max(0, sign * y), height + min(0, sign * y))
                columns = slice(max(0, sign * x), width + min(0, sign * x))
                part = picture[:, rows, columns].reshape(len(one), -1)
                parts.append(part - part.mean(1, keepdims=True))
            a, b = parts
            together = np.einsum("np,np->n", a, b)
            alone = np.einsum("np,np->n", a, a) * np.einsum("np,np->n", b, b)
            best = np.maximum(best, together / np.sqrt(alone + 1e-3))
    return 1 - best
