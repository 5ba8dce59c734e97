from __future__ import annotations

import librosa
import numpy as np
import pytest

from talkingface.exports import delta_mel as module
from talkingface.exports.delta_mel import delta_mel

PERIOD = 1764  # samples of a frame: 44,100 / 25


def features(sound: np.ndarray) -> np.ndarray:
    return delta_mel(lambda start, stop: sound[start:stop], len(sound) // PERIOD)


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3000, PERIOD * frames).astype(np.int16)


def published(sound: np.ndarray) -> np.ndarray:
    """The published formula in float64: (N, 128), its filters from librosa."""
    wav = sound / 32768
    mirrored = np.concatenate([wav[882:0:-1], wav, wav[-2:-884:-1]])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(PERIOD) / PERIOD)
    # The row that is centred on the end of the sound is left out.
    rows = range(len(wav) // PERIOD)
    windows = np.stack([mirrored[PERIOD * k : PERIOD * (k + 1)] * hann for k in rows])
    power = (np.abs(np.fft.rfft(windows)) / 883) ** 2
    filters = librosa.filters.mel(sr=44100, n_fft=PERIOD, n_mels=64, fmin=0, fmax=22050)
    mel = np.log(1e-16 + power @ filters.T)
    result = np.zeros((len(mel), 128))
    for k in range(1, len(mel)):
        result[k, :64] = mel[k] - mel[k - 1]
    for k in range(2, len(mel)):
        result[k, 64:] = mel[k] - 2 * mel[k - 1] + mel[k - 2]
    return result


@pytest.mark.parametrize("frames", [1, 2, 3, 80])
def test_it_is_the_published_formula(frames: int) -> None:
    ours = features(noise(frames))
    assert ours.shape == (frames, 128)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, published(noise(frames)), atol=2e-4)


def test_a_click_is_in_the_row_of_its_frame() -> None:
    sound = np.zeros(PERIOD * 12, np.int16)
    sound[PERIOD * 7] = 20_000
    grows = features(sound)[:, :64].mean(axis=1)
    assert grows[7] > 10
    assert grows[8] == pytest.approx(-grows[7], rel=1e-4)
    assert np.abs(np.delete(grows, [7, 8])).max() < 1e-3


def test_the_window_reaches_half_a_frame_to_either_side() -> None:
    for shift, row in ((-881, 7), (-441, 7), (441, 7), (881, 7), (883, 8)):
        sound = np.zeros(PERIOD * 12, np.int16)
        sound[PERIOD * 7 + shift] = 20_000
        assert features(sound)[:, :64].mean(axis=1).argmax() == row, shift


def test_what_stays_as_it_is_has_no_deltas() -> None:
    # 25 periods a frame, so that all rows see the same: 625 Hz, where bands are 61.5 Hz apart.
    tone = (8000 * np.cos(2 * np.pi * np.arange(PERIOD * 9) * 25 / PERIOD)).astype(np.int16)
    assert np.abs(features(tone)[:, 8:11]).max() < 1e-3
    assert not features(np.zeros(PERIOD * 4, np.int16)).any()


def test_ten_times_the_amplitude_from_one_frame_on() -> None:
    quiet = np.random.default_rng(1).normal(0, 0.01, PERIOD).clip(-0.1, 0.1)
    sound = np.tile(quiet * 32768, 10)
    sound[PERIOD * 5 + 882 :] *= 10  # between rows 5 and 6
    rows = features(sound.round().astype(np.int16))
    # The logarithm of a hundredfold power.
    np.testing.assert_allclose(rows[6, :64], np.log(100), atol=0.05)
    np.testing.assert_allclose(rows[7, 64:], -np.log(100), atol=0.05)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = features(noise(40))
    monkeypatch.setattr(module, "BLOCK", 7)
    np.testing.assert_allclose(features(noise(40)), whole, atol=1e-5)


def test_no_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="0 frames"):
        features(np.zeros(0, np.int16))
