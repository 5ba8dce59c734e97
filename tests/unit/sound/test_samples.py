from __future__ import annotations

import numpy as np
import pytest

from talkingface.sound.samples import check_sound, preemphasised

SOUND = np.random.default_rng(0).integers(-32768, 32768, 1280).astype(np.int16)


def test_every_sample_is_less_the_one_before() -> None:
    expected = SOUND.astype(float)
    expected[1:] -= 0.97 * SOUND[:-1]
    np.testing.assert_allclose(preemphasised(SOUND, 0, 1280), expected, rtol=1e-12)
    assert preemphasised(SOUND, 0, 1280).dtype == np.float64


@pytest.mark.parametrize("edge", [1, 2, 640, 1279])
def test_blocks_join_without_a_seam(edge: int) -> None:
    parts = [preemphasised(SOUND, 0, edge), preemphasised(SOUND, edge, 1280)]
    np.testing.assert_array_equal(np.concatenate(parts), preemphasised(SOUND, 0, 1280))


def test_beyond_the_end_there_is_nothing() -> None:
    np.testing.assert_array_equal(
        preemphasised(SOUND, 1000, 2000), preemphasised(SOUND, 1000, 1280)
    )


def test_whole_frames_of_int16_are_a_sound() -> None:
    assert check_sound(SOUND) is SOUND
    for wrong, reason in (
        (SOUND.astype(np.float32), "mono int16, got float32"),
        (SOUND.reshape(-1, 2), r"mono int16, got int16 of shape \(640, 2\)"),
        (SOUND[:-1], "1279 samples are not a whole number"),
        (SOUND[:0], "0 samples are not a whole number"),
    ):
        with pytest.raises(ValueError, match=reason):
            check_sound(wrong)
