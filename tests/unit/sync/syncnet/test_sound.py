from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import python_speech_features

from talkingface.media.audio import write_wav
from talkingface.sync.syncnet import sound as sound_module
from talkingface.sync.syncnet.sound import SoundEmbeddings, sound_mfcc


def sound(frames: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 3000, 640 * frames).astype(np.int16)


def windows(samples: np.ndarray) -> np.ndarray:
    """All windows of a sound as syncnet_python cuts them, (n, 20, 13)."""
    mfcc = python_speech_features.mfcc(samples, 16000)
    return np.stack([mfcc[4 * f : 4 * f + 20] for f in range(len(samples) // 640 - 5)])


class Listener:
    """A network whose embedding is the window itself, and zeros."""

    def sounds(self, mfcc: np.ndarray) -> np.ndarray:
        count = (len(mfcc) - 16) // 4
        found = np.zeros((count, 1024), np.float32)
        found[:, :260] = [mfcc[4 * i : 4 * i + 20].ravel() for i in range(count)]
        return found


def test_mfcc_of_a_part_are_those_of_the_whole() -> None:
    samples = sound(50)
    whole = python_speech_features.mfcc(samples, 16000)
    # The last row is half made of zeros; no window needs it.
    np.testing.assert_allclose(sound_mfcc(samples, 0, 198), whole[:198], atol=1e-8)
    np.testing.assert_allclose(sound_mfcc(samples, 37, 90), whole[37:90], atol=1e-8)
    with pytest.raises(ValueError, match="row 198"):
        sound_mfcc(samples, 0, 199)


@pytest.mark.parametrize("block", [1, 7, 64])
@pytest.mark.parametrize("ends", ["compatible", "valid"])
def test_every_window_in_its_place(
    ends: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A track of frames 10 to 30 in a film of 40, asked for piece by piece."""
    monkeypatch.setattr(sound_module, "BLOCK", block)
    samples = sound(40)
    write_wav(tmp_path / "s.wav", samples, 16000)
    heard = SoundEmbeddings(tmp_path / "s.wav", np.arange(10, 30), Listener(), 15, ends)  # type: ignore[arg-type]
    assert heard.n_windows == 15
    pieces = [heard.around(0, 4)[:4], heard.around(4, 5)[:1], heard.around(5, 15)]
    found = np.concatenate(pieces)[:, :260].reshape(-1, 20, 13)
    assert len(found) == 15 + 30
    if ends == "compatible":
        expected = np.zeros((45, 20, 13))
        expected[15:30] = windows(samples[640 * 10 : 640 * 30])
    else:
        # The film's windows from 15 before the track's first on: five of them do not exist.
        expected = np.full((45, 20, 13), np.nan)
        expected[5:40] = windows(samples)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_a_sound_that_ends_early_has_fewer_windows(tmp_path: Path) -> None:
    write_wav(tmp_path / "s.wav", sound(20), 16000)
    listener = Listener()
    for first, last, count in ((10, 40, 5), (10, 16, 1), (16, 40, 0), (30, 40, 0)):
        frames = np.arange(first, last)
        heard = SoundEmbeddings(tmp_path / "s.wav", frames, listener, 15, "compatible")  # type: ignore[arg-type]
        assert heard.n_windows == count
