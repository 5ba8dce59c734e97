"""Video frames on the time grid, by timestamps and never by counting."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from talkingface.grid import FPS, grid_index
from talkingface.media.container import open_media
from talkingface.media.decoding import decode_video, open_decoder
from talkingface.media.errors import refuse_errors_of_machine
from talkingface.media.interlacing import deinterlaced
from talkingface.media.limits import MediaSettings
from talkingface.media.orientation import Orientation, orientation_of
from talkingface.media.prefetch import prefetch
from talkingface.media.reading import DEFAULT, Reading
from talkingface.media.streams import video_stream

logger = logging.getLogger(__name__)

Container = av.container.InputContainer
Frames = Iterator[av.VideoFrame]

# A gap longer than this, in seconds, between two stretches is skipped by seeking.
SEEK_GAP = 8
# Seeking aims this many seconds before the wanted frame, and if that was too late, this many.
SEEK_MARGINS = (1, 10)
# Timestamps that jump further than this, in seconds, are a broken clock (joined recordings, a
# reset counter) and not a picture that stands still.
MAX_HOLD = 600


class NoVideo(LookupError):
    """A file without a video stream."""


class BrokenClock(ValueError):
    """A file whose timestamps jump, so that nobody can say what is on screen when."""


@dataclass(frozen=True)
class ShownFrame:
    """A decoded frame, the grid frames `start` to `end` (exclusive) at which it is on screen, and
    the pixel aspect ratio (width over height) it is to be displayed with.

    `scaler` is one for all frames of a reading: setting it up costs more than using it.
    """

    frame: av.VideoFrame
    start: int
    end: int
    pixel_aspect: Fraction = Fraction(1)
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


def open_video(
    path: str | Path, threads: int = 0, rough: bool = False, reading: Reading = DEFAULT
) -> tuple[Container, av.VideoStream]:
    """Open a file and choose its video stream (cover art is not one).

    `threads` is the number of decoder threads, 0 for as many as there are cores; `rough` leaves
    out the loop filter, a fifth of the work, at the price of visible blocks.
    Raises what `open_media` does, and NoVideo when the file has no video.
    """
    container = open_media(path, MediaSettings(max_pixels=reading.max_pixels))
    stream = video_stream(container, reading)
    if stream is None:
        container.close()
        raise NoVideo(f"{path}: no video stream")
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    if rough:
        stream.codec_context.options |= {"skip_loop_filter": "all"}
    open_decoder(stream)
    return container, stream


def first_timestamp(path: str | Path, reading: Reading = DEFAULT) -> Fraction:
    """Presentation time of the first video frame, in seconds on the container's clock."""
    container, stream = open_video(path, threads=1, reading=reading)
    with container:
        for frame in _frames_in_order(container, stream, reading):
            return frame.pts * stream.time_base
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
    `rough`: see `open_video`.
    All frames have the first one's size: what a stream changes to is scaled to it.
    Raises BrokenClock where timestamps jump by more than MAX_HOLD.
    """
    for stretch in [None] if stretches is None else _merge(stretches):
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
        frames: Frames | None = _frames_in_order(container, stream, reading)
        current = next(frames, None)
        if current is None:
            return
        origin, time_base = current.pts, stream.time_base
        size = current.width, current.height
        aspect = stream.sample_aspect_ratio or Fraction(1)
        scaler = VideoReformatter()
        if seeking and first > SEEK_GAP * FPS:
            target = origin + int(Fraction(first, FPS) / time_base)
            frames = _seek(container, stream, target, reading)
            if frames is None:
                logger.info("%s: seeking is not exact, reading from the beginning", path)
                yield from _shown(path, stretch, threads, rough, reading, seeking=False)
                return
            current = next(frames)
        while current is not None:
            following = next(frames, None)
            start = grid_index((current.pts - origin) * time_base)
            stop_pts = following.pts if following else current.pts + _duration(current, stream)
            end = grid_index((stop_pts - origin) * time_base)
            if following is None:
                end = max(end, 1)  # A single frame is shown, however short it lasts.
            if last is not None:
                end = min(end, last)
            if max(start, first) < end:
                if (current.width, current.height) != size:
                    current = current.reformat(*size, interpolation="AREA")
                yield ShownFrame(current, max(start, first), end, aspect, scaler)
            if last is not None and end >= last:
                return
            current = following


def _seek(
    container: Container, stream: av.VideoStream, target: int, reading: Reading
) -> Frames | None:
    """Frames from one at or before timestamp `target` on; None where that cannot be found."""
    if _has_no_times(container, stream):
        return None
    for margin in SEEK_MARGINS:
        try:
            container.seek(target - int(margin / stream.time_base), stream=stream, backward=True)
        except av.FFmpegError as error:
            refuse_errors_of_machine(error)
            return None
        frames = _frames_in_order(container, stream, reading)
        current = next(frames, None)
        if current is not None and current.pts <= target:
            return chain([current], frames)
    return None


def _has_no_times(container: Container, stream: av.VideoStream) -> bool:
    """Whether the file holds no presentation times: AVI, raw streams."""
    return container.format.name == "avi" or stream.start_time is None


def _frames_in_order(container: Container, stream: av.VideoStream, reading: Reading) -> Frames:
    """Frames in order of their timestamps; those not after the one before are left out.

    AVI knows when a frame is decoded but not when it is shown: its first frame is shown when its
    first packet is due, as every program that writes AVI assumes. Frames without any timestamp
    follow each other at the stream's rate.
    """
    avi = container.format.name == "avi"
    last = delay = None
    frames = decode_video(container, stream)
    if reading.deinterlace:
        frames = deinterlaced(frames, reading.top_first, stream.codec_context.thread_count)
    for frame in frames:
        if avi:
            delay = frame.dts if delay is None else delay
            frame.pts = None if frame.dts is None else frame.dts - delay
        if frame.pts is None:
            frame.pts = 0 if last is None else last + _duration(frame, stream)
        if last is not None:
            jump = (frame.pts - last) * stream.time_base
            if abs(jump) > MAX_HOLD:
                at = float(last * stream.time_base)
                raise BrokenClock(f"timestamps jump by {float(jump):.0f} s at {at:.1f} s")
            if jump <= 0:
                continue
        last = frame.pts
        yield frame


def _duration(frame: av.VideoFrame, stream: av.VideoStream) -> int:
    """Time a frame stays on screen by its own account or at the stream's usual rate, in the
    stream's time base."""
    if frame.duration:
        return min(frame.duration, int(MAX_HOLD / stream.time_base))
    rate = stream.average_rate or stream.guessed_rate or FPS
    return round(1 / (rate * stream.time_base))
