from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import python_speech_features as psf

from talkingface.media.audio import write_wav
from talkingface.media.clip_files import Clip
from talkingface.sound import mfcc
from talkingface.sound.mfcc import make_mfcc, mfcc_features


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3000, 640 * frames).astype(np.int16)


def stated_cepstra(audio: np.ndarray) -> np.ndarray:
    """13 liftered MFCC of 400-sample windows every 160 samples, written out from the formulas."""
    samples = audio / 32768
    x = samples.copy()
    x[1:] -= 0.97 * samples[:-1]
    rows = len(x) // 160
    x = np.concatenate([x, np.zeros(240)])
    windows = np.stack([x[160 * r : 160 * r + 400] for r in range(rows)])
    power = np.abs(np.fft.rfft(windows, 512)) ** 2 / 512

    top_mel = 2595 * np.log10(1 + 8000 / 700)
    edges_hz = 700 * (10 ** (np.arange(28) / 27 * top_mel / 2595) - 1)
    edges = np.floor(513 * edges_hz / 16000)
    bins = np.arange(257)
    filters = np.stack(
        [
            np.interp(bins, edges[j : j + 3], [0, 1, 0]) * (edges[j + 2] > edges[j])
            for j in range(26)
        ]
    )
    log_energy = np.log(np.maximum(power @ filters.T, np.finfo(float).eps))
    k, n = np.arange(13)[:, None], np.arange(26)[None]
    dct = np.sqrt(2 / 26) * np.cos(np.pi * k * (2 * n + 1) / 52)
    cepstra = log_energy @ dct.T * (1 + 11 * np.sin(np.pi * np.arange(13) / 22))
    cepstra[:, 0] = np.log(np.maximum(power.sum(axis=1), np.finfo(float).eps))
    return cepstra


def stated_delta(rows: np.ndarray) -> np.ndarray:
    ends = np.concatenate([rows[:1], rows, rows[-1:]])
    return (ends[2:] - ends[:-2]) / 2


def stated_wide_delta(rows: np.ndarray) -> np.ndarray:
    """Slope of the regression line through five rows."""
    ends = np.concatenate([rows[:1], rows[:1], rows, rows[-1:], rows[-1:]])
    return (2 * (ends[4:] - ends[:-4]) + ends[3:-1] - ends[1:-3]) / 10


def test_all_rows_follow_the_formulas() -> None:
    audio = noise(12)
    cepstra = stated_cepstra(audio)
    stated = np.hstack([cepstra, stated_delta(cepstra), stated_wide_delta(cepstra)])
    np.testing.assert_allclose(mfcc_features(audio), stated, atol=2e-4)


def test_all_but_the_last_row_are_the_reference() -> None:
    audio = noise(12)
    reference = psf.mfcc(audio / 32768, 16000)
    assert len(reference) == 4 * 12 - 1
    ours = mfcc_features(audio)
    np.testing.assert_array_equal(ours[:-1, :13], reference.astype(np.float32))
    np.testing.assert_allclose(ours[:-2, 13:26], psf.delta(reference, 1)[:-1], atol=1e-5)
    np.testing.assert_allclose(ours[:-3, 26:], psf.delta(reference, 2)[:-2], atol=1e-5)


def test_rows_are_the_references_bit_by_bit_in_silence_too(tmp_path: Path) -> None:
    """In a process of its own, where python_speech_features has scipy's own transform."""
    code = (
        "import sys, numpy as np, python_speech_features as psf\n"
        "audio = np.load(sys.argv[1]) / 32768\n"
        "cepstra = psf.mfcc(audio, 16000)\n"
        "rows = np.hstack([cepstra, psf.delta(cepstra, 1), psf.delta(cepstra, 2)])\n"
        "np.save(sys.argv[1], rows.astype(np.float32))\n"
    )
    audio = noise(40)
    audio[6400:12800] = 0
    path = tmp_path / "audio.npy"
    np.save(path, audio)
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    reference = np.load(path)
    ours = mfcc_features(audio)
    # The last row is not theirs, and the deltas beside it see it.
    np.testing.assert_array_equal(ours[:-3], reference[:-2])


def test_scaled_samples_shift_the_energy_alone() -> None:
    audio = noise(5)
    difference = psf.mfcc(audio, 16000) - psf.mfcc(audio / 32768, 16000)
    np.testing.assert_allclose(difference[:, 0], 20.79, atol=0.01)
    np.testing.assert_allclose(difference[:, 1:], 0, atol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 25, 76])
def test_four_rows_a_frame(frames: int) -> None:
    features = mfcc_features(noise(frames))
    assert features.shape == (4 * frames, 39)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_an_impulse_is_in_the_windows_over_it() -> None:
    audio = np.zeros(640 * 20, np.int16)
    audio[3400] = 20000  # windows start at 160 r and last 400: 3040, 3200 and 3360 cover it
    energy = mfcc_features(audio)[:, 0]
    assert np.flatnonzero(energy > energy.min() + 1).tolist() == [19, 20, 21]


def test_sound_of_one_video_frame_is_loudest_in_its_rows() -> None:
    audio = np.zeros(640 * 10, np.int16)
    audio[640 * 6 : 640 * 7] = noise(1)
    energy = mfcc_features(audio)[:, 0]
    # Samples 3840 to 4479, and one more by pre-emphasis; windows reach 400 samples on from 160 r.
    assert np.flatnonzero(energy > energy.min() + 1).tolist() == list(range(22, 29))
    # Rows 24 and 25 see nothing else.
    assert set(np.argsort(energy)[-2:]) == {24, 25}


def test_rising_energy_has_a_rising_delta() -> None:
    time = np.arange(640 * 50)
    audio = (300 * np.exp(time / 16000 * 2) * np.sin(2 * np.pi * 500 * time / 16000)).astype(
        np.int16
    )
    features = mfcc_features(audio)
    # e^(2t) in amplitude is e^(4t) in energy: 0.04 per 10 ms, over one row as over two.
    np.testing.assert_allclose(features[20:-20, 13].mean(), 0.04, atol=0.005)
    np.testing.assert_allclose(features[20:-20, 26].mean(), 0.04, atol=0.005)


def test_silence_is_finite() -> None:
    features = mfcc_features(np.zeros(6400, np.int16))
    assert np.isfinite(features).all()
    assert not features[:, 13:].any()


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = noise(30)
    whole = mfcc_features(audio)
    monkeypatch.setattr(mfcc, "BLOCK", 7)
    np.testing.assert_allclose(mfcc_features(audio), whole, atol=1e-5)


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros(640, np.float32),
        np.zeros((640, 2), np.int16),
        np.zeros(641, np.int16),
        np.zeros(0, np.int16),
    ],
    ids=["float", "stereo", "part of a frame", "empty"],
)
def test_refuses(audio: np.ndarray) -> None:
    with pytest.raises(ValueError):
        mfcc_features(audio)


def test_the_stage_writes_every_clip(tmp_path: Path) -> None:
    clips = [Clip("a", 3, 0, 0, tmp_path), Clip("b", 2, 0, 0, tmp_path)]
    for seed, clip in enumerate(clips):
        write_wav(tmp_path / f"{clip.clip_id}.wav", noise(clip.n_frames, seed), 16000)
    out, table = tmp_path / "mfcc", tmp_path / "mfcc.csv"
    make_mfcc(clips, out, table)
    assert table.read_text() == "clip_id,n_frames\na,3\nb,2\n"
    assert sorted(path.name for path in out.iterdir()) == ["a.npy", "b.npy"]
    np.testing.assert_array_equal(np.load(out / "b.npy"), mfcc_features(noise(2, 1)))
