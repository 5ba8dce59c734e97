from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import butter

from helpers.paths import SCRIPTS
from talkingface.demo.face import Face, portrait_frames
from talkingface.demo.speech import speak
from talkingface.grid import FPS
from talkingface.job.tables import table_of_rows
from talkingface.sync.motion import (
    BANDS,
    MOUTH,
    PASSBAND,
    POINTS,
    RIGID,
    SECTIONS,
    band_levels,
    correlate,
    mouth_measures,
    mouth_points,
)
from talkingface.tables import TRACKS


def smooth_noise(frames: int, columns: int, seed: int) -> np.ndarray:
    """Noise as slow as speech: about 4 Hz on the 25 fps grid."""
    noise = np.random.default_rng(seed).normal(size=(frames + 20, columns))
    kernel = np.hanning(7)
    return np.stack([np.convolve(c, kernel, "same") for c in noise.T], axis=1)[10:-10]


def test_the_pass_band_is_that_of_the_filter() -> None:
    expected = butter(2, PASSBAND, "band", fs=FPS, output="sos")
    np.testing.assert_allclose(SECTIONS, expected, rtol=1e-14)


def pair(frames: int, lag: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Mouth measures and sound levels that share a signal; the sound comes `lag` frames later."""
    shared = smooth_noise(frames + 40, 1, seed)
    mouth = shared[20 : 20 + frames] + noise * smooth_noise(frames, 6, seed + 1)
    sound = shared[20 - lag : 20 - lag + frames] + noise * smooth_noise(frames, BANDS, seed + 2)
    return mouth, sound


@pytest.mark.parametrize("lag", [-12, -3, 0, 1, 7])
@pytest.mark.parametrize("frames", [90, 250, 900])
def test_a_known_lag_is_found(lag: int, frames: int) -> None:
    found = correlate(*pair(frames, lag, noise=1.0), max_offset=15)
    # Positive: the sound leads.
    assert found.offset == -lag
    assert found.confidence > 4
    assert found.scores.shape == (frames,)
    assert found.scores.mean() > 4


def test_unrelated_signals_have_no_confidence() -> None:
    confidences = [
        correlate(smooth_noise(250, 6, seed), smooth_noise(250, BANDS, 99 + seed), 15).confidence
        for seed in range(20)
    ]
    assert np.median(confidences) < 3
    assert max(confidences) < 6


def test_scores_fall_where_the_sound_is_anothers() -> None:
    mouth, sound = pair(1500, 0, noise=0.5)
    sound[750:] = smooth_noise(750, BANDS, 7)
    scores = correlate(mouth, sound, 15).scores
    assert scores[:500].mean() > 5
    assert scores[1000:].mean() < 2


@pytest.mark.parametrize("lag", [0, 9])
def test_turns_of_four_seconds_come_apart_in_local_scores(lag: int) -> None:
    """But not in those of 10 s."""
    mouth, sound = pair(1200, lag, noise=0.5)
    speaks = np.arange(1200) // 100 % 2 == 0
    heard = np.roll(speaks, lag)  # the sound comes later
    sound[~heard] = smooth_noise(1200, BANDS, 7)[~heard]
    found = correlate(mouth, sound, 15)
    assert found.offset == -lag
    middles = np.arange(50, 1150, 100)
    assert found.local_scores[middles[speaks[middles]]].min() > 3
    assert found.local_scores[middles[~speaks[middles]]].max() < 2
    assert found.scores[middles[~speaks[middles]]].min() > 2


@pytest.mark.parametrize(("frames", "most"), [(50, 15), (99, 15), (101, 45), (137, 45), (400, 45)])
def test_local_scores_of_any_length_and_offset(frames: int, most: int) -> None:
    mouth, sound = pair(frames, 0, noise=0.1)
    sound = np.roll(sound, min(most, frames // 3 - 5), axis=0)
    found = correlate(mouth, sound, max_offset=most)
    assert found.local_scores.shape == (frames,)
    assert np.isfinite(found.local_scores).all() and found.local_scores.mean() > 2


def test_too_short_says_nothing() -> None:
    found = correlate(*pair(30, 0, noise=0.1), max_offset=15)
    assert (found.offset, found.confidence) == (0, 0.0)
    assert found.scores.shape == found.local_scores.shape == (30,)


def test_a_tone_is_in_its_band() -> None:
    times = np.arange(640 * 20) / 16000
    low = (8000 * np.sin(2 * np.pi * 200 * times)).astype(np.int16)
    high = (8000 * np.sin(2 * np.pi * 5000 * times)).astype(np.int16)
    assert band_levels(low).shape == (20, BANDS)
    assert set(band_levels(low).argmax(axis=1)) == {0}
    assert set(band_levels(high).argmax(axis=1)) == {BANDS - 1}


def test_a_click_is_in_the_frame_whose_time_it_has() -> None:
    sound = np.zeros(640 * 20, np.int16)
    sound[640 * 7 - 5 : 640 * 7 + 5] = 20000
    assert band_levels(sound).sum(axis=1).argmax() == 7


def test_measures_do_not_see_where_the_head_is() -> None:
    rng = np.random.default_rng(0)
    still = np.tile(rng.uniform(0, 100, (1, len(POINTS), 2)), (40, 1, 1))
    opening = np.abs(np.sin(np.arange(40) / 3)) * 8
    for upper, lower in ((13, 14), (82, 87), (312, 317)):
        still[:, POINTS.index(lower)] = still[:, POINTS.index(upper)] + [0, 2]
        still[:, POINTS.index(lower), 1] += opening
    expected = mouth_measures(still)
    angles, sizes = np.linspace(-0.4, 0.4, 40), np.linspace(0.8, 1.3, 40)
    turns = np.stack(
        [
            np.stack([np.cos(angles), np.sin(angles)], 1),
            np.stack([-np.sin(angles), np.cos(angles)], 1),
        ],
        axis=1,
    )
    moved = np.einsum("nij,njk->nik", still * sizes[:, None, None], turns)
    moved += np.linspace(0, 50, 40)[:, None, None]
    measured = mouth_measures(moved)
    np.testing.assert_allclose(measured / measured[0], expected / expected[0], rtol=1e-6)
    assert np.corrcoef(measured[:, 0], opening)[0, 1] > 0.9


def test_a_lost_face_is_bridged() -> None:
    points = np.tile(np.random.default_rng(0).uniform(0, 100, (1, len(POINTS), 2)), (30, 1, 1))
    expected = mouth_measures(points)
    points[10:20] = np.nan
    np.testing.assert_allclose(mouth_measures(points), expected)
    assert not mouth_measures(np.full((30, len(POINTS), 2), np.nan)).any()
    assert len(RIGID) + len(MOUTH) == len(POINTS)


@pytest.mark.parametrize("early", [0, 5])
def test_a_drawn_speaker_is_found(early: int) -> None:
    """From pixels: a drawn mouth driven by synthetic speech, the sound early by known frames."""
    frames = 150
    speech = speak((frames + early) / 25, 16000, seed=3)
    times = np.arange(frames) / 25 + 0.0
    face = Face(opening=speech.opening, centre=(200.0, 200.0), height=180.0)
    pictures = portrait_frames([face], times, size=(400, 400))
    x, y, w, h = face.box(1.0)
    rows = [(0, 0, k, 2 * x, 2 * y, 2 * w, 2 * h, 1.0, 1) for k in range(frames)]
    points = mouth_points(pictures, table_of_rows(TRACKS, rows), scale=2.0, threads=2)
    assert np.isfinite(points[0]).all()
    sound = np.clip(speech.samples * 20000, -32768, 32767).astype(np.int16).ravel()
    sound = sound[early * 640 :][: frames * 640]
    found = correlate(mouth_measures(points[0]), band_levels(sound), 15)
    assert abs(found.offset - early) <= 1
    assert found.confidence > 6


def test_threads_do_not_change_the_points() -> None:
    pictures = list(
        portrait_frames([Face(centre=(150.0, 150.0), height=140.0)], np.arange(80) / 25, (300, 300))
    )
    x, y, w, h = Face(centre=(150.0, 150.0), height=140.0).box(0.0)
    rows = [(0, 0, k, x, y, w, h, 1.0, 1) for k in range(80)]
    table = table_of_rows(TRACKS, rows)
    one, two = (mouth_points(iter(pictures), table, 1.0, threads) for threads in (1, 2))
    np.testing.assert_array_equal(one[0], two[0])


def test_its_threshold_is_cheap_to_import() -> None:
    """The Snakefile imports what imports it."""
    code = "import sys; from talkingface.sync.motion import TRUSTED_CONFIDENCE\n"
    code += "print(sorted({'mediapipe', 'cv2', 'av', 'torch'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[]\n"
