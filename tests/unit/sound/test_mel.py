from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.signal

from talkingface.sound import mel
from talkingface.sound.mel import mel_features


def noise(frames: int, seed: int = 0, level: float = 3000) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, 640 * frames).astype(np.int16)


def wav2lip(audio: np.ndarray) -> np.ndarray:
    """Wav2Lip's spectrogram by its published formula; (bands, T), its filters from librosa."""
    wav = audio.astype(np.float32) / 32768
    emphasised = scipy.signal.lfilter([1, -0.97], [1], wav)
    mirrored = np.concatenate([emphasised[400:0:-1], emphasised, emphasised[-2:-402:-1]])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(800) / 800)
    count = 1 + len(wav) // 200
    windows = np.stack([mirrored[200 * t : 200 * t + 800] * hann for t in range(count)])
    amplitude = np.abs(np.fft.rfft(windows)).T
    filters = librosa.filters.mel(sr=16000, n_fft=800, n_mels=80, fmin=55, fmax=7600)
    decibels = 20 * np.log10(np.maximum(1e-5, filters @ amplitude)) - 20
    return np.clip(8 * ((decibels + 100) / 100) - 4, -4, 4)


def slaney_centres() -> np.ndarray:
    """Centres of 80 bands between 55 and 7600 Hz: linear below 1 kHz, logarithmic above."""

    def to_mel(hz: float) -> float:
        return hz * 3 / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)

    steps = np.linspace(to_mel(55), to_mel(7600), 82)[1:-1]
    return np.where(steps < 15, steps * 200 / 3, 1000 * 6.4 ** ((steps - 15) / 27))


@pytest.mark.parametrize("frames", [1, 2, 7, 31])
@pytest.mark.parametrize("level", [3, 3000])
def test_wav2lip_layout_is_wav2lips_spectrogram(frames: int, level: float) -> None:
    audio = noise(frames, level=level)
    ours = mel_features(audio, layout="wav2lip")
    assert ours.shape == (1 + 640 * frames // 200, 80)
    np.testing.assert_allclose(ours, wav2lip(audio).T, atol=2e-6)


@pytest.mark.parametrize("frames", [1, 2, 25, 77])
def test_four_rows_a_frame(frames: int) -> None:
    features = mel_features(noise(frames), bands=64)
    assert features.shape == (4 * frames, 64)
    assert features.dtype == np.float32


def test_layouts_agree_where_their_rows_meet() -> None:
    audio = noise(20)
    grid, other = mel_features(audio), mel_features(audio, layout="wav2lip")
    # 5 x 160 = 4 x 200 samples.
    np.testing.assert_allclose(grid[::5], other[::4][: len(grid[::5])], atol=2e-6)


@pytest.mark.parametrize("band", [5, 20, 40, 60, 75])
def test_a_tone_lands_in_its_band(band: int) -> None:
    time = np.arange(640 * 10) / 16000
    tone = (8000 * np.sin(2 * np.pi * slaney_centres()[band] * time)).astype(np.int16)
    features = mel_features(tone)
    assert (features[4:-4].argmax(axis=1) == band).all()


@pytest.mark.parametrize(("layout", "hop"), [("grid", 160), ("wav2lip", 200)])
def test_an_impulse_lands_in_the_row_centred_on_it(layout: mel.Layout, hop: int) -> None:
    audio = np.zeros(640 * 20, np.int16)
    audio[30 * hop] = 20000
    level = mel_features(audio, layout=layout).mean(axis=1)
    assert level.argmax() == 30
    # Its neighbours are alike (but for the second sample that pre-emphasis makes).
    assert level[29] == pytest.approx(level[31], abs=0.02)
    reach = 400 // hop
    assert (level[: 30 - reach] == -4).all()
    assert (level[30 + reach + 1 :] == -4).all()


def test_range() -> None:
    assert (mel_features(np.zeros(6400, np.int16)) == -4).all()
    square = np.where(np.arange(6400) // 40 % 2, 32767, -32768).astype(np.int16)
    assert mel_features(square).max() <= 4


def test_ten_times_the_amplitude_is_twenty_decibels() -> None:
    quiet = noise(10, level=300)
    difference = mel_features((quiet * 10).astype(np.int16)) - mel_features(quiet)
    # 100 dB are 8 units.
    np.testing.assert_allclose(difference, 1.6, atol=1e-4)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = noise(30)
    whole = mel_features(audio)
    monkeypatch.setattr(mel, "BLOCK", 7)
    np.testing.assert_allclose(mel_features(audio), whole, atol=2e-6)


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
def test_refuses_audio(audio: np.ndarray) -> None:
    with pytest.raises(ValueError):
        mel_features(audio)


def test_refuses_settings() -> None:
    audio = noise(1)
    with pytest.raises(ValueError, match="layout"):
        mel_features(audio, layout="other")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="band edges"):
        mel_features(audio, fmax=9000)


@pytest.mark.parametrize(
    ("n_fft", "bands", "fmin", "fmax"),
    [(800, 80, 55.0, 7600.0), (400, 40, 0.0, 8000.0), (1024, 128, 20.0, 900.0)],
)
def test_filters_and_spectrum_are_librosas_bit_by_bit(
    n_fft: int, bands: int, fmin: float, fmax: float
) -> None:
    expected = librosa.filters.mel(sr=16000, n_fft=n_fft, n_mels=bands, fmin=fmin, fmax=fmax)
    found = mel.mel_filters(n_fft, bands, fmin, fmax)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)

    sound = np.random.default_rng(5).integers(-9000, 9000, 12800).astype(np.int16)
    features = mel.mel_features(sound, bands=bands, n_fft=n_fft, fmin=fmin, fmax=fmax)
    signal = mel._stretch(sound, -(n_fft // 2), 79 * 160 + n_fft // 2)
    spectrum = librosa.stft(signal, n_fft=n_fft, hop_length=160, center=False)
    decibels = 20 * np.log10(np.maximum(1e-5, expected @ np.abs(spectrum))) - 20
    scaled = np.clip(8 * (decibels + 100) / 100 - 4, -4, 4)
    np.testing.assert_array_equal(features, scaled.T.astype(np.float32))


def test_bands_without_weight_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(UserWarning, match="Empty filters"):
        librosa.filters.mel(sr=16000, n_fft=256, n_mels=128, fmin=20, fmax=900)
    mel.mel_filters(256, 128, 20, 900)
    assert "mel bands are narrower" in caplog.text
    caplog.clear()
    mel.mel_filters(800, 80, 55, 7600)
    assert not caplog.text
