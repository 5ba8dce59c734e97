"""Writing video at exactly 25 frames a second, with its sound in exact step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from talkingface.grid import FPS
from talkingface.media.container import libav_path
from talkingface.media.errors import refuse_short_memory
from talkingface.media.video import plane_array

# Sampling rates AAC can carry; others are resampled to 48 kHz before they come here.
AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

# Gives samples `start` to `stop` (exclusive) as (n, channels) int16.
SoundReader = Callable[[int, int], np.ndarray]


class VideoWriter:
    """Encodes frames k = 0, 1, 2 ... at k/25 s as H.264 yuv420p, with AAC sound if there is any.

    A context manager: leaving it finishes the file. `sound` is asked for the samples of one frame
    after the other, `channels` at `sound_rate`; sample 0 stands at time 0. `colour` is a frame
    like those to come, whose colour description is passed on.

    Raises OSError when the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        *,
        preset: str,
        crf: float,
        keyframe_interval: int = 250,
        threads: int = 0,
        sound: SoundReader | None = None,
        sound_rate: int = 0,
        channels: int = 1,
        colour: av.VideoFrame | None = None,
    ) -> None:
        if width % 2 or height % 2:
            raise ValueError(f"{path}: width and height must be even, got {width}x{height}")
        with _writing():
            self._container = av.open(
                libav_path(path), "w", format="mp4", options={"movflags": "faststart"}
            )
        options = {"preset": preset, "crf": str(crf), "g": str(keyframe_interval)}
        self._video = self._container.add_stream("libx264", rate=FPS, options=options)
        self._video.width, self._video.height, self._video.pix_fmt = width, height, "yuv420p"
        self._video.codec_context.thread_type = "AUTO"
        self._video.codec_context.thread_count = threads
        if colour is not None:
            context = self._video.codec_context
            context.color_range = ColorRange.MPEG  # Limited, as yuv420p is.
            context.colorspace = colour.colorspace
            context.color_primaries = colour.color_primaries
            context.color_trc = colour.color_trc
        self.frames = 0
        self._closed = False
        self._sound, self._sound_rate, self._samples_written = sound, sound_rate, 0
        if sound is not None:
            self._layout = "mono" if channels == 1 else "stereo"
            self._aac = self._container.add_stream(
                "aac", rate=sound_rate, layout=self._layout, options={"aac_coder": "fast"}
            )
            self._aac.codec_context.bit_rate = 96_000 * channels

    def write(self, frame: av.VideoFrame) -> None:
        """Encode the next frame: yuv420p of the writer's size. The same may be given again."""
        frame.pts, frame.time_base = self.frames, Fraction(1, FPS)
        frame.pict_type = PictureType.NONE  # The source's keyframes are not ours.
        with _writing():
            self._container.mux(self._video.encode(frame))
        self.frames += 1
        if self._sound is not None:
            samples = self._sound(self._samples_written, self.frames * self._sound_rate // FPS)
            with _writing():
                if len(samples):
                    self._write_sound(samples)

    def _write_sound(self, samples: np.ndarray) -> None:
        interleaved = np.ascontiguousarray(samples).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=self._layout)
        frame.sample_rate = self._sound_rate
        frame.pts, frame.time_base = self._samples_written, Fraction(1, self._sound_rate)
        self._container.mux(self._aac.encode(frame))
        self._samples_written += len(samples)

    def close(self) -> None:
        """Finish the file; further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        with _writing():
            if self.frames:
                self._container.mux(self._video.encode(None))
                if self._sound is not None:
                    self._container.mux(self._aac.encode(None))
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            self.close()
        else:
            # What is there is useless, and libav may stumble over finishing it.
            self._closed = True


@contextmanager
def _writing() -> Iterator[None]:
    """A full disk must not be taken for a broken source, whose errors are libav's too."""
    try:
        yield
    except av.FFmpegError as error:
        refuse_short_memory()  # x264 has one error for everything.
        raise OSError(f"cannot write: {error}") from error


def frame_from_planes(y: np.ndarray, u: np.ndarray, v: np.ndarray) -> av.VideoFrame:
    """Build a yuv420p frame from (H, W), (H/2, W/2), (H/2, W/2) uint8 planes, H and W even."""
    frame = av.VideoFrame(y.shape[1], y.shape[0], "yuv420p")
    for plane, pixels in zip(frame.planes, (y, u, v), strict=True):
        plane_array(plane)[:] = pixels
    return frame
