"""N pictures whatever is on them, on one scale that gives back what was measured."""

import json

import av
import cv2
import numpy as np
import pytest

from talkingface.faces.face_model import TRIANGLES
from talkingface.faces.landmark_files import Landmarks, write_landmarks
from talkingface.job.tables import read_table
from talkingface.media.clip_files import Clip
from talkingface.media.video import limited_yuv420p
from talkingface.media.writer import VideoWriter
from talkingface.models.store import StoredModel
from talkingface.pictures.batches import BATCH
from talkingface.pictures.depth import depth
from talkingface.pictures.depth.scale import read_scale
from talkingface.tables import DEPTH

WIDTH, HEIGHT = 120, 100
UNUSED = {"model": None, "device": "cpu", "precision": "float32", "threads": 1}  # by the mesh
SLOPE_X, SLOPE_Y, PRESENT = 0.4, -0.25, [True, False, True, True]


def plane(x, y, k):
    """Frame k's z: a tilted plane, 5 pixels nearer in every frame."""
    return SLOPE_X * x + SLOPE_Y * y - 5 * k


def clip_of(path, n_frames, width, height):
    return Clip(path.stem, n_frames, width, height, path.parent)


@pytest.fixture(scope="module")
def landmarks():
    """Meshes without a face's relief, so that their depth is known at every pixel."""
    rng = np.random.default_rng(0)
    points = np.full((4, 478, 3), np.nan, np.float32)
    for k in np.flatnonzero(PRESENT):
        xy = rng.uniform((20, 10), (100, 90), (478, 2))
        points[k] = np.column_stack([xy, plane(*xy.T, k)])
    return Landmarks(points, points[:, :68, :2], np.array(PRESENT))


@pytest.fixture(scope="module")
def made(landmarks, tmp_path_factory):
    """Folder and record of a clip of which there is no film: the mesh needs none."""
    folder = tmp_path_factory.mktemp("depth") / "clip"
    record = folder.with_suffix(".json")
    backend = depth.load("mesh", **UNUSED)
    depth.write_depth(backend, clip_of(folder, 4, WIDTH, HEIGHT), landmarks, folder, record)
    return folder, record


def test_one_picture_a_frame_also_without_a_face(made):
    folder, _ = made
    names = [f"{k:06d}.png" for k in range(1, 5)]
    assert sorted(p.name for p in folder.iterdir()) == names
    pictures = [cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for name in names]
    assert {(p.dtype.name, p.shape) for p in pictures} == {("uint16", (HEIGHT, WIDTH))}
    assert [bool(p.any()) for p in pictures] == PRESENT


def test_values_decode_to_the_plane_within_a_step(made, landmarks):
    folder, record = made
    values = json.loads(record.read_text())
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    for k in np.flatnonzero(PRESENT):
        picture = depth.read_map(folder / f"{k + 1:06d}.png")
        z = values["offset"] + values["scale"] * picture.astype(float)
        seen = picture > 0
        assert seen.sum() > 3000
        assert abs(z - plane(x, y, k))[seen].max() <= abs(values["scale"])
        assert np.array_equal(np.isfinite(read_scale(record).decode(picture)), seen)


def test_nearer_is_larger_on_one_scale_for_all_frames(made, landmarks):
    folder, record = made
    pictures = [depth.read_map(folder / f"{k:06d}.png") for k in (1, 3, 4)]
    both = (pictures[0] > 0) & (pictures[1] > 0)
    # 10 pixels nearer at the same place two frames later
    steps = 10 / abs(read_scale(record).scale)
    gain = pictures[1][both].astype(int) - pictures[0][both]
    assert abs(gain - steps).max() <= 1.5
    # The clip's nearest and farthest corners are the ends of the scale.
    used = landmarks.points[PRESENT][:, np.unique(TRIANGLES), 2]
    ends = read_scale(record).decode(np.array([1, 65535], np.uint16))
    np.testing.assert_allclose(ends, [used.max(), used.min()], atol=1e-4)


def test_the_record_says_what_is_needed_to_read(made):
    values = json.loads(made[1].read_text())
    assert values["backend"] == "mesh"
    assert (values["n_frames"], values["width"], values["height"]) == (4, WIDTH, HEIGHT)
    assert values["formula"].startswith("quantity = offset + scale * value")
    assert values["scale"] < 0  # z grows away from the camera, values towards it
    assert "smaller is nearer" in values["quantity"] and "pixels" in values["unit"]


@pytest.mark.parametrize("near, far", [(-3.0, 8.0), (9.0, 0.5)])
def test_scale(near, far):
    scale = depth.Scale.between(near, far)
    wanted = np.array([near, far, (near + far) / 2, np.nan], np.float32)
    values = scale.encode(wanted)
    assert values.dtype == np.uint16
    assert values.tolist() == [65535, 1, 32768, 0]
    np.testing.assert_allclose(scale.decode(values), wanted, atol=abs(scale.scale) / 2)
    beyond = scale.encode(np.array([near + (near - far), far - (near - far)], np.float32))
    assert beyond.tolist() == [65535, 1]


def test_scale_of_a_single_value():
    scale = depth.Scale.between(4.0, 4.0)
    values = scale.encode(np.array([4.0, np.nan], np.float32))
    assert values.tolist() == [1, 0] and scale.decode(values)[0] == 4


@pytest.mark.parametrize("nearer_is_smaller", [True, False])
def test_limits_known_only_afterwards(tmp_path, nearer_is_smaller):
    rng = np.random.default_rng(2)
    maps = [rng.uniform(k, 3 * k + 1, (20, 30)).astype(np.float32) for k in range(5)]
    maps[2][:] = np.nan
    maps[3][:10] = np.nan
    scale = depth.write_maps(
        (m.copy() for m in maps), tmp_path, None, nearer_is_smaller=nearer_is_smaller
    )
    assert len(list(tmp_path.iterdir())) == 5
    assert (scale.scale < 0) == nearer_is_smaller
    ends = sorted(scale.decode(np.array([1, 65535], np.uint16)))
    np.testing.assert_allclose(ends, [np.nanmin(maps), np.nanmax(maps)], rtol=1e-5, atol=1e-5)
    for k, expected in enumerate(maps, start=1):
        decoded = scale.decode(depth.read_map(tmp_path / f"{k:06d}.png"))
        np.testing.assert_allclose(decoded, expected, rtol=0, atol=abs(scale.scale))


class Brightness:
    """A backend that looks at the picture, and at the landmarks of the same frame."""

    name, unit, quantity = "brightness", "levels", "the picture's green plus the first point's x"
    nearer_is_smaller, needs_frames = False, True

    def __init__(self):
        self.batches = []

    def limits(self, points, present):
        return None

    def run(self, frames, points, present):
        self.batches.append(len(frames))
        level = np.stack(frames)[..., 1].astype(np.float32)
        return level + np.where(present, points[:, 0, 0], 0)[:, None, None].astype(np.float32)


@pytest.fixture(scope="module")
def greys(tmp_path_factory):
    """A film of 19 frames, each brighter by 10 than the one before."""
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    with VideoWriter(path, 32, 16, crf=1, preset="superfast") as writer:
        for k in range(19):
            image = np.full((16, 32, 3), 20 + 10 * k, np.uint8)
            writer.write(limited_yuv420p(av.VideoFrame.from_ndarray(image, "bgr24")))
    return path


def flat_landmarks(count):
    points = np.zeros((count, 478, 3), np.float32)
    points[:, :, 0] = 1000 * np.arange(count)[:, None]
    return Landmarks(points, points[:, :68, :2], np.ones(count, bool))


def test_a_backend_gets_every_frame_with_its_landmarks(tmp_path, greys):
    backend = Brightness()
    folder, record = tmp_path / "clip", tmp_path / "clip.json"
    depth.write_depth(backend, clip_of(greys, 19, 32, 16), flat_landmarks(19), folder, record)
    assert sum(backend.batches) == 19 and max(backend.batches) <= BATCH
    scale = read_scale(record)
    assert scale.scale > 0
    for k in range(19):
        decoded = scale.decode(depth.read_map(folder / f"{k + 1:06d}.png"))
        assert decoded.shape == (16, 32)
        assert abs(decoded.mean() - (20 + 10 * k + 1000 * k)) < 3


def test_a_film_of_another_length_is_refused(tmp_path, greys):
    clip = clip_of(greys, 18, 32, 16)
    with pytest.raises(ValueError, match="19 frames, but its manifest says 18"):
        depth.write_depth(
            Brightness(), clip, flat_landmarks(18), tmp_path / "c", tmp_path / "c.json"
        )


def test_an_unknown_backend():
    with pytest.raises(ValueError, match="midas"):
        depth.load("midas", **UNUSED)


@pytest.mark.parametrize("picture", [None, np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), "u2")])
def test_what_is_no_depth_is_named(tmp_path, picture):
    path = tmp_path / "000001.png"
    if picture is not None:
        cv2.imwrite(str(path), picture)
    with pytest.raises(
        ValueError, match=r"000001.png: damaged \((no 16-bit grey picture|it is missing)\)"
    ):
        depth.read_map(path)


def make(clips, landmarks, folder, backend, model=None):
    manifest = folder.with_suffix(".csv")
    options = UNUSED | {"model": model}
    depth.make_depth(clips, landmarks, folder, manifest, backend=backend, **options)
    return read_table(manifest, DEPTH).tolist()


def test_the_stage_decodes_nothing_for_the_mesh(tmp_path, landmarks):
    """Its clips' films do not exist."""
    clips = [Clip(name, 4, WIDTH, HEIGHT, tmp_path / "nowhere") for name in ("a", "b")]
    for clip in clips:
        write_landmarks(tmp_path / f"{clip.clip_id}.npz", landmarks)
    rows = make(clips, tmp_path, tmp_path / "depth", "mesh")
    assert rows == [("a", 4, "mesh", ""), ("b", 4, "mesh", "")]
    for clip in clips:
        assert len(list((tmp_path / "depth" / clip.clip_id).iterdir())) == 4
        record = json.loads((tmp_path / f"depth/{clip.clip_id}.json").read_text())
        assert (record["n_frames"], record["width"], record["height"]) == (4, WIDTH, HEIGHT)


def test_the_stage_loads_its_backend_once(two_clips, tmp_path, monkeypatch):
    loaded = []

    def load(name, **options):
        loaded.append((name, options["model"]))
        return Brightness()

    monkeypatch.setattr(depth, "load", load)
    for clip in two_clips:
        write_landmarks(tmp_path / f"{clip.clip_id}.npz", flat_landmarks(clip.n_frames))
    model = StoredModel("dagan", tmp_path, "abc def")
    rows = make(two_clips, tmp_path, tmp_path / "depth", "dagan", model)
    assert rows == [("long", 10, "dagan", "abc def"), ("short", 3, "dagan", "abc def")]
    assert loaded == [("dagan", model)]
    assert make([], tmp_path, tmp_path / "none", "dagan", model) == []
    assert len(loaded) == 1 and list((tmp_path / "none").iterdir()) == []
