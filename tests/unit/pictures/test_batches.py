"""A backend gets every frame of a clip once, in order, with the landmarks of the same frame."""

import numpy as np
import pytest

from talkingface.faces.landmark_files import Landmarks
from talkingface.pictures.batches import BATCH, run_in_batches


def film(count):
    for k in range(count):
        yield np.full((6, 8, 3), k, np.uint8)


def marks(count):
    """The first point's x is the frame's number; every third frame has a face."""
    points = np.arange(count, dtype=np.float32)[:, None, None] * np.ones((1, 478, 3), np.float32)
    return Landmarks(points, points[:, :68, :2], np.arange(count) % 3 == 0)


@pytest.mark.parametrize("count", [0, 1, BATCH, 3 * BATCH + 2])
def test_every_frame_meets_its_landmarks(count):
    sizes = []

    def run(frames, points, present):
        sizes.append(len(frames))
        assert len(points) == len(present) == len(frames)
        assert [frame[0, 0, 0] for frame in frames] == [int(p[0, 0]) for p in points]
        assert [frame[0, 0, 0] % 3 == 0 for frame in frames] == present.tolist()
        return np.stack([frame[..., 0] for frame in frames])

    results = list(run_in_batches(run, film(count), marks(count)))
    assert [result[0, 0] for result in results] == list(range(count))
    assert sum(sizes) == count and max(sizes, default=0) <= BATCH


@pytest.mark.parametrize(("frames", "landmarks"), [(9, 10), (10, 9), (0, 3), (BATCH, BATCH - 1)])
def test_as_many_landmarks_as_frames(frames, landmarks):
    with pytest.raises(ValueError, match="landmarks"):
        list(run_in_batches(lambda batch, *_: batch, film(frames), marks(landmarks)))
