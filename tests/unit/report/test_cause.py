"""The frame that shows why a stretch was rejected, of faces that are placed for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from talkingface.clips.voice import FaceSync
from talkingface.job.tables import table_of_columns, table_of_rows
from talkingface.report.cause import WIDTH, cause_frame, draw_faces, middle_of_longest, write_cause
from talkingface.tables import SEGMENTS, SYNC, SYNC_FRAMES, TRACKS

START, END = 100, 200
SPEECH = np.zeros(500)


def boxes(start: int = START, end: int = END, **columns: Any) -> np.recarray:
    same = {"track": 0, "scene": 0, "frame": np.arange(start, end), "x": 400.0, "y": 200.0}
    same |= {"w": 160.0, "h": 200.0, "confidence": 0.9, "detected": 1}
    return table_of_columns(TRACKS, same | columns)


def face(probability: Any, start: int = START, end: int = END) -> FaceSync:
    frames = np.arange(start, end)
    columns = {"track": 0, "frame": frames, "score": 0.0, "opening": 0.1}
    table = table_of_columns(SYNC_FRAMES, columns | {"probability": probability})
    return FaceSync(table_of_rows(SYNC, [{"track": 0, "offset": 0, "trusted": 0}])[0], table)


def cause(
    reason: str,
    tracks: dict[int, np.recarray] | None = None,
    faces: dict[int, FaceSync] | None = None,
    speech: np.ndarray = SPEECH,
) -> int:
    row = {"clip_id": "v_000100_000200_00", "video_id": "v", "track": 0, "reason": reason}
    ledger = table_of_rows(SEGMENTS, [row | {"start_frame": START, "end_frame": END}])
    return cause_frame(ledger[0], tracks or {0: boxes()}, faces or {}, speech)


@pytest.mark.parametrize("reason", ["silent", "no_speech", "too_short", "something else"])
def test_what_is_seen_in_no_frame_is_shown_in_the_middle(reason: str) -> None:
    assert cause(reason) == 150


def test_another_face_where_it_is_largest() -> None:
    """Of those beside this one: one that is far away does not count, however large."""
    sizes = np.full(60, 100.0)
    sizes[33] = 140
    beside = boxes(120, 180, track=1, x=500.0, w=sizes)
    far = boxes(100, 200, track=2, x=2000.0, w=900.0)
    assert cause("other_face", {0: boxes(), 1: beside, 2: far}) == 153


def test_a_lost_face_in_the_middle_of_the_longest_time() -> None:
    detected = np.ones(100, int)
    detected[[5, *range(60, 81)]] = 0
    assert cause("face_lost", {0: boxes(detected=detected)}) == 170


def test_a_small_face_as_it_mostly_is() -> None:
    heights = np.full(100, 300.0)
    heights[:51] = np.linspace(40, 90, 51)
    assert np.median(heights) == pytest.approx(90, abs=1)
    assert cause("small_face", {0: boxes(h=heights)}) == 150


@pytest.mark.parametrize("reason", ["other_speaks", "not_speaking", "unsure", "offset"])
def test_who_speaks_where_another_most_likely_does(reason: str) -> None:
    own, other = np.full(100, 0.99), np.full(40, 0.2)
    other[[10, 30]] = 0.8
    faces = {0: face(own), 1: face(other, 150, 190)}
    speech = SPEECH.copy()
    speech[110] = 1
    assert cause(reason, {0: boxes(), 1: boxes(track=1)}, faces, speech) == 160
    # Without another face where somebody is most likely heard.
    assert cause(reason, faces={0: face(own)}, speech=speech) == 110
    assert cause(reason) == 150


def test_of_equals_the_one_nearest_to_the_middle() -> None:
    speech = SPEECH.copy()
    speech[[102, 140, 195]] = 1
    assert cause("unsure", speech=speech) == 140


def test_the_longest_time() -> None:
    assert middle_of_longest(np.array([0, 1, 1, 0, 1, 1, 1], bool), 9) == 5
    assert middle_of_longest(np.zeros(4, bool), 9) == 9
    assert middle_of_longest(np.zeros(0, bool), 9) == 9


def edges(line: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int]:
    """First and last pixel of about this colour."""
    (places,) = np.nonzero((abs(line.astype(int) - colour) < 12).all(axis=1))
    return int(places.min()), int(places.max())


def test_faces_are_drawn_in_two_colours() -> None:
    """At three quarters of the size, as the picture is, with lines two pixels wide."""
    image = np.full((360, 640, 3), 90, np.uint8)
    faces = {0: np.array([200, 100, 80, 120]), 1: np.array([400, 160, 60, 60])}
    drawn = draw_faces(image, faces, 0)
    assert drawn.shape == (270, WIDTH, 3)
    own, other = (60, 200, 255), (255, 190, 90)
    assert np.allclose(edges(drawn[140], own), (150, 210), atol=1.5)
    assert edges(drawn[85:, 180], own)[1] == pytest.approx(165 - 85, abs=1.5)
    assert np.allclose(edges(drawn[140], other), (300, 345), atol=1.5)
    assert edges(drawn[130:, 320], other)[1] == pytest.approx(165 - 130, abs=1.5)
    assert (image == 90).all()


def test_tags_stay_in_the_picture() -> None:
    """At the upper edge they are inside the box, at the right one they end with the picture."""
    image = np.full((180, 320, 3), 90, np.uint8)
    drawn = draw_faces(image, {12: np.array([290, -4, 40, 60])}, 12, seen=False)
    assert drawn.shape == image.shape
    dark = (drawn < 60).all(axis=2)
    assert dark[2:22, 170:315].mean() > 0.5
    assert not dark[:, :100].any()


def test_small_pictures_are_not_enlarged(tmp_path: Path) -> None:
    drawn = draw_faces(np.full((300, 90, 3), 90, np.uint8), {}, None)
    write_cause(drawn, tmp_path / "a.jpg")
    assert cv2.imread(str(tmp_path / "a.jpg")).shape == (300, 90, 3)
