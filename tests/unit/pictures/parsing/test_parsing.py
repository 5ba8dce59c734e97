"""Every frame has its label map, under its own number."""

import numpy as np
import pytest

from helpers.settings import default_settings
from talkingface.faces.landmark_files import Landmarks, write_landmarks
from talkingface.job.tables import read_table
from talkingface.models.store import StoredModel
from talkingface.pictures.batches import BATCH
from talkingface.pictures.parsing import parsing
from talkingface.pictures.parsing.labels import read_labels
from talkingface.tables import PARSING

MACHINE = {"model": None, "device": "cpu", "threads": 1}


class Numbers:
    """A parser that labels frame k with what the frame holds, if the points are those of k."""

    def __init__(self):
        self.batches = []

    def run(self, frames, points, present):
        self.batches.append(len(frames))
        assert [frame[0, 0, 0] for frame in frames] == [int(p[0, 0]) for p in points]
        return np.stack([frame[..., 0] % 19 for frame in frames])


def film(count):
    for k in range(count):
        yield np.full((6, 8, 3), k, np.uint8)


def marks(count):
    points = np.arange(count, dtype=np.float32)[:, None, None] * np.ones((1, 478, 3), np.float32)
    return Landmarks(points, points[:, :68, :2], np.ones(count, bool))


@pytest.mark.parametrize("count", [0, 1, BATCH, 3 * BATCH + 2])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_clip_of_n_frames_has_n_maps(tmp_path, count, threads):
    parser = Numbers()
    written = parsing.parse_clip(parser, film(count), marks(count), tmp_path / "c", threads)
    assert written == count and sum(parser.batches) == count
    assert max(parser.batches, default=0) <= BATCH
    names = sorted(path.name for path in (tmp_path / "c").iterdir())
    assert names == [f"{k:06d}.png" for k in range(1, count + 1)]
    for k, labels in enumerate(read_labels(tmp_path / "c", count)):
        assert labels.shape == (6, 8) and labels.dtype == np.uint8 and (labels == k % 19).all()


def test_frames_are_taken_a_batch_at_a_time(tmp_path):
    taken = 0

    def frames():
        nonlocal taken
        for frame in film(40):
            taken += 1
            yield frame

    class Watching(Numbers):
        def run(self, batch, points, present):
            assert taken <= sum(self.batches) + BATCH
            return super().run(batch, points, present)

    parsing.parse_clip(Watching(), frames(), marks(40), tmp_path / "c", 1)


@pytest.mark.parametrize(("frames", "landmarks"), [(9, 10), (10, 9), (0, 3)])
def test_as_many_landmarks_as_frames(tmp_path, frames, landmarks):
    with pytest.raises(ValueError, match="landmarks"):
        parsing.parse_clip(Numbers(), film(frames), marks(landmarks), tmp_path / "c", 1)


def test_an_error_of_the_parser_is_raised(tmp_path):
    class Broken(Numbers):
        def run(self, frames, points, present):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        parsing.parse_clip(Broken(), film(3), marks(3), tmp_path / "c", 2)


def load(name, **settings):
    defaults = default_settings("parsing")
    del defaults["backend"]
    return parsing.load(name, **MACHINE, **defaults | settings)


def test_unknown_backends():
    with pytest.raises(ValueError, match="'bisenets' is none of mesh"):
        load("bisenets")
    with pytest.raises(ValueError, match="person model 'pose'"):
        load("mesh", person="pose")


def test_the_embedded_backend_loads():
    with load("mesh", person="landscape") as parser:
        none = np.full((1, 478, 3), np.nan, np.float32)
        labels = parser.run([np.zeros((32, 48, 3), np.uint8)], none, np.array([False]))
    assert labels.shape == (1, 32, 48) and labels.dtype == np.uint8


class Loaded:
    """A backend of every pixel's skin, which notes that it was loaded and closed."""

    def __init__(self):
        self.events = []

    def load(self, name, **options):
        self.events.append((name, options["model"], options["person"]))
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.events.append("closed")

    def run(self, frames, points, present):
        self.events.append(len(frames))
        return np.ones((len(frames), *frames[0].shape[:2]), np.uint8)


def make(clips, landmarks, folder, model, threads=2):
    manifest = folder.with_suffix(".csv")
    settings = default_settings("parsing") | {"backend": "bisenet"}
    options = {"model": model, "device": "cpu", "threads": threads}
    parsing.make_parsing(clips, landmarks, folder, manifest, **options, **settings)
    return read_table(manifest, PARSING).tolist()


def test_the_stage_loads_its_backend_once(two_clips, tmp_path, monkeypatch):
    for clip in two_clips:
        write_landmarks(tmp_path / f"{clip.clip_id}.npz", marks(clip.n_frames))
    model, backend = StoredModel("bisenet", tmp_path, "abc"), Loaded()
    monkeypatch.setattr(parsing, "load", backend.load)
    rows = make(two_clips, tmp_path, tmp_path / "parsing", model)
    assert rows == [("long", 10, "bisenet", "abc"), ("short", 3, "bisenet", "abc")]
    assert backend.events == [("bisenet", model, "both"), BATCH, 10 - BATCH, 3, "closed"]
    for clip in two_clips:
        maps = list(read_labels(tmp_path / "parsing" / clip.clip_id, clip.n_frames))
        assert all((labels == 1).all() and labels.shape == (16, 32) for labels in maps)


def test_the_stage_without_clips_loads_nothing(tmp_path, monkeypatch):
    backend = Loaded()
    monkeypatch.setattr(parsing, "load", backend.load)
    assert make([], tmp_path, tmp_path / "parsing", None) == []
    assert backend.events == [] and list((tmp_path / "parsing").iterdir()) == []


def test_the_stage_names_landmarks_that_do_not_fit(two_clips, tmp_path, monkeypatch):
    write_landmarks(tmp_path / "long.npz", marks(9))
    monkeypatch.setattr(parsing, "load", Loaded().load)
    with pytest.raises(ValueError, match=r"long\.npz: landmarks of 9 frames"):
        make(two_clips, tmp_path, tmp_path / "parsing", None)
    assert not (tmp_path / "parsing").exists() and not (tmp_path / "parsing.csv").exists()
