from fractions import Fraction

import pytest

from talkingface.grid import SAMPLES_PER_FRAME, TOLERANCE, clip_name, grid_index, video_of_clip


def test_a_frame_owns_640_samples():
    assert SAMPLES_PER_FRAME == 640


@pytest.mark.parametrize(
    ("seconds", "frame"),
    [
        (Fraction(0), 0),
        (Fraction(1, 25), 1),
        (Fraction(1, 25) + TOLERANCE, 1),
        (Fraction(1, 25) + TOLERANCE + Fraction(1, 10**9), 2),
        (Fraction(3, 50), 2),
        (Fraction(-1), 0),
        (Fraction(10**6) + Fraction(1, 3), 25 * 10**6 + 9),
    ],
)
def test_first_grid_frame_at_or_after_a_time(seconds, frame):
    assert grid_index(seconds) == frame


def test_ntsc_has_126_grid_frames_in_150_frames():
    """150 frames of 29.97 fps last 5.005 s: frames 0 to 125 stand at 0 to 5.000 s."""
    assert grid_index(Fraction(150 * 1001, 30000)) == 126


def test_clip_names_sort_by_start():
    assert clip_name("a", 75, 150, 3) == "a_000075_000150_03"


def test_the_video_of_a_clip_is_in_its_name():
    for video in ("a", "a_000000", "-_-", "a_000000_000100_00"):
        for numbers in ((0, 100, 0), (75, 1_500_000, 103)):
            assert video_of_clip(clip_name(video, *numbers)) == video
