import numpy as np
import pytest

from talkingface.faces.angles import angle_ranges


def test_ranges_and_largest_angles():
    """0 to 100 degrees in even steps, so that quantiles are known; signs count for ranges only."""
    steps = np.linspace(0, 100, 101)
    angles = np.stack([steps - 50, -steps, np.full(101, -3.0)], axis=1)
    np.random.default_rng(0).shuffle(angles)
    assert angle_ranges(angles) == pytest.approx(
        {
            "max_abs_yaw": 48, "max_abs_pitch": 95, "max_abs_roll": 3,
            "yaw_range": 90, "pitch_range": 90, "roll_range": 0,
        },
        abs=0.5,
    )  # fmt: skip


def test_frames_without_a_face_do_not_count():
    angles = np.random.default_rng(0).normal(0, 20, (50, 3)).astype(np.float32)
    with_gaps = np.full((80, 3), np.nan, np.float32)
    with_gaps[10:60] = angles
    assert angle_ranges(with_gaps) == angle_ranges(angles)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("frames", [0, 3])
def test_no_face_at_all(frames):
    values = angle_ranges(np.full((frames, 3), np.nan))
    assert len(values) == 6 and np.isnan(list(values.values())).all()
