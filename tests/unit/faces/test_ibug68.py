"""The mapping against the definition of the 300-W points and a published landmark file."""

import math

import numpy as np
import pytest
import skimage.data

from helpers.paths import SAMPLES
from talkingface.faces import dlib68, ibug68, landmark_files, landmarks, mesh

SAMPLE = SAMPLES / "FAzSK8PLmGI.mp4"

try:
    dlib68.load_predictor()
    has_dlib = True
except dlib68.DlibMissing:
    has_dlib = False


@pytest.fixture(scope="module")
def portrait():
    """Mesh of skimage's astronaut, (478, 3)."""
    frame = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    with mesh.FaceMesh() as faces:
        return faces.follow(frame)


def turned(points, yaw, pitch=0.0):
    """The mesh turned in space about its centre, degrees, seen from far away."""
    a, b = np.radians(yaw), np.radians(pitch)
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    centre = points.mean(axis=0)
    return (points - centre) @ (about_x @ about_y).T + centre


def test_shapes(portrait):
    for n in (0, 1, 3):
        found = ibug68.points68(np.repeat(portrait[None], n, axis=0))
        assert found.shape == (n, 68, 2) and found.dtype == np.float32
    assert np.array_equal(
        ibug68.points68(portrait[None, :468, :2]), ibug68.points68(portrait[None])
    )
    with pytest.raises(ValueError, match="478"):
        ibug68.points68(portrait)


def test_a_frame_without_a_face_stays_one(portrait):
    pair = np.stack([np.full_like(portrait, np.nan), portrait])
    found = ibug68.points68(pair)
    assert np.isnan(found[0]).all()
    assert np.array_equal(found[1], ibug68.points68(portrait[None])[0])


def test_every_point_is_placed_once_and_curves_have_mirrors():
    covered = sorted({m for i in ibug68.PLACES for m in (i, ibug68.MIRROR68[i])})
    assert covered == list(range(68))
    assert [ibug68.MIRROR68[i] for i in ibug68.MIRROR68] == list(range(68))
    pairs = ibug68.MIRROR
    assert len(set(pairs)) == len(pairs) and not set(pairs) & set(pairs.values())
    for _, main, companion in ibug68.CURVES.values():
        assert companion is None or len(main) == len(companion)


def test_a_mirrored_face_has_mirrored_points(portrait):
    """The mesh mirrored vertex for vertex, by the pairs, is a mirrored face."""
    both = {**ibug68.MIRROR, **{v: k for k, v in ibug68.MIRROR.items()}}
    swap = [both.get(i, i) for i in range(478)]
    flipped = portrait[swap] * [-1, 1, 1]
    expected = ibug68.points68(portrait[None])[0][ibug68.MIRROR68] * [-1, 1]
    assert np.allclose(ibug68.points68(flipped[None])[0], expected, atol=1e-3)


def test_the_pairs_are_mirror_images(portrait):
    """On a face looking at the camera, pairs lie across the midline."""
    axis = portrait[263, :2] - portrait[33, :2]
    unit = np.linalg.norm(axis)
    axis = axis / unit
    middle = portrait[[168, 6, 2, 0, 17, 152], :2].mean(axis=0)
    for left, right in ibug68.MIRROR.items():
        a, b = portrait[left, :2] - middle, portrait[right, :2] - middle
        assert abs(a @ axis + b @ axis) < 0.12 * unit, (left, right)
        assert abs(np.cross(axis, a) - np.cross(axis, b)) < 0.12 * unit, (left, right)
        assert b @ axis > a @ axis, (left, right)


def test_similarity_commutes(portrait):
    angle = 0.7
    linear = 1.9 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = portrait[:, :2] @ linear.T + [30, -70]
    expected = ibug68.points68(portrait[None])[0] @ linear.T + [30, -70]
    assert np.allclose(ibug68.points68(moved[None])[0], expected, atol=1e-3)


@pytest.mark.parametrize("yaw, pitch", [(0, 0), (30, 0), (-30, 10), (50, 0), (-50, -15), (0, 25)])
def test_nothing_goes_wild_on_turned_heads(portrait, yaw, pitch):
    face = turned(portrait, yaw, pitch)
    points = ibug68.points68(face[None])[0]
    low, high = face[:468, :2].min(axis=0), face[:468, :2].max(axis=0)
    margin = 0.06 * (high - low)
    assert (points > low - margin).all() and (points < high + margin).all()
    # the jaw runs down to the chin and up again, in steps that do not bunch up
    jaw = points[:17]
    steps = np.linalg.norm(np.diff(jaw, axis=0), axis=1)
    for side in (steps[:8], steps[8:]):
        assert side.max() < 1.9 * side.min()
    assert (np.diff(jaw[:7, 1]) > 0).all() and (np.diff(jaw[10:, 1]) < 0).all()
    if abs(yaw) > 40:
        return  # the far corners of eye and mouth fold under
    # lids and lips keep their order in the picture
    assert (np.diff(points[36:40, 0]) > 0).all() and (np.diff(points[42:46, 0]) > 0).all()
    assert (np.diff(points[48:55, 0]) > 0).all() and (np.diff(points[54:60, 0]) < 0).all()


def ffmpeg_cfr(n_frames: int, rate: float, out: float) -> list[int]:
    """Which source frame each output frame of `ffmpeg -r out` shows (constant rate, before 5.1).

    ffmpeg.c, do_video_out, VSYNC_CFR: a frame is written at the next free place even if it is
    early there, and dropped only when it is more than 1.1 output frames late. So the output runs
    ahead: one frame for each of the first 13, then about 1.7 frames behind the clock, and two
    frames more than the duration has. 150 frames at 29.97 give the sample's 127.
    """
    shown: list[int] = []
    for frame in range(n_frames):
        delta0 = frame * out / rate - len(shown)
        delta = delta0 + 1
        if delta0 < 0 < delta:
            delta0 = 0
        count = 0 if delta < -1.1 else max(1, round(delta)) if delta > 1.1 else 1
        shown += [frame] * count
    return shown


@pytest.fixture(scope="module")
def published():
    """Frames of the sample, its published 68 points, and the source frame each line shows."""
    av = pytest.importorskip("av")
    reference, present = landmark_files.read_text(SAMPLES / "FAzSK8PLmGI.landmarks.txt")
    assert present.all()
    with av.open(str(SAMPLE)) as container:
        frames = [f.to_ndarray(format="bgr24") for f in container.decode(video=0)]
    shown = ffmpeg_cfr(len(frames), 30000 / 1001, 25)
    assert len(shown) == len(reference) == 127
    return frames, reference, shown


def errors(points, reference):
    """Percent of the distance of the outer eye corners: all, without the jaw, jaw."""
    unit = np.linalg.norm(reference[:, 36] - reference[:, 45], axis=-1).mean()
    each = 100 * np.linalg.norm(points - reference, axis=-1).mean(axis=0) / unit
    return each.mean(), each[17:].mean(), each[:17].mean()


@pytest.fixture(scope="module")
def followed(published):
    with landmarks.load("mediapipe") as backend:
        return backend.run(published[0])


@pytest.mark.footage
def test_the_published_file_by_mediapipe(published, followed):
    """No frame of this video and no line of this file took part in the fit."""
    _, reference, shown = published
    assert followed.present.all()
    overall, inner, jaw = errors(followed.points68[shown], reference)
    print(f"mediapipe: all {overall:.2f}, without jaw {inner:.2f}, jaw {jaw:.2f}")
    assert overall <= 4.0 and inner <= 2.8


@pytest.mark.footage
@pytest.mark.skipif(not has_dlib, reason="dlib is not installed")
def test_the_published_file_by_dlib(published):
    frames, reference, shown = published
    with landmarks.load("dlib") as backend:
        found = backend.run(frames)
    overall, inner, jaw = errors(found.points68[shown], reference)
    print(f"dlib: all {overall:.2f}, without jaw {inner:.2f}, jaw {jaw:.2f}")
    assert overall <= 3.2 and inner <= 2.0


@pytest.mark.footage
def test_the_alignment_is_the_best_one(published, followed):
    """Motion alone, each point less its mean place: no other shift of lines fits better."""
    _, reference, shown = published

    def misfit(shift):
        points = followed.points68[np.clip(np.array(shown) + shift, 0, 149)]
        gap = points - reference
        return np.linalg.norm(gap - gap.mean(axis=0), axis=-1).mean()

    by_shift = {s: misfit(s) for s in range(-3, 4)}
    assert min(by_shift, key=by_shift.get) == 0
    assert not math.isclose(by_shift[0], by_shift[1], rel_tol=0.1)
