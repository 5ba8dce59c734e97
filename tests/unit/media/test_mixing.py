"""What of several channels is heard as one; the truth is a formula of the channels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from helpers.synthetic import Film, Sound, write_film
from talkingface.media.audio import SoundTrack, read_wav
from talkingface.media.mixing import Levels, mono
from talkingface.shots.proxy import Proxy, encode_proxy

RATE = 16_000
FILM = Film(size=(64, 48), seconds=2, flashes=(), suffix=".mkv")
TIME = np.arange(2 * RATE) / RATE
VOICE = 0.3 * np.sin(2 * np.pi * 400 * TIME) * (1 + np.sin(2 * np.pi * 3 * TIME)) / 2
NOISE = np.random.default_rng(0).normal(0, 0.02, (2, len(TIME)))


def heard(folder: Path, channels: np.ndarray, layout: str) -> tuple[np.ndarray, Proxy]:
    """The copy's sound, which is also that which clips are given."""
    film = replace(FILM, sound=Sound("flac", RATE, layout))
    pictures = (np.zeros((48, 64, 3), np.uint8) for _ in film.frame_times)
    path = write_film(folder / "film.mkv", film, pictures, channels.astype("f4"))
    proxy = encode_proxy(path, folder / "copy.mp4", folder / "copy.wav", long_side=64)
    sound = read_wav(folder / "copy.wav")
    track = SoundTrack(path, rate=RATE, channels=1, reading=proxy.reading)
    assert (track.read(0, len(sound))[:, 0] == sound).all()
    return sound / 32768, proxy


@pytest.mark.parametrize(("left", "right"), [(1, -0.99), (1, -0.5), (-0.5, 1)])
def test_opposite_phase_is_heard(tmp_path: Path, left: float, right: float) -> None:
    """The louder of the two as it is, instead of what is left of their sum."""
    both = np.stack([left * VOICE, right * VOICE]) + NOISE
    sound, proxy = heard(tmp_path, both, "stereo")
    louder = int(abs(right) > abs(left))
    assert proxy.reading.channel == louder
    assert np.abs(sound - both[louder]).max() < 1e-3


@pytest.mark.parametrize("right", [1.0, 0.3, 0.0])
def test_what_does_not_cancel_is_averaged(tmp_path: Path, right: float) -> None:
    both = np.stack([VOICE, right * VOICE]) + NOISE
    sound, proxy = heard(tmp_path, both, "stereo")
    assert proxy.reading.channel is None
    assert np.abs(sound - both.mean(axis=0)).max() < 1e-3


@pytest.mark.parametrize("layout", ["5.1", "3.0", "5.0(side)"])
def test_a_voice_in_the_centre_is_as_loud_as_in_the_file(tmp_path: Path, layout: str) -> None:
    channels = np.zeros((av.AudioLayout(layout).nb_channels, len(TIME)))
    channels[2] = VOICE
    sound, proxy = heard(tmp_path, channels, layout)
    assert np.abs(sound - VOICE).max() < 1e-3
    assert proxy.reading.gain == 1


def test_low_frequencies_are_left_out_and_the_rest_is_itu_s(tmp_path: Path) -> None:
    """ITU-R BS.775: 0.707 of the surround channels into each of two loudspeakers."""
    channels = np.zeros((6, len(TIME)))
    channels[3] = 0.9
    channels[4] = VOICE
    sound, _ = heard(tmp_path, channels, "5.1")
    assert np.abs(sound - VOICE * 0.7071 / 2).max() < 1e-3


def test_loud_channels_do_not_clip(tmp_path: Path) -> None:
    """Their sum reaches 0.9 (1 + 1/2 + 1/2 + 0.35 + 0.35); all of it is lowered to 1."""
    channels = np.tile(3 * VOICE, (6, 1))
    sound, proxy = heard(tmp_path, channels, "5.1")
    total = 3 * VOICE * (2 + 2**0.5 / 2)
    assert proxy.reading.gain == pytest.approx(1 / np.abs(total).max(), abs=1e-3)
    assert np.abs(sound - total / np.abs(total).max()).max() < 2e-3


def test_channels_of_unknown_places_are_averaged() -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, (4, 100)).astype("f4")
    mixed = mono(samples, av.AudioLayout("4 channels"), None, 1.0)
    assert mixed == pytest.approx(samples.mean(axis=0), abs=1e-6)


def test_silence_says_nothing() -> None:
    levels = Levels()
    levels.add(np.zeros((2, 100), "f4"), np.zeros(100, "f4"))
    assert (levels.channel, levels.gain) == (None, 1.0)
