"""What is shown over time is the clip's own, frame by frame."""

import numpy as np
import pandas as pd
import pytest

from talkingface.media.audio import write_wav
from talkingface.overlay import lanes

FRAMES = range(100, 110)


def table(frame):
    return frame.to_records(index=False)


@pytest.fixture
def scores():
    """Two faces in the clip, one of which ends earlier; cut to the clip's frames."""
    rows = [(3, f, 5.0 + 0.1 * f, f / 200, 0.2) for f in FRAMES]
    rows += [(1, f, 2.0, 0.1, 0.1) for f in range(100, 105)] + [(2, 103, 4.0, 0.3, 0.1)]
    return table(pd.DataFrame(rows, columns=["track", "frame", "score", "probability", "opening"]))


def test_the_score_is_the_clips_own_face(scores):
    lane = lanes.sync_lane(scores, 3, FRAMES, None)
    own, others = lane.curves
    np.testing.assert_allclose(own.values, 5 + 0.1 * np.arange(100, 110))
    np.testing.assert_array_equal(others.values, [2, 2, 2, 4, 2, *[np.nan] * 5])
    assert lane.low <= 0 and lane.high > own.values.max()


def test_the_score_of_a_face_alone(scores):
    lane = lanes.sync_lane(scores[scores.track == 3], 3, FRAMES, min_confidence=2.5)
    assert [curve.name for curve in lane.curves] == ["sync", "kept from"]
    assert 2.5 in lane.guides and not lane.curves[1].drawn


def test_who_speaks_is_the_clips_own_face(scores):
    lane = lanes.speaker_lane(scores, 3, FRAMES)
    own, others = lane.curves
    np.testing.assert_allclose(own.values, np.arange(100, 110) / 200)
    np.testing.assert_array_equal(others.values, [0.1, 0.1, 0.1, 0.3, 0.1, *[np.nan] * 5])
    assert (own.name, own.form.format(0.5)) == ("speaks", "0.50")
    assert (lane.low, lane.high, list(lane.guides)) == (0, 1, [0.5])
    alone = lanes.speaker_lane(scores[scores.track == 3], 3, FRAMES)
    assert [curve.name for curve in alone.curves] == ["speaks"]


def test_negative_scores_are_in_sight():
    rows = pd.DataFrame({"track": 3, "frame": FRAMES, "score": -4.0, "opening": 0.0})
    assert lanes.sync_lane(table(rows), 3, FRAMES, None).low == -4


def test_frames_without_a_row_have_no_value(scores):
    values = lanes.by_frame(scores[scores.track == 1], "opening", range(98, 107))
    np.testing.assert_array_equal(np.isfinite(values), [0, 0, 1, 1, 1, 1, 1, 0, 0])


def test_loudness(tmp_path):
    """A square wave of half the scale is at -6 dB."""
    samples = np.zeros(4 * 640, np.int16)
    samples[640:1280:2], samples[641:1280:2] = 16384, -16384
    samples[1280:1920] = 1638
    write_wav(tmp_path / "a.wav", samples, 16000)
    lane = lanes.sound_lane(tmp_path / "a.wav", 4, np.array([0, 0.5, np.nan, 0.2]))
    sound, lips = lane.curves
    np.testing.assert_allclose(sound.values, [np.nan, -6.02, -26.02, np.nan], atol=0.01)
    assert lane.peak == 16384 and lane.high == 0.5
    assert lips.values[1] == 0.5 and lane.sound(640, 1280).tolist() == samples[640:1280].tolist()


def test_a_wav_that_is_too_short_is_named(tmp_path):
    write_wav(tmp_path / "short.wav", np.zeros(3 * 640, np.int16), 16000)
    with pytest.raises(ValueError, match="short.wav: shorter than the clip's 4 frames"):
        lanes.sound_lane(tmp_path / "short.wav", 4, None)


def test_eyes_are_shaded_where_one_is_shut():
    columns = ["eye_left", "eye_right", "blink_left", "blink_right"]
    rows = [(0.3, 0.31, 0, 0), (0.1, 0.3, 1, 0), (0.3, 0.1, 0, 1), (np.nan, np.nan, 0, 0)]
    lane = lanes.eyes_lane(table(pd.DataFrame(rows, columns=columns)))
    assert lane.spans.tolist() == [False, True, True, False]
    names = {curve.name: curve.values[1] for curve in lane.curves}
    assert names == {"right eye": 0.3, "left eye": 0.1}


def test_the_head_keeps_its_largest_angle_in_sight():
    angles = np.array([[10, -50, 3], [np.nan] * 3, [0, 0, 0]])
    lane = lanes.head_lane(angles)
    assert (lane.low, lane.high) == (-50, 50)
    assert [(c.name, c.values[0]) for c in lane.curves] == [
        ("yaw", 10),
        ("pitch", -50),
        ("roll", 3),
    ]
    still = lanes.head_lane(np.zeros((2, 3)))
    assert still.high >= 10  # noise is not blown up
