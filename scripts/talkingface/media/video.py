"""Video frames on the time grid, by timestamps and never by counting."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from talkingface.grid import FPS, grid_index
from talkingface.media.clock import MAX_HOLD, PictureClock
from talkingface.media.decoding import decode_video, open_video
from talkingface.media.errors import refuse_errors_of_machine
from talkingface.media.interlacing import deinterlaced
from talkingface.media.orientation import Orientation, orientation_of
from talkingface.media.prefetch import prefetch
from talkingface.media.reading import DEFAULT, Reading

logger = logging.getLogger(__name__)

SQUARE = Fraction(1)
Container = av.container.InputContainer
Frames = Iterator[av.VideoFrame]


class _TimedFrame(NamedTuple):
    """A frame, where it stands on the grid's clock, and how long it lasts by its own account, in
    the stream's time base."""

    frame: av.VideoFrame
    time: Fraction
    duration: int
    timestamp: Fraction
    shift: Fraction
    pixel_aspect: Fraction


TimedFrames = Iterator[_TimedFrame]

# A gap longer than this, in seconds, between two stretches is skipped by seeking.
SEEK_GAP = 8
# Seeking aims this many seconds before the wanted frame, and if that was too late, this many.
SEEK_MARGINS = (1, 10)


@dataclass(frozen=True)
class ShownFrame:
    """A decoded frame, the grid frames `start` to `end` (exclusive) at which it is on screen, and
    the pixel aspect ratio (width over height) it is to be displayed with.

    `timestamp` is the file's own, in seconds, and `shift` what was added to it to have its place on
    the grid's clock. `scaler` is one for all frames of a reading: setting it up costs more than
    using it.
    """

    frame: av.VideoFrame
    start: int
    end: int
    pixel_aspect: Fraction = Fraction(1)
    timestamp: Fraction = Fraction(0)
    shift: Fraction = Fraction(0)
    scaler: VideoReformatter = field(default_factory=VideoReformatter)

    @cached_property
    def orientation(self) -> Orientation:
        """How the coded picture stands on the display."""
        return orientation_of(self.frame)

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height in pixels once upright and with square pixels."""
        width, height = round(self.frame.width * self.pixel_aspect), self.frame.height
        return (height, width) if self.orientation.transposed else (width, height)

    def upright_bgr(self) -> np.ndarray:
        """The frame as it is meant to be displayed: (H, W, 3) uint8 BGR, square pixels."""
        width = round(self.frame.width * self.pixel_aspect)
        image = self.scaler.reformat(self.frame, width=width, format="bgr24").to_ndarray()
        return self.orientation.upright(image)

    def display_to_coded(self) -> np.ndarray:
        """(2, 3) float64 affine map from display coordinates to the coded picture's.

        Coordinates are continuous: pixel (i, j) covers [i, i + 1) x [j, j + 1).
        """
        width = self.frame.width * float(self.pixel_aspect)
        matrix = self.orientation.to_coded(width, self.frame.height)
        matrix[0] /= float(self.pixel_aspect)
        return matrix


def first_timestamp(path: str | Path, reading: Reading = DEFAULT) -> Fraction:
    """Presentation time of the first video frame, in seconds on the container's clock."""
    container, stream = open_video(path, threads=1, reading=reading)
    with container:
        for timed in _timed_frames(container, stream, PictureClock(stream.time_base), reading):
            return timed.timestamp
    raise ValueError(f"{path}: no frame could be decoded")


def shown_frames(
    path: str | Path,
    stretches: list[tuple[int, int]] | None = None,
    *,
    threads: int = 0,
    rough: bool = False,
    reading: Reading = DEFAULT,
) -> Iterator[ShownFrame]:
    """Yield the source frames on screen at grid times, each once, with the grid frames it fills.

    `stretches` are the wanted grid intervals `[start, end)`; frames outside them may be left
    out, long gaps between them are skipped by seeking. None: the whole file. The last frame
    lasts for its duration; a frame that cannot be decoded leaves the one before it on screen.
    Where the `reading` says so, frames are deinterlaced.
    `rough`: see `open_video`. Frames have the size and pixel aspect that each has in the file.
    Where timestamps jump (see `media.clock`) the frame after the jump follows at once.
    Raises BrokenClock where they jump too often.
    """
    merged: list[tuple[int, int] | None] = [None]
    if stretches and len(reading.clock) > 1:
        # A timestamp may stand there more than once, so nothing can be sought.
        merged = [(min(start for start, _ in stretches), max(end for _, end in stretches))]
    elif stretches is not None:
        merged = [*_merge(stretches)]
    for stretch in merged:
        yield from _shown(path, stretch, threads, rough, reading)


def bgr_frames(
    path: str | Path,
    stretches: list[tuple[int, int]] | None = None,
    *,
    threads: int = 0,
    reading: Reading = DEFAULT,
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield `(k, image)` for every grid frame: upright (H, W, 3) uint8 BGR, square pixels.

    A source frame that fills several grid frames is given as the same array each time: do not
    write to it.
    """
    shown = shown_frames(path, stretches, threads=threads, reading=reading)
    for start, end, image in prefetch((s.start, s.end, s.upright_bgr()) for s in shown):
        for k in range(start, end):
            yield k, image


def plane_array(plane: av.video.plane.VideoPlane) -> np.ndarray:
    """View of an 8-bit plane as (height, width) uint8, without its row padding."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def limited_yuv420p(frame: av.VideoFrame, scaler: VideoReformatter | None = None) -> av.VideoFrame:
    """The frame as 8-bit 4:2:0 in limited range, of the same size.

    The matrix stays the source's (RGB becomes BT.709), and so do primaries and transfer: HDR is
    not tone-mapped. `scaler` is best one for all frames: setting it up costs more than using it.
    """
    full_range = frame.color_range == ColorRange.JPEG
    rgb = frame.format.is_rgb or frame.format.has_palette
    if frame.format.name == "yuv420p" and not full_range:
        return frame
    return (scaler or VideoReformatter()).reformat(
        frame,
        format="yuv420p",
        interpolation="AREA",
        dst_colorspace=Colorspace.ITU709 if rgb else None,
        dst_color_range="MPEG" if full_range or rgb else None,
    )


def _merge(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join stretches that overlap or lie closer than SEEK_GAP."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start - merged[-1][1] <= SEEK_GAP * FPS:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _shown(
    path: str | Path,
    stretch: tuple[int, int] | None,
    threads: int,
    rough: bool,
    reading: Reading,
    seeking: bool = True,
) -> Iterator[ShownFrame]:
    first, last = stretch or (0, None)
    container, stream = open_video(path, threads, rough, reading)
    with container:
        clock = PictureClock(stream.time_base, reading.clock[0].shift if reading.clock else None)
        frames: TimedFrames | None = _timed_frames(container, stream, clock, reading)
        current = next(frames, None)
        if current is None:
            return
        scaler = VideoReformatter()
        if seeking and first > SEEK_GAP * FPS and len(reading.clock) <= 1:
            time = Fraction(first, FPS)
            frames = _seek(container, stream, time, current.shift, reading)
            if frames is None:
                logger.info("%s: seeking is not exact, reading from the beginning", path)
                yield from _shown(path, stretch, threads, rough, reading, seeking=False)
                return
            current = next(frames)
        start = grid_index(current.time)
        while current is not None:
            following = next(frames, None)
            if following is None:
                stop = grid_index(current.time + current.duration * stream.time_base)
                stop = max(stop, 1)  # A single frame is shown, however short it lasts.
            else:
                stop = grid_index(following.time)
            end = stop
            if last is not None:
                end = min(end, last)
            if max(start, first) < end:
                yield ShownFrame(
                    current.frame,
                    max(start, first),
                    end,
                    current.pixel_aspect,
                    current.timestamp,
                    current.shift,
                    scaler,
                )
            if last is not None and end >= last:
                return
            current, start = following, stop


def _seek(
    container: Container,
    stream: av.VideoStream,
    time: Fraction,
    shift: Fraction,
    reading: Reading,
) -> TimedFrames | None:
    """Frames from one at or before `time` on the grid's clock on; None where that cannot be found.

    `shift` is the clock's.
    """
    if _has_no_times(container, stream):
        return None
    for margin in SEEK_MARGINS:
        target = int((time - shift - margin) / stream.time_base)
        try:
            container.seek(target, stream=stream, backward=True)
        except av.FFmpegError as error:
            refuse_errors_of_machine(error)
            return None
        frames = _timed_frames(container, stream, PictureClock(stream.time_base, shift), reading)
        current = next(frames, None)
        if current is not None and current.time <= time:
            return chain([current], frames)
    return None


def _has_no_times(container: Container, stream: av.VideoStream) -> bool:
    """Whether the file holds no presentation times: AVI, raw streams."""
    return container.format.name == "avi" or stream.start_time is None


def _timed_frames(
    container: Container, stream: av.VideoStream, clock: PictureClock, reading: Reading
) -> TimedFrames:
    """Frames in order of their times; those not after the one before are left out.

    AVI knows when a frame is decoded but not when it is shown: its first frame is shown when its
    first packet is due, as every program that writes AVI assumes. Frames without any timestamp
    follow each other at the stream's rate.
    """
    avi = container.format.name == "avi"
    aspect_of_stream, context = stream.sample_aspect_ratio, stream.codec_context
    # What the container says holds for all its frames, what the codec says may change (see
    # libavformat's av_guess_sample_aspect_ratio).
    follows_codec = not aspect_of_stream or aspect_of_stream == context.sample_aspect_ratio
    aspect: Fraction | None = None
    last = delay = None
    disordered = 0
    frames = decode_video(container, stream)
    if reading.deinterlace:
        frames = deinterlaced(frames, reading.top_first, stream.codec_context.thread_count)
    for frame in frames:
        if avi:
            delay = frame.dts if delay is None else delay
            frame.pts = None if frame.dts is None else frame.dts - delay
        if frame.pts is None:
            frame.pts = 0 if last is None else last + _duration(frame, stream)
        duration = _duration(frame, stream)
        if not clock.place(frame.pts, duration):
            disordered += 1
            continue
        last = frame.pts
        # The decoder is some frames ahead of what it gives; its shape changes at key frames only.
        if aspect is None or frame.key_frame:
            aspect = (context.sample_aspect_ratio if follows_codec else aspect_of_stream) or SQUARE
        assert clock.shift is not None
        timestamp = frame.pts * stream.time_base
        time = timestamp + clock.shift
        yield _TimedFrame(frame, time, duration, timestamp, clock.shift, aspect)
    if disordered:
        logger.warning("%d frames came too late to be shown and were left out", disordered)


def _duration(frame: av.VideoFrame, stream: av.VideoStream) -> int:
    """Time a frame stays on screen by its own account or at the stream's usual rate, in the
    stream's time base."""
    if frame.duration:
        return min(frame.duration, int(MAX_HOLD / stream.time_base))
    rate = stream.average_rate or stream.guessed_rate or FPS
    return round(1 / (rate * stream.time_base))
