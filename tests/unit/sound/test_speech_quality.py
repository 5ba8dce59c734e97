from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from helpers.paths import SAMPLES
from talkingface.demo.speech import speak
from talkingface.media.audio import pcm_blocks
from talkingface.sound.speech_quality import SpeechJudge


@pytest.fixture(scope="module")
def judge() -> SpeechJudge:
    return SpeechJudge(threads=1)


def voice(frames: int, noise: float = 0) -> np.ndarray:
    """The demonstration's voice with white noise, whose RMS is that part of the voice's."""
    samples = speak(frames / 25, 16000, seed=1).samples
    hiss = np.random.default_rng(0).standard_normal(len(samples)) * samples.std()
    return (32767 * 0.8 * (samples + noise * hiss)).clip(-32767, 32767).astype(np.int16)


def published_mark(sound: np.ndarray) -> float:
    from speechmos import dnsmos

    return float(dnsmos.run(sound / 32768, 16000)["ovrl_mos"])


@pytest.mark.parametrize("noise", [0, 0.1])
def test_one_window_has_the_published_mark(judge: SpeechJudge, noise: float) -> None:
    """Of 4.8 s, which are twice in it, and cut off at 9.01 s."""
    sound = voice(120, noise)
    assert judge.run(sound) == pytest.approx(published_mark(sound), abs=1e-4)


def test_a_long_clip_has_the_mean_of_what_covers_it(judge: SpeechJudge) -> None:
    """20 s are three windows, from 0, 5.5 and 11 s on."""
    sound = np.concatenate([voice(275), voice(225, 0.3)])
    starts = (0, 87_920, 175_840)
    marks = [published_mark(sound[start : start + 144_160]) for start in starts]
    assert marks[0] - marks[2] > 0.3
    assert judge.run(sound) == pytest.approx(np.mean(marks), abs=1e-4)


def test_noise_lowers_the_mark(judge: SpeechJudge) -> None:
    marks = [judge.run(voice(200, noise)) for noise in (0.03, 0.1, 0.3, 1)]
    assert (np.diff(marks) < -0.05).all()
    noise = np.random.default_rng(0).normal(0, 3000, 200 * 640).astype(np.int16)
    assert 1 <= judge.run(noise) < 1.3


@pytest.mark.footage
@pytest.mark.parametrize("sample", ["FAzSK8PLmGI", "seated_woman"])
def test_recorded_speech_has_a_middle_mark(judge: SpeechJudge, sample: str) -> None:
    blocks = pcm_blocks(SAMPLES / f"{sample}.mp4", origin=Fraction(0), rate=16000, channels=1)
    sound = np.concatenate(list(blocks))[:, 0]
    sound = sound[: len(sound) // 640 * 640]
    mark = judge.run(sound)
    assert 2.5 < mark < 3.6
    # speechmos hears every second of it anew, here the first window alone.
    assert mark == pytest.approx(published_mark(sound), abs=0.1)


def test_too_short_for_a_mark(judge: SpeechJudge) -> None:
    assert np.isnan(judge.run(voice(74)))
    assert 1 < judge.run(voice(75)) < 5


@pytest.mark.parametrize(
    "sound", [np.zeros(64_000, np.float32), np.zeros(64_001, np.int16), np.zeros(0, np.int16)]
)
def test_what_is_no_sound_of_a_clip(judge: SpeechJudge, sound: np.ndarray) -> None:
    with pytest.raises(ValueError):
        judge.run(sound)
