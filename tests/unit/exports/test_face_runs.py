"""Where in a clip a face is, and for how long."""

from __future__ import annotations

import numpy as np
import pytest

from talkingface.exports.face_runs import face_runs, longest_gap, longest_run


@pytest.mark.parametrize(
    ("frames", "runs", "run", "gap"),
    [
        ("", [], 0, 0),
        ("111", [(0, 3)], 3, 0),
        ("000", [], 0, 3),
        ("1101", [(0, 2), (3, 4)], 2, 1),
        ("0011", [(2, 4)], 2, 2),
        ("100010", [(0, 1), (4, 5)], 1, 3),
    ],
)
def test_stretches_with_a_face(frames: str, runs: list, run: int, gap: int) -> None:
    present = np.array([frame == "1" for frame in frames], bool)
    assert face_runs(present) == runs
    assert (longest_run(present), longest_gap(present)) == (run, gap)
