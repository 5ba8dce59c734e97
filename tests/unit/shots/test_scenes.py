from functools import partial

import cv2
import numpy as np
import pytest

from helpers.settings import default_settings
from talkingface.job.tables import read_table
from talkingface.shots import scenes as stage
from talkingface.shots.proxy import Proxy, write_proxy
from talkingface.shots.scenes import make_scenes, shots_between
from talkingface.tables import SCENES


def make_detector(detector="content", **settings):
    defaults = default_settings("scenes")
    del defaults["gradual"]
    return stage.make_detector(**defaults | {"detector": detector} | settings)


find_scenes = partial(stage.find_scenes, min_scene_frames=15, gradual=True)


def shots(lengths, size=(90, 160)):
    """Frames of shots that each pan slowly over a picture of its own."""
    for number, length in enumerate(lengths):
        rng = np.random.default_rng(number)
        coarse = rng.integers(0, 255, (9, 32, 3), np.uint8)
        wide = coarse.repeat(size[0] // 9, 0).repeat(2 * size[1] // 32, 1)
        for k in range(length):
            shift = k % size[1] // 8
            yield wide[:, shift : shift + size[1]]


@pytest.mark.parametrize("detector", ["content", "adaptive"])
@pytest.mark.parametrize("size", [(90, 160), (360, 640), (640, 320)])
def test_cuts_are_found_at_their_frame(detector, size):
    lengths = [40, 25, 60, 31]
    scenes = find_scenes(shots(lengths, size), make_detector(detector))
    edges = np.cumsum([0, *lengths])
    assert list(scenes.dtype.names) == SCENES.names
    assert list(scenes.scene) == [0, 1, 2, 3]
    assert list(scenes.start_frame) == list(edges[:-1])
    assert list(scenes.end_frame) == list(edges[1:])


@pytest.mark.parametrize("detector", ["content", "adaptive"])
def test_the_shots_cover_every_frame(detector):
    rng = np.random.default_rng(0)
    for lengths in ([1], [3], [14, 3, 40], [100], list(rng.integers(1, 30, 12))):
        scenes = find_scenes(shots(lengths), make_detector(detector))
        assert scenes.start_frame[0] == 0 and scenes.end_frame[-1] == sum(lengths)
        assert (scenes.start_frame[1:] == scenes.end_frame[:-1]).all()
        assert (scenes.end_frame > scenes.start_frame).all()


def test_short_shots_are_merged():
    lengths = [40, 5, 40]
    assert len(find_scenes(shots(lengths), make_detector(min_scene_frames=15))) == 2
    assert len(find_scenes(shots(lengths), make_detector(min_scene_frames=3))) == 3


def spans(scenes):
    assert list(scenes.scene) == list(range(len(scenes)))
    return list(zip(scenes.start_frame.tolist(), scenes.end_frame.tolist(), strict=True))


@pytest.mark.parametrize("detector", ["content", "adaptive"])
def test_the_frames_of_a_dissolve_are_in_no_shot(detector):
    rng = np.random.default_rng(0)
    one, other = (
        cv2.resize(rng.integers(0, 255, (3, 5, 3), np.uint8), (160, 90)) for _ in range(2)
    )
    mixed = [cv2.addWeighted(one, 1 - k / 13, other, k / 13, 0) for k in range(1, 13)]
    frames = [one] * 60 + mixed + [other] * 60
    [(start, last), (first, end)] = spans(find_scenes(frames, make_detector(detector)))
    assert (start, end) == (0, 132)
    assert 54 <= last <= 61 and 71 <= first <= 78
    assert len(find_scenes(frames, make_detector(detector), gradual=False)) == 1


@pytest.mark.parametrize("detector", ["content", "adaptive"])
@pytest.mark.parametrize("length", [1, 3])
def test_a_flash_is_no_cut(detector, length):
    frames = list(shots([80]))
    for k in range(30, 30 + length):
        frames[k] = cv2.convertScaleAbs(frames[k], alpha=0.5, beta=150)
    assert spans(find_scenes(frames, make_detector(detector))) == [(0, 80)]


def test_boundaries_that_are_known_otherwise():
    frames = list(shots([40, 40]))
    scenes = find_scenes(frames, make_detector(), cuts=[20], gaps=[(60, 65)])
    assert spans(scenes) == [(0, 20), (20, 40), (40, 60), (65, 80)]


def test_shots_lie_between_cuts_and_gaps():
    assert spans(shots_between(10, [], [])) == [(0, 10)]
    assert spans(shots_between(10, [4, 7, 4], [])) == [(0, 4), (4, 7), (7, 10)]
    assert spans(shots_between(10, [0, 10, 99, -3], [])) == [(0, 10)]
    # Gaps that overlap, that reach beyond the video, and a cut in one.
    assert spans(shots_between(20, [6], [(7, 9), (5, 8), (-4, 2), (18, 30)])) == [(2, 5), (9, 18)]
    assert spans(shots_between(10, [5], [(3, 5), (6, 6)])) == [(0, 3), (5, 10)]
    assert len(shots_between(10, [5], [(0, 10)])) == 0
    assert len(shots_between(0, [], [])) == 0


def test_no_frames_no_shots():
    scenes = find_scenes([], make_detector())
    assert list(scenes.dtype.names) == SCENES.names and len(scenes) == 0


def test_the_threshold_is_used():
    detector = make_detector(threshold=250)
    assert len(find_scenes(shots([40, 40]), detector, gradual=False)) == 1
    assert make_detector(threshold=0.0)._threshold == 0
    with pytest.raises(ValueError, match="unknown scene detector"):
        make_detector("none")


def test_no_copy_no_shots(tmp_path):
    (tmp_path / "proxy.mp4").write_bytes(b"")
    write_proxy(Proxy("broken", "no frame"), tmp_path / "proxy.json")
    names = ("proxy.mp4", "proxy.json", "scenes.csv")
    make_scenes(*(tmp_path / name for name in names), **default_settings("scenes"))
    assert (tmp_path / "scenes.csv").read_text() == "scene,start_frame,end_frame\n"
    assert len(read_table(tmp_path / "scenes.csv", SCENES)) == 0


def test_shots_end_where_something_else_begins_and_have_no_gap_in_them():
    shots = shots_between(200, [40, 100, 170, 500], [(60, 80), (190, 300), (170, 170)])
    spans = list(zip(shots.start_frame, shots.end_frame, strict=True))
    assert spans == [(0, 40), (40, 60), (80, 100), (100, 170), (170, 190)]
    assert list(shots.scene) == [0, 1, 2, 3, 4]
    assert len(shots_between(200, [], [(0, 200)])) == 0
