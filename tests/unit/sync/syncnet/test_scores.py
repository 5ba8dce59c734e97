from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import medfilt

from talkingface.sync.syncnet.scores import (
    OffsetEstimate,
    distances,
    drift,
    estimate_offset,
    frame_confidences,
    frame_likeness,
    local_offsets,
)

V = 15


def embeddings(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 1024)).astype(np.float32)


def around(sounds: np.ndarray, filler: float = 0.0) -> np.ndarray:
    return np.pad(sounds, ((V, V), (0, 0)), constant_values=filler)


def shifted(count: int, offset: int, noise: float = 0.3) -> np.ndarray:
    """Distances of a track whose sound leads by `offset` frames."""
    world = embeddings(count + 100)
    lips = world[50 : 50 + count] + noise * embeddings(count, 1)
    # What is seen at i is heard at i - offset.
    sounds = world[50 + offset : 50 + offset + count] + noise * embeddings(count, 2)
    return distances(lips, around(sounds))


def test_distances_by_the_formula() -> None:
    lips, sounds = embeddings(7), embeddings(7, 1)
    lips[3] = sounds[3]
    table = distances(lips, around(sounds))
    assert table.shape == (7, 31) and table.dtype == np.float32
    for i in range(7):
        for shift in range(-V, V + 1):
            other = sounds[i + shift] if 0 <= i + shift < 7 else np.zeros(1024)
            expected = np.sqrt(((lips[i].astype(float) - other + 1e-6) ** 2).sum())
            assert table[i, shift + V] == pytest.approx(expected, rel=1e-5)
    # The same point is not quite at distance 0.
    assert table[3, V] == pytest.approx(np.sqrt(1024) * 1e-6, rel=1e-3)


@pytest.mark.parametrize("offset", [-15, -6, 0, 3, 15])
def test_offset_is_positive_when_the_sound_leads(offset: int) -> None:
    table = shifted(200, offset)
    found = estimate_offset(table)
    assert found.offset == offset
    curve = table.astype(float).mean(axis=0)
    assert found.distance == pytest.approx(curve.min())
    assert found.confidence == pytest.approx(np.median(curve) - curve.min())
    assert found.confidence > 10


def test_unrelated_sound_has_no_confidence() -> None:
    table = distances(embeddings(200), np.concatenate([embeddings(230, 5)]))
    assert estimate_offset(table).confidence < 1


def test_shifts_without_sound_do_not_count() -> None:
    world = embeddings(60)
    sounds = around(world, np.nan)
    table = distances(world, sounds)
    assert np.isnan(table).sum() == 2 * sum(range(1, V + 1))
    padded = estimate_offset(distances(world, around(world)))
    found = estimate_offset(table)
    assert (found.offset, padded.offset) == (0, 0)
    # Zeros are nearer than sound is: they lower the median.
    assert found.confidence > padded.confidence


@pytest.mark.parametrize("table", [np.zeros((0, 31), np.float32), np.full((3, 31), np.nan)])
def test_nothing_says_nothing(table: np.ndarray) -> None:
    assert estimate_offset(table) == OffsetEstimate(0, 0.0, 0.0)
    assert (frame_confidences(table, 8) == np.zeros(8)).all()


@pytest.mark.parametrize("count", [3, 7, 120])
def test_frame_confidences_are_run_visualises(count: int) -> None:
    """As its text says: windows of distance 10, three on both sides, median filter of 9."""
    table = shifted(count, 2)
    curve = table.mean(axis=0)
    own = np.pad(table[:, curve.argmin()], (3, 3), constant_values=10)
    expected = medfilt(np.median(curve) - own, 9)
    found = frame_confidences(table, count + 5)
    assert found.shape == (count + 5,)
    np.testing.assert_allclose(found, expected[: count + 5], atol=1e-4)


def test_without_a_pad_distance_the_ends_are_as_the_middle() -> None:
    table = np.tile(np.r_[np.full(15, 12.0), 5.0, np.full(15, 12.0)], (50, 1))
    np.testing.assert_allclose(frame_confidences(table, 55, None), 7.0)
    ends = frame_confidences(table, 55)[[0, 54]]
    assert (ends < 7).all()


def test_frame_confidences_fall_where_another_speaks() -> None:
    table = shifted(300, 0)
    table[150:] = distances(embeddings(150, 8), embeddings(180, 9))
    found = frame_confidences(table, 305)
    assert found[20:140].min() > 5
    assert found[165:290].max() < 2


def test_a_frame_is_as_alike_as_its_window_is_near() -> None:
    table = np.arange(4 * 5, dtype=np.float32).reshape(4, 5)  # four windows, shifts -2 to 2
    everywhere = frame_likeness(table, 9, range(-9, 9))
    assert everywhere.dtype == np.float32
    # Window i is frame i + 3's, those before it and one after have the nearest; the ninth has none.
    np.testing.assert_array_equal(everywhere[:8], -table[[0, 0, 0, 0, 1, 2, 3, 3]])
    assert np.isnan(everywhere[8]).all()
    own = frame_likeness(table, 9, range(4))
    missing = [[1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 1]]
    np.testing.assert_array_equal(np.isnan(own[3:7]), np.array(missing, bool))
    np.testing.assert_array_equal(own[3:7][~np.isnan(own[3:7])], -table[~np.array(missing, bool)])
    # The sound ends long before the track: frames after it have nothing.
    early = frame_likeness(table, 30, range(4))
    np.testing.assert_array_equal(early[:8], own[:8])
    assert np.isnan(early[8:]).all()
    assert np.isnan(frame_likeness(table[:0], 3, range(0))).all()
    gaps = np.where(table > 3, np.nan, table)
    assert np.isnan(frame_likeness(gaps, 9, range(-9, 9))[3, 4])


def test_sound_that_runs_away_is_told() -> None:
    """A frame every 20 s, three a minute."""
    table = np.concatenate([shifted(500, k) for k in range(5)])
    parts = local_offsets(table)
    assert len(parts) == 1 + (2500 - 100) // 25
    assert parts[0][0] == 50 and parts[0][1].offset == 0 and parts[-1][1].offset == 4
    assert drift(parts) == pytest.approx(3.0, rel=0.1)
    assert drift(local_offsets(shifted(500, 4))) == 0


def test_drift_does_not_follow_the_unsure() -> None:
    parts = [(k, OffsetEstimate(3, 8.0, 5.0)) for k in range(0, 500, 25)]
    parts[3] = (75, OffsetEstimate(-15, 9.0, 5.0))
    parts[10:] = [(k, OffsetEstimate(k // 25 - 15, 1.0, 9.0)) for k, _ in parts[10:]]
    assert drift(parts) == 0
    assert np.isnan(drift(parts[:2]))
    assert np.isnan(drift(local_offsets(shifted(99, 0))))
