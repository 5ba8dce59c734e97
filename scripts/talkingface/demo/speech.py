"""Speech-like sound with the mouth opening that goes with it: the sound half of the demo videos.

Each syllable is a vowel, a train of glottal pulses through three formant resonances, after a short
noise burst or a stop. The mouth opens with the vowel and closes in pauses. No words, but the
rhythm (3 to 5 syllables a second, phrases, pauses) and spectrum of speech.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

OPENING_RATE = 500  # samples of the mouth opening a second
# First three formants in Hz (men's averages of Peterson and Barney, 1952), mouth opening.
_VOWELS = (
    (270, 2290, 3010, 0.35),
    (530, 1840, 2480, 0.60),
    (660, 1720, 2410, 0.85),
    (730, 1090, 2440, 1.00),
    (570, 840, 2410, 0.75),
    (300, 870, 2240, 0.30),
)
_BANDWIDTHS = (60.0, 90.0, 140.0)
_GAINS = (1.0, 0.5, 0.25)


@dataclass(frozen=True)
class Voice:
    """A speaker: pitch in Hz, syllables a second, formants relative to the table."""

    pitch: float = 200.0
    pace: float = 4.2
    tract: float = 1.15


@dataclass(frozen=True)
class Speech:
    """samples: float64 (n,) within +-1 at `rate`; opening: 0-1 (m,) at OPENING_RATE, same zero."""

    samples: Array
    rate: int
    opening: Array


def speak(seconds: float, rate: int, voice: Voice = Voice(), seed: int = 0) -> Speech:
    """`seconds` of speech at `rate` Hz; the same arguments give the same samples.

    Drawing depends on `seed`, `voice` and `seconds` only, so the opening is the same at any rate.
    """
    rng = np.random.default_rng([seed, 11])
    count = round(seconds * rate)
    samples = np.zeros(count)
    opening = np.zeros(round(seconds * OPENING_RATE) + 1)
    time = 0.2 + rng.uniform(0, 0.15)
    while time < seconds - 0.5:
        syllables = int(rng.integers(4, 10))
        for position in range(syllables):
            length = rng.uniform(0.75, 1.25) / voice.pace
            consonant = rng.uniform(0.22, 0.36) * length
            vowel = _VOWELS[int(rng.integers(len(_VOWELS)))]
            loudness = rng.uniform(0.75, 1.0) * (0.5 + 0.5 * vowel[3])
            pitch = voice.pitch * (1.12 - 0.24 * position / syllables) * rng.uniform(0.95, 1.05)
            hiss = int(rng.integers(1 << 31)) if rng.uniform() < 0.6 else None
            if time + length > seconds - 0.15:
                break
            start, end = time + consonant, time + length
            if hiss is not None:
                _add_sound(samples, round(time * rate), _burst(consonant * 0.8, rate, hiss) * 0.15)
            sound = _vowel(end - start, rate, pitch, vowel, voice.tract)
            _add_sound(samples, round(start * rate), sound * loudness)
            # The mouth opens a little before the sound, as people's do.
            _raise_opening(opening, start - 0.01, end, 1.15 * loudness * vowel[3] ** 0.5)
            time = end
        else:
            time += rng.uniform(0.3, 0.75)
            continue
        break
    width = round(0.08 * OPENING_RATE) | 1  # The jaw does not jump.
    kernel = np.hanning(width + 2)[1:-1]
    opening = np.convolve(opening, kernel / kernel.sum(), mode="same")
    samples *= 0.6 / max(1e-9, np.abs(samples).max())
    samples += 0.0005 * rng.standard_normal(count)  # A room is never silent.
    return Speech(samples, rate, np.clip(opening, 0.0, 1.0))


def chew(seconds: float, seed: int = 0) -> Array:
    """Small slow mouth movements (at OPENING_RATE) that follow no speech."""
    rng = np.random.default_rng([seed, 13])
    time = np.arange(round(seconds * OPENING_RATE) + 1) / OPENING_RATE
    rates = rng.uniform(0.3, 0.9, 3)
    wave = sum(np.sin(2 * np.pi * (r * time + rng.uniform())) for r in rates)
    return np.asarray(0.08 + 0.08 * wave / len(rates)).clip(0, 1)


def ambience(seconds: float, rate: int, seed: int = 0) -> Array:
    """A quiet chord over wind-like noise, float64 (n,): sound that is not speech."""
    rng = np.random.default_rng([seed, 17])
    count = round(seconds * rate)
    time = np.arange(count) / rate
    chord = sum(np.sin(2 * np.pi * (f * time + rng.uniform())) for f in (196.0, 246.9, 293.7))
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= 1 + np.fft.rfftfreq(count, 1 / rate) / 300
    noise = np.fft.irfft(spectrum, count)
    fade = np.clip(np.minimum(time, seconds - time) / 0.05, 0, 1)
    return np.asarray((0.04 * chord + 0.04 * noise / noise.std()) * fade)


def _vowel(
    seconds: float, rate: int, pitch: float, vowel: tuple[float, ...], tract: float
) -> Array:
    count = max(2, round(seconds * rate))
    time = np.arange(count) / rate
    # Pitch falls a little; a pulse wherever the phase passes a whole number.
    phase = np.cumsum(pitch * (1.04 - 0.08 * time / seconds) / rate)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    ring = np.arange(round(0.03 * rate)) / rate
    response = sum(
        gain * np.exp(-np.pi * width * ring) * np.sin(2 * np.pi * formant * tract * ring)
        for formant, width, gain in zip(vowel, _BANDWIDTHS, _GAINS, strict=False)
    )
    size = 1 << (count + len(ring)).bit_length()
    sound = np.fft.irfft(np.fft.rfft(pulses, size) * np.fft.rfft(response, size), size)[:count]
    rise = np.clip(np.minimum(time / 0.03, (seconds - time) / 0.05), 0, 1)
    return np.asarray(sound / max(1e-9, sound.std()) * np.sin(rise * np.pi / 2) ** 2)


def _burst(seconds: float, rate: int, seed: int) -> Array:
    """Noise between 2.5 and 7 kHz, like s or sh, with unit root mean square before its fades."""
    count = max(4, round(seconds * rate))
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / rate)
    spectrum *= np.clip((frequency - 2000) / 500, 0, 1) * np.clip((7500 - frequency) / 500, 0, 1)
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / max(1e-9, noise.std()) * np.hanning(count))


def _add_sound(samples: Array, start: int, sound: Array) -> None:
    part = samples[start : start + len(sound)]
    part += sound[: len(part)]


def _raise_opening(opening: Array, start: float, end: float, height: float) -> None:
    first, last = round(start * OPENING_RATE), round(end * OPENING_RATE)
    shape = np.sin(np.linspace(0, np.pi, last - first)) ** 0.6
    part = opening[first:last]
    part[:] = np.maximum(part, height * shape[: len(part)])
