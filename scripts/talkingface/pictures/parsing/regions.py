"""Skin, hair, neck and cloth of a person, from colour and from the place relative to the face.

What the mesh does not reach is told apart in one frame, by itself, on a picture in which the face
is at most 128 pixels high:

1. Colours are counted in histograms of (log R/G, log B/G, brightness). The two ratios hardly
   change with shade, which is what parts a neck in the chin's shadow from dark cloth.
2. Each region's histogram is taken where it is almost certain: skin inside the face around its
   features, hair above and well beside the face, neck right below the chin, cloth further down;
   hair and cloth without what has the skin's colours, neck with nothing else.
3. Every pixel gets a score for every region: how much likelier its colour is there than any colour
   at all, minus how unlikely the place is. The scores become shares, a guided filter smooths them,
   and the largest wins.
4. Regions must hang together: skin with the face, neck with the chin, hair with the person's
   outline, cloth with what is below. What does not is given to what is nearest.
5. Another guided filter brings the result to the frame's size, so that borders follow edges.

Places are those of `face_frame`. The numbers were chosen by eye on three people.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from talkingface.faces.face_frame import FaceFrame, face_outline, fill_polygon
from talkingface.pictures.guided_filter import GuidedFilter
from talkingface.pictures.parsing.labels import CLOTH, HAIR, NECK, SKIN

REGIONS = (SKIN, HAIR, NECK, CLOTH)
_SKIN, _HAIR, _NECK, _CLOTH = range(len(REGIONS))  # their indexes

_FACE_HEIGHT = 128  # of the face in the work picture, pixels, at most
_LONGER_SIDE = 512  # of the work picture, at most
_BINS = (32, 32, 16)  # of log R/G, log B/G and brightness
_N_BINS = 32 * 32 * 16
_FEW = 30  # pixels; a region with fewer certain ones has no colours of its own
_NEVER = -30.0  # score of a region where it cannot be
_LOG = np.log(np.arange(256, dtype=np.float32) + 16)[None]
_DARKEST, _BRIGHTEST = float(_LOG.min()), float(_LOG.max())


@dataclass(frozen=True)
class _View:
    """One face in the work picture (h, w) and its surroundings; all maps are (h, w)."""

    picture: np.ndarray  # (h, w, 3) uint8
    person: np.ndarray  # float32 0..1
    colours: np.ndarray  # int32, bin of the histograms
    u: np.ndarray  # across the face, see FaceFrame
    v: np.ndarray  # along it
    jaw: np.ndarray  # v of the jaw line at this u; at ear lobe height beside the face
    face: np.ndarray  # bool, outline of the mesh and the jaw
    core: np.ndarray  # bool, well inside
    near: np.ndarray  # bool, face and a rim around it
    features: np.ndarray  # bool, around eyes, brows and lips
    unit: float  # height of the face, pixels


def find_regions(
    frame: np.ndarray,
    person: np.ndarray,
    points: np.ndarray,
    jaw: np.ndarray,
    features: list[np.ndarray],
) -> np.ndarray:
    """Regions of the person in one frame.

    frame: (H, W, 3) uint8 BGR. person: (H, W) float32, 0..1. points: (478 or 468, 2 or 3) mesh in
    pixels. jaw: (17, 2), 300-W's jaw line in pixels. features: polygons (n, 2), in pixels, of what
    in the face is not skin. Returns (H, W) uint8: one of REGIONS, also where no person is.
    """
    view = _make_view(frame, person, points, jaw, features)
    smooth = GuidedFilter(view.picture, max(2, round(0.035 * view.unit)))
    chosen = _tidy(_largest(_shares(_scores(view)), smooth), view)
    sharpen = GuidedFilter(view.picture, max(2, round(0.02 * view.unit)), frame)
    masks = np.stack([chosen == k for k in range(len(REGIONS))]).astype(np.float32)
    return np.array(REGIONS, np.uint8)[_largest(masks, sharpen)]


def _largest(shares: np.ndarray, smooth: GuidedFilter) -> np.ndarray:
    """Index (H, W) of the largest of shares (n, h, w) that add up to one, after filtering."""
    largest = smooth.apply(shares[0])
    rest = 1 - largest
    index = np.zeros(largest.shape, np.uint8)
    for k in range(1, len(shares)):
        if k + 1 < len(shares):
            share = smooth.apply(shares[k]) if shares[k].any() else np.zeros_like(largest)
            rest -= share
        else:  # The filter keeps the sum.
            share = rest
        index[share > largest] = k
        np.maximum(largest, share, out=largest)
    return index


def _make_view(
    frame: np.ndarray,
    person: np.ndarray,
    points: np.ndarray,
    jaw: np.ndarray,
    features: list[np.ndarray],
) -> _View:
    """The work picture and its maps; the arguments are those of `find_regions`."""
    height, width = frame.shape[:2]
    face_frame = FaceFrame.of(points)
    scale = min(1.0, _FACE_HEIGHT / face_frame.height, _LONGER_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    ratio = np.array([size[0] / width, size[1] / height])
    x, y = np.meshgrid((np.arange(size[0]) + 0.5) / ratio[0], (np.arange(size[1]) + 0.5) / ratio[1])
    u, v = face_frame.places(x, y)
    jaw_u, jaw_v = face_frame.places(jaw[:, 0], jaw[:, 1])
    order = np.argsort(jaw_u)
    line = np.interp(u, jaw_u[order], jaw_v[order], left=0.75, right=0.75)
    unit = face_frame.height * scale
    face = face_outline(points[:, :2] * ratio, jaw * ratio, picture.shape).astype(np.uint8)
    marked = np.zeros_like(face)
    for polygon in features:
        fill_polygon(marked, polygon * ratio, 1)
    return _View(
        picture=picture,
        person=cv2.resize(person, size, interpolation=cv2.INTER_AREA),
        colours=_colours(picture),
        u=u,
        v=v,
        jaw=np.maximum(line, 0.7).astype(np.float32),
        face=face.astype(bool),
        core=cv2.erode(face, _disc(0.06 * unit)).astype(bool),
        near=cv2.dilate(face, _disc(0.05 * unit)).astype(bool),
        features=cv2.dilate(marked, _disc(0.04 * unit)).astype(bool),
        unit=unit,
    )


def _disc(radius: float) -> np.ndarray:
    """Kernel of a morphological operation, of at least one pixel's radius."""
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _colours(picture: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 BGR -> (h, w) int32 number of the histogram's bin."""
    b, g, r = cv2.split(cv2.LUT(picture, _LOG))
    brightness = (b + g + r) / 3
    red = np.clip((r - g + 0.6) / 1.6 * _BINS[0], 0, _BINS[0] - 1).astype(np.int32)
    blue = np.clip((b - g + 1.2) / 1.8 * _BINS[1], 0, _BINS[1] - 1).astype(np.int32)
    level = (brightness - _DARKEST) / (_BRIGHTEST - _DARKEST) * _BINS[2]
    return (red * _BINS[1] + blue) * _BINS[2] + np.clip(level, 0, _BINS[2] - 1).astype(np.int32)


def _density(colours: np.ndarray) -> np.ndarray:
    """Colours (n,) -> (bins,) likelihood of every colour relative to all being alike."""
    from scipy.ndimage import gaussian_filter

    counts = np.bincount(colours, minlength=_N_BINS).reshape(_BINS).astype(np.float32)
    smooth = gaussian_filter(counts, 1, mode="constant")
    return smooth.ravel() * (_N_BINS / max(1.0, float(smooth.sum())))


def _shaded(density: np.ndarray) -> np.ndarray:
    """The likelihood of colours (bins,) in less light: the same ratios, as bright or darker."""
    cube = density.reshape(_BINS)
    weights = np.exp(-0.5 * (np.arange(8, dtype=np.float32) / 2.5) ** 2)
    darker = np.zeros_like(cube)
    for step, weight in enumerate(weights / weights.sum()):
        darker[..., : _BINS[2] - step] += weight * cube[..., step:]
    return darker.ravel()


@dataclass(frozen=True)
class _Densities:
    """Likelihood of every colour (bins,) in each region; None where too little of it is certain."""

    skin: np.ndarray
    shaded: np.ndarray  # skin in less light
    hair: np.ndarray | None
    neck: np.ndarray
    cloth: np.ndarray | None


def _learn(view: _View) -> _Densities:
    """The regions' colours, from where each region is almost certain."""
    v, colours, side = view.v, view.colours, np.abs(view.u)
    below = ~view.face & (v > view.jaw)
    certain = view.person > 0.9

    on_face = colours[view.core & ~view.features & (v > 0.25) & (v < 0.8)]
    skin = _density(on_face)
    if len(on_face):  # The rarest colours are strands of hair, or glasses.
        skin = _density(on_face[skin[on_face] > np.quantile(skin[on_face], 0.15)])
    shaded = _shaded(skin)
    usual_level = np.median(on_face % _BINS[2]) if len(on_face) else _BINS[2]
    like_skin = skin > 3

    above = ((v < 0.1) & (side < 1.7)) | ((v < 0.5) & (side > 1.35) & (side < 1.8))
    on_head = colours[certain & ~view.near & above]
    of_hair = on_head[~like_skin[on_head]]
    # A bald head has some highlights that are not like skin.
    hair = _density(of_hair) if len(of_hair) > max(_FEW, 0.05 * len(on_head)) else None

    on_body = colours[certain & below & ((side > 1.5) | (v > view.jaw + 0.5))]
    of_cloth = on_body[~like_skin[on_body]]
    # Long hair hangs down here; but cloth may have its colour.
    not_hair = of_cloth[hair[of_cloth] < 3] if hair is not None else of_cloth
    of_cloth = not_hair if len(not_hair) > 0.3 * len(of_cloth) else of_cloth
    cloth = _density(of_cloth) if len(of_cloth) > _FEW else None

    under_chin = colours[certain & (side < 0.5) & (v > view.jaw + 0.04) & (v < view.jaw + 0.25)]
    is_neck = (shaded[under_chin] > 2) & (under_chin % _BINS[2] <= usual_level + 1)
    of_neck = under_chin[is_neck]
    neck = shaded
    if len(of_neck) > max(_FEW, 0.2 * len(under_chin)):
        neck = 0.15 * shaded + 0.85 * _density(of_neck)
    return _Densities(skin, shaded, hair, neck, cloth)


def _scores(view: _View) -> np.ndarray:
    """(4, h, w) float32, log likelihood of the regions."""
    v, side, face = view.v, np.abs(view.u), view.face
    below = ~face & (v > view.jaw)
    learnt = _learn(view)

    def likely(density: np.ndarray | None, unknown: float, floor: float) -> np.ndarray:
        if density is None:
            return np.full(v.shape, unknown, np.float32)
        return np.log(np.maximum(density, floor))[view.colours]

    scores = np.empty((len(REGIONS), *v.shape), np.float32)
    # Skin goes on above the mesh up to the hairline or crown, and beside it as ears.
    cost = np.where(face, 0, 1 + 8 * _ramp(side, 1.1, 2) + 8 * _ramp(-v, 0.25, 0.9))
    scores[_SKIN] = likely(0.8 * learnt.skin + 0.2 * learnt.shaded, 0, 0.05) - cost
    scores[_SKIN][below] = _NEVER

    # Hair falls over the forehead and the face's sides, and down beside the neck, not before it.
    on_face = 2 + 8 * _ramp(v, 0.15, 0.4) * (1 - _ramp(side, 0.6, 0.95)) + 3 * _ramp(v, 0.5, 0.8)
    off_face = 5 * _ramp(v, 1, 2) + 4 * _ramp(side, 1.6, 2.5) * _ramp(v, 0.5, 1)
    off_face += 10 * below * (1 - _ramp(side, 0.65, 1))
    off_face += 1.5 * ((side > 0.9) & (side < 1.35) & (v > 0.3) & (v < 0.65))  # ears
    scores[_HAIR] = likely(learnt.hair, -1.5, 0.3) - np.where(face, on_face, off_face)

    cost = 8 * _ramp(side, 0.75, 1.2) + 3 * _ramp(v, 1.4, 2.2)
    scores[_NECK] = np.where(below, likely(learnt.neck, 0, 0.01) - cost, _NEVER)

    # Cloth has more colours than were learnt; it seldom reaches up to the jaw, and above it hardly.
    cost = 3 * (1 - _ramp(side, 1.1, 1.5)) * (1 - _ramp(v, view.jaw, view.jaw + 0.3))
    scores[_CLOTH] = likely(learnt.cloth, 0, 1) - np.where(below, cost, 6)
    scores[_CLOTH][face] = _NEVER
    return scores


def _ramp(values: np.ndarray, start: np.ndarray | float, end: np.ndarray | float) -> np.ndarray:
    """0 up to `start`, 1 from `end` on, and linear between."""
    return np.clip((values - start) / (end - start), 0, 1)


def _shares(scores: np.ndarray) -> np.ndarray:
    """Softmax of scores (n, h, w) over the first axis; none counts as over 10 below the largest."""
    shares = np.exp(np.maximum(scores - scores.max(axis=0), -10))
    return shares / shares.sum(axis=0)


def _tidy(chosen: np.ndarray, view: _View) -> np.ndarray:
    """Regions (h, w) uint8; what does not hang together is given to what is nearest.

    Outside the person every pixel has the region of the nearest pixel inside.
    """
    person = view.person > 0.5
    below_chin = ~view.face & (np.abs(view.u) < 0.5) & (view.v > view.jaw)
    anchors = {
        _SKIN: view.core,
        _HAIR: _border(person) & (view.v < 0.75),
        _NECK: below_chin & (view.v < view.jaw + 0.2),
        _CLOTH: view.v > min(1.2, view.v[-1].max() - 0.1),  # the picture may end higher
    }
    kept = np.zeros_like(person)
    for region, anchor in anchors.items():
        pixels = (chosen == region) & person
        if region != _CLOTH:  # Of the others, strands and specks are left out.
            disc = _disc(0.015 * view.unit)
            pixels = cv2.morphologyEx(pixels.astype(np.uint8), cv2.MORPH_OPEN, disc).astype(bool)
        kept |= _joined(pixels, anchor)
    if not kept.any():
        return chosen
    _, nearest = cv2.distanceTransformWithLabels(
        (~kept).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    region_of = np.zeros(int(nearest.max()) + 1, chosen.dtype)
    region_of[nearest[kept]] = chosen[kept]
    return region_of[nearest]


def _border(person: np.ndarray) -> np.ndarray:
    """The person's outline and the picture's edges, two pixels deep."""
    padded = np.pad(person, 2).astype(np.uint8)
    return person & (cv2.erode(padded, _disc(2))[2:-2, 2:-2] == 0)


def _joined(mask: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    """The parts of a mask that touch the anchor."""
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    keep = np.zeros(count, bool)
    keep[np.unique(parts[mask & anchor])] = True
    keep[0] = False
    return keep[parts]
