"""Sound on the video's clock: sample 0 belongs to the first video frame's presentation time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

# Timestamps may wander this far, in seconds, from the running count of samples (Matroska rounds
# to 1 ms, some muxers to a frame of 90 kHz ticks); beyond it the difference is a real gap or
# overlap and is made good with silence or by dropping samples.
JITTER = 0.010
BLOCK_SECONDS = 10
HISTORY_SECONDS = 10


def has_sound(path: str | Path) -> bool:
    """Whether the file has an audio stream that can be decoded."""
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.best("audio")
        return stream is not None and stream.codec_context is not None


def sound_format(path: str | Path) -> tuple[int, int]:
    """Sampling rate and number of channels (at most 2) of the sound that would be read."""
    with av.open(str(path), metadata_errors="replace") as container:
        context = container.streams.best("audio").codec_context
        return context.sample_rate, min(2, context.channels)


def pcm_blocks(
    path: str | Path, *, origin: Fraction, rate: int, channels: int
) -> Iterator[np.ndarray]:
    """Yield the sound as consecutive (n, channels) int16 blocks at `rate`, from `origin` on.

    `origin` is the time, in seconds on the container's clock, at which sample 0 is to stand (see
    `video.first_timestamp`). A late start and gaps are silence; what lies before is dropped.
    More than two channels are mixed down as libav does. A file without sound yields nothing.
    """
    if channels not in (1, 2):
        raise ValueError(f"channels must be 1 or 2, got {channels}")
    resampler = None
    for block, source_rate in _placed(path, origin, "mono" if channels == 1 else "stereo"):
        if resampler is None:
            resampler = soxr.ResampleStream(source_rate, rate, channels, dtype="float32")
        yield _to_int16(resampler.resample_chunk(block))
    if resampler is not None:
        rest = resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)
        yield _to_int16(rest)


class SoundTrack:
    """Reads stretches of a file's sound, in order, with silence wherever there is none."""

    def __init__(self, path: str | Path, *, origin: Fraction, rate: int, channels: int) -> None:
        self._blocks = pcm_blocks(path, origin=origin, rate=rate, channels=channels)
        self._buffer = np.zeros((0, channels), np.int16)
        self._start = 0
        self._ended = False
        self._history = HISTORY_SECONDS * rate

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples `start` to `stop` (exclusive) as (n, channels) int16.

        `start` may lie at most HISTORY_SECONDS before that of an earlier call: what came before
        is forgotten. Negative positions are silence.
        """
        if max(start, 0) < self._start:
            raise ValueError(f"sample {start} was already passed (now at {self._start})")
        while not self._ended and self._start + len(self._buffer) < stop:
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
            else:
                self._buffer = np.concatenate([self._buffer, block])
                self._forget(start - self._history)
        wanted = np.zeros((stop - start, self._buffer.shape[1]), np.int16)
        first, last = max(start, 0), min(stop, self._start + len(self._buffer))
        if first < last:
            part = self._buffer[first - self._start : last - self._start]
            wanted[first - start : last - start] = part
        return wanted

    def _forget(self, before: int) -> None:
        drop = min(before - self._start, len(self._buffer))
        if drop > 0:
            self._buffer = self._buffer[drop:]
            self._start += drop


def read_wav(path: str | Path, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Samples `start` to `stop` of a 16-bit wav as (n,) or (n, channels) int16."""
    with soundfile.SoundFile(str(path)) as wav:
        wav.seek(start)
        return wav.read(-1 if stop is None else stop - start, dtype="int16")


def write_wav(path: str | Path, samples: np.ndarray, rate: int) -> None:
    """Write (n,) or (n, channels) int16 samples as 16-bit PCM wav."""
    if samples.dtype != np.int16:
        raise TypeError(f"expected int16 samples, got {samples.dtype}")
    soundfile.write(str(path), samples, rate, subtype="PCM_16", format="WAV")


def _placed(path: str | Path, origin: Fraction, layout: str) -> Iterator[tuple[np.ndarray, int]]:
    """Yield (n, channels) float32 blocks at the source's rate, without gaps, from `origin` on."""
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.best("audio")
        if stream is None or stream.codec_context is None:
            return
        rate = stream.codec_context.sample_rate
        channels = 1 if layout == "mono" else 2
        mixer = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        position = 0
        for frame in _decode(container, stream):
            # pts is kept aside: the mixer only changes format and layout, never the length.
            pts, frame.pts = frame.pts, None
            samples = np.concatenate([f.to_ndarray().T for f in mixer.resample(frame)])
            if pts is not None:
                target = round((pts * frame.time_base - origin) * rate)
                if target > position and (position == 0 or target - position > JITTER * rate):
                    yield from _silence(target - position, channels, rate)
                    position = target
                elif position - target > (0 if position == 0 else JITTER * rate):
                    samples = samples[position - target :]
            if len(samples):
                position += len(samples)
                yield np.ascontiguousarray(samples), rate


def _decode(container, stream) -> Iterator[av.AudioFrame]:
    """Decode what can be decoded: a damaged packet costs its samples, not the file."""
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue


def _silence(samples: int, channels: int, rate: int) -> Iterator[tuple[np.ndarray, int]]:
    block = BLOCK_SECONDS * rate
    for start in range(0, samples, block):
        yield np.zeros((min(block, samples - start), channels), np.float32), rate


def _to_int16(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
