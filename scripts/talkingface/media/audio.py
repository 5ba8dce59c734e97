"""Sound on the video's clock: sample 0 belongs to the first video frame's presentation time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

from talkingface.job.files import DamagedFile, damage_in
from talkingface.media.clock import SoundClock
from talkingface.media.container import open_media
from talkingface.media.decoding import decode_audio, open_decoder
from talkingface.media.mixing import Levels, mono
from talkingface.media.reading import DEFAULT, Reading, Section
from talkingface.media.streams import audio_stream, video_stream

# Timestamps may wander this far, in seconds, from the running count of samples (Matroska rounds
# to 1 ms, some muxers to a frame of 90 kHz ticks); beyond it the difference is a real gap or
# overlap and is made good with silence or by dropping samples.
JITTER = 0.010
BLOCK_SECONDS = 10
# The clock of a file that is not known to jump.
UNBROKEN = Section(Fraction(-(10**12)), Fraction(10**12), Fraction(0))
# A frame whose sampling rate is this many times the stream's, or part of it, is damaged: converting
# it would take gigabytes for the filter.
MAX_RATE_CHANGE = 100
# No sound of a rate higher than this, in Hz, is recorded; a stream of which nothing was known when
# the file was opened could not be compared with the limits of what a file may claim.
MAX_UNKNOWN_RATE = 768_000
HISTORY_SECONDS = 10


def sound_format(path: str | Path, reading: Reading = DEFAULT) -> tuple[int, int]:
    """Sampling rate and number of channels (at most 2) of the sound that would be read; 0 where
    nothing is known of it before it is decoded.

    Raises LookupError when the file has none.
    """
    with open_media(path) as container:
        stream = audio_stream(container, reading)
        if stream is None:
            raise LookupError(f"{path}: no audio stream")
        return stream.codec_context.sample_rate, min(2, stream.codec_context.channels)


def pcm_blocks(
    path: str | Path,
    *,
    rate: int,
    channels: int,
    origin: Fraction = Fraction(0),
    reading: Reading = DEFAULT,
    levels: Levels | None = None,
) -> Iterator[np.ndarray]:
    """Yield the sound as consecutive (n, channels) int16 blocks at `rate`, from `origin` on.

    `origin` is the time, in seconds, at which sample 0 is to stand: on the clock of the `reading`,
    or on the container's where that has none (see `video.first_timestamp`). A late start and gaps
    are silence; what lies before is dropped.
    One channel is made of many as `media.mixing` does by the `reading`, which `levels` of the whole
    file, filled here, may tell; two are libav's. A file without sound yields nothing.
    """
    if channels not in (1, 2):
        raise ValueError(f"channels must be 1 or 2, got {channels}")
    resampler = None
    for block, source_rate in _gapless_blocks(path, origin, channels, reading, levels):
        if resampler is None:
            resampler = soxr.ResampleStream(source_rate, rate, channels, dtype="float32")
        yield _to_int16(resampler.resample_chunk(block))
    if resampler is not None:
        rest = resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)
        yield _to_int16(rest)


class SoundTrack:
    """Reads stretches of a file's sound, in order, with silence wherever there is none."""

    def __init__(
        self,
        path: str | Path,
        *,
        rate: int,
        channels: int,
        origin: Fraction = Fraction(0),
        reading: Reading = DEFAULT,
        levels: Levels | None = None,
    ) -> None:
        self._blocks = pcm_blocks(
            path, rate=rate, channels=channels, origin=origin, reading=reading, levels=levels
        )
        self._buffer = np.zeros((0, channels), np.int16)
        self._start = 0
        self._ended = False
        self.rate, self.channels = rate, channels
        self._history = HISTORY_SECONDS * rate

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples `start` to `stop` (exclusive) as (n, channels) int16.

        `start` may lie at most HISTORY_SECONDS before that of an earlier call: what came before
        is forgotten. Negative positions are silence.
        """
        if max(start, 0) < self._start:
            raise ValueError(f"sample {start} was already passed (now at {self._start})")
        if not self._ended and self._start + len(self._buffer) < stop:
            # A second more, so that the buffer is not copied at every call.
            self._fill(stop + self.rate, max(0, start - self._history))
        samples = np.zeros((stop - start, self._buffer.shape[1]), np.int16)
        first, last = max(start, 0), min(stop, self._start + len(self._buffer))
        if first < last:
            part = self._buffer[first - self._start : last - self._start]
            samples[first - start : last - start] = part
        return samples

    def _fill(self, stop: int, forget: int) -> None:
        """Read on to sample `stop` and drop what lies before `forget`."""
        parts, end = [self._buffer], self._start + len(self._buffer)
        while end < stop:
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                break
            parts.append(block)
            end += len(block)
            if end <= forget:
                parts = [block[:0]]
                self._start = end
        self._buffer = np.concatenate(parts)
        drop = max(0, forget - self._start)
        self._buffer = self._buffer[drop:]
        self._start += drop


def read_wav(path: str | Path, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Samples `start` to `stop` of a 16-bit wav, as far as there are any, as (n,) or
    (n, channels) int16. Raises DamagedFile where it is no wav, or shorter than it says."""
    _check_length(path)
    with damage_in(path, soundfile.LibsndfileError), soundfile.SoundFile(str(path)) as wav:
        start = wav.seek(min(start, wav.frames))
        return wav.read(-1 if stop is None else max(0, stop - start), dtype="int16")


def _check_length(path: str | Path) -> None:
    """Raise DamagedFile where a wav has lost its end, which libsndfile passes over."""
    with open(path, "rb") as file:
        head, size = file.read(12), os.fstat(file.fileno()).st_size
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise DamagedFile(path, "no wav")
    expected = 8 + int.from_bytes(head[4:8], "little")
    if size < expected:
        raise DamagedFile(path, f"{size} of {expected} bytes")


def write_wav(path: str | Path, samples: np.ndarray, rate: int) -> None:
    """Write (n,) or (n, channels) int16 samples as 16-bit PCM wav."""
    if samples.dtype != np.int16:
        raise TypeError(f"expected int16 samples, got {samples.dtype}")
    soundfile.write(str(path), samples, rate, subtype="PCM_16", format="WAV")


def _gapless_blocks(
    path: str | Path, origin: Fraction, channels: int, reading: Reading, levels: Levels | None
) -> Iterator[tuple[np.ndarray, int]]:
    """Yield (n, channels) float32 blocks without gaps, from `origin` on, and the source's rate."""
    clock = SoundClock(reading.clock or (UNBROKEN,))
    with open_media(path) as container:
        stream = audio_stream(container, reading)
        if stream is None:
            return
        open_decoder(stream)
        position, section = 0, -1
        ahead, limit = -origin, None
        frames = _frames(container, stream, reading, clock)
        for pts, time_base, rate, samples in _mixed(frames, stream, channels, reading, levels):
            if pts is not None:
                timestamp = pts * time_base
                placed = clock.place(float(timestamp), len(samples) / rate)
                if placed is None:
                    continue
                begins = placed != section or position == 0
                if placed != section:
                    section = placed
                    shift, limit = clock.stretch(placed)
                    ahead = shift - origin
                target = round((timestamp + ahead) * rate)
                if target > position and (begins or target - position > JITTER * rate):
                    yield from _silence(target - position, channels, rate)
                    position = target
                elif position - target > (0 if begins else JITTER * rate):
                    samples = samples[position - target :]
                if limit is not None:
                    samples = samples[: max(0, round((limit - origin) * rate) - position)]
            if len(samples):
                position += len(samples)
                yield np.ascontiguousarray(samples), rate


def _frames(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    reading: Reading,
    clock: SoundClock,
) -> Iterator[av.AudioFrame]:
    """The frames of the sound; where the clock of the pictures jumps, `clock` is told of those."""
    if len(reading.clock) > 1:
        pictures = video_stream(container, reading)
        return decode_audio(container, stream, pictures, clock.pass_picture)
    return decode_audio(container, stream)


def _mixed(
    frames: Iterator[av.AudioFrame],
    stream: av.AudioStream,
    channels: int,
    reading: Reading,
    levels: Levels | None,
) -> Iterator[tuple[int | None, Fraction, int, np.ndarray]]:
    """Timestamp, its unit, sampling rate and (n, channels) float32 samples of every frame.

    The rate is the same for all: the stream's, or where that is not known from the beginning, as of
    sound that begins late in a transport stream, that of the first frame.
    """
    rate = stream.codec_context.sample_rate
    converter_format = converter = None
    for frame in frames:
        if not rate and frame.sample_rate <= MAX_UNKNOWN_RATE:
            rate = frame.sample_rate
        if not rate / MAX_RATE_CHANGE <= frame.sample_rate <= rate * MAX_RATE_CHANGE:
            continue
        pts, time_base = frame.pts, frame.time_base
        frame.pts = None  # The converter would check it against its own.
        frame_format = (frame.format.name, frame.layout.name, frame.sample_rate)
        if frame_format != converter_format:
            layout = frame.layout if channels == 1 else "stereo"
            # maxval: in floating point libav does not scale its weights to a sum of 1.
            converter = av.AudioResampler("fltp", layout, rate, options={"rematrix_maxval": "1"})
            converter_format = frame_format
        converted = [part.to_ndarray() for part in converter.resample(frame)]
        if not converted:
            continue
        samples = np.concatenate(converted, axis=1)
        if channels == 1:
            mixed = mono(samples, frame.layout, reading.channel, reading.gain)
            if levels is not None:
                levels.add(samples, mixed)
            samples = mixed[None]
        yield pts, time_base, rate, samples.T


def _silence(samples: int, channels: int, rate: int) -> Iterator[tuple[np.ndarray, int]]:
    block = BLOCK_SECONDS * rate
    for start in range(0, samples, block):
        yield np.zeros((min(block, samples - start), channels), np.float32), rate


def _to_int16(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
