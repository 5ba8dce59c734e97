from __future__ import annotations

import numpy as np

from talkingface.job.tables import empty_table, table_of_rows
from talkingface.sync.comparison import face_boxes, rows_by_track
from talkingface.tables import TRACKS


def test_rows_of_a_track() -> None:
    """Track 4 in frames 7 and 8, track 1 in frame 5; their rows are mixed."""
    rows = [(4, 0, 7, 1.5, 2, 3, 4, 0.9, 1), (1, 0, 5, 9, 8, 7, 6, 0.8, 0)]
    tracks = table_of_rows(TRACKS, [*rows, (4, 0, 8, 2.5, 2, 3, 4, 0.9, 1)])
    by_track = rows_by_track(tracks)
    assert {number: list(rows.frame) for number, rows in by_track.items()} == {1: [5], 4: [7, 8]}
    assert list(by_track) == [1, 4] and all(type(number) is int for number in by_track)
    np.testing.assert_array_equal(face_boxes(by_track[4]), [[1.5, 2, 3, 4], [2.5, 2, 3, 4]])


def test_no_track() -> None:
    assert rows_by_track(empty_table(TRACKS)) == {}
    assert face_boxes(empty_table(TRACKS)).shape == (0, 4)
