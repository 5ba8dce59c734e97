import numpy as np
import pytest

from talkingface.shots.scenes import COLUMNS, find_scenes, make_detector


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
    assert list(scenes.columns) == COLUMNS
    assert list(scenes.scene) == [0, 1, 2, 3]
    assert list(scenes.start_frame) == list(edges[:-1])
    assert list(scenes.end_frame) == list(edges[1:])


@pytest.mark.parametrize("detector", ["content", "adaptive"])
def test_the_shots_cover_every_frame(detector):
    rng = np.random.default_rng(0)
    for lengths in ([1], [3], [14, 3, 40], [100], list(rng.integers(1, 30, 12))):
        scenes = find_scenes(shots(lengths), make_detector(detector))
        assert scenes.start_frame.iloc[0] == 0 and scenes.end_frame.iloc[-1] == sum(lengths)
        assert (scenes.start_frame[1:].to_numpy() == scenes.end_frame[:-1].to_numpy()).all()
        assert (scenes.end_frame > scenes.start_frame).all()


def test_short_shots_are_merged():
    lengths = [40, 5, 40]
    assert len(find_scenes(shots(lengths), make_detector(min_scene_frames=15))) == 2
    assert len(find_scenes(shots(lengths), make_detector(min_scene_frames=3))) == 3


def test_no_frames_no_shots():
    scenes = find_scenes([], make_detector())
    assert list(scenes.columns) == COLUMNS and scenes.empty


def test_the_threshold_is_used():
    assert len(find_scenes(shots([40, 40]), make_detector(threshold=250))) == 1
    assert make_detector(threshold=0.0)._threshold == 0
    with pytest.raises(ValueError, match="unknown scene detector"):
        make_detector("none")
