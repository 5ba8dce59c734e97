"""Video frames on the time grid, by timestamps and never by counting."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from talkingface.media.grid import FPS, grid_index

logger = logging.getLogger(__name__)

# A gap longer than this, in seconds, between two stretches is skipped by seeking.
SEEK_GAP = 8
# Seeking aims this many seconds before the wanted frame.
SEEK_MARGIN = 1


@dataclass(frozen=True)
class ShownFrame:
    """A decoded frame, the grid frames `start` to `end` (exclusive) at which it is on screen, and
    the pixel aspect ratio (width over height) it is to be displayed with."""

    frame: av.VideoFrame
    start: int
    end: int
    pixel_aspect: Fraction = Fraction(1)

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height in pixels once upright and with square pixels."""
        width, height = round(self.frame.width * self.pixel_aspect), self.frame.height
        return (height, width) if self.frame.rotation % 180 else (width, height)

    def upright_bgr(self) -> np.ndarray:
        """The frame as it is meant to be displayed: (H, W, 3) uint8 BGR, square pixels."""
        width = round(self.frame.width * self.pixel_aspect)
        return turn(self.frame.to_ndarray(format="bgr24", width=width), self.frame.rotation)

    def display_to_coded(self) -> np.ndarray:
        """(2, 3) float64 affine map from display coordinates to the coded picture's.

        Coordinates are continuous: pixel (i, j) covers [i, i + 1) x [j, j + 1).
        """
        width, height = self.frame.width * float(self.pixel_aspect), float(self.frame.height)
        back = {
            0: [[1, 0, 0], [0, 1, 0]],
            1: [[0, -1, width], [1, 0, 0]],
            2: [[-1, 0, width], [0, -1, height]],
            3: [[0, 1, 0], [-1, 0, height]],
        }[round(self.frame.rotation / 90) % 4]
        matrix = np.array(back, float)
        matrix[0] /= float(self.pixel_aspect)
        return matrix


def open_video(
    path: str | Path, threads: int = 0
) -> tuple[av.container.InputContainer, av.VideoStream]:
    """Open a file and choose its video stream (cover art is not one).

    `threads` is the number of decoder threads, 0 for as many as there are cores.
    Raises av.FFmpegError when the file cannot be opened, LookupError when it has no video.
    """
    container = av.open(str(path), metadata_errors="replace")
    attached = av.stream.Disposition.attached_pic
    streams = [s for s in container.streams.video if not s.disposition & attached]
    if not streams:
        container.close()
        raise LookupError(f"{path}: no video stream")
    stream = streams[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    return container, stream


def first_timestamp(path: str | Path) -> Fraction:
    """Presentation time of the first video frame, in seconds on the container's clock."""
    container, stream = open_video(path, threads=1)
    with container:
        for frame in _decode(container, stream):
            return frame.pts * stream.time_base
    raise ValueError(f"{path}: no frame could be decoded")


def shown_frames(
    path: str | Path,
    stretches: list[tuple[int, int]] | None = None,
    *,
    threads: int = 0,
) -> Iterator[ShownFrame]:
    """Yield the source frames on screen at grid times, each once, with the grid frames it fills.

    `stretches` are the wanted grid intervals `[start, end)`; frames outside them may be left
    out, long gaps between them are skipped by seeking. None: the whole file. The last frame
    lasts for its duration; a frame that cannot be decoded leaves the one before it on screen.
    """
    if stretches is None:
        yield from _shown(path, None, threads)
        return
    for stretch in _merge(stretches):
        yield from _shown(path, stretch, threads)


def bgr_frames(
    path: str | Path, stretches: list[tuple[int, int]] | None = None, *, threads: int = 0
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield `(k, image)` for every grid frame: upright (H, W, 3) uint8 BGR, square pixels.

    A source frame that fills several grid frames is given as the same array each time: do not
    write to it.
    """
    for shown in shown_frames(path, stretches, threads=threads):
        image = shown.upright_bgr()
        for k in range(shown.start, shown.end):
            yield k, image


def turn(image: np.ndarray, rotation: int) -> np.ndarray:
    """Turn an image by libav's display rotation: degrees counter-clockwise, multiples of 90."""
    quarter_turns = round(rotation / 90) % 4
    if quarter_turns == 0:
        return image
    codes = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
    return cv2.rotate(image, codes[quarter_turns])


def plane_array(plane: av.video.plane.VideoPlane) -> np.ndarray:
    """View of an 8-bit plane as (height, width) uint8, without its row padding."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def limited_yuv420p(
    frame: av.VideoFrame, width: int | None = None, height: int | None = None
) -> av.VideoFrame:
    """The frame as 8-bit 4:2:0 in limited range, scaled to `width` x `height` where given."""
    full_range = frame.color_range == ColorRange.JPEG
    if frame.format.name == "yuv420p" and not full_range and width is None:
        return frame
    return frame.reformat(
        width,
        height,
        "yuv420p",
        interpolation="AREA",
        dst_color_range="MPEG" if full_range else None,
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


def _shown(path: str | Path, stretch: tuple[int, int] | None, threads: int) -> Iterator[ShownFrame]:
    first, last = stretch or (0, None)
    container, stream = open_video(path, threads)
    with container:
        frames = _monotonic(_decode(container, stream))
        current = next(frames, None)
        if current is None:
            return
        origin = current.pts
        if first > SEEK_GAP * FPS:
            wanted = origin + Fraction(first, FPS) / stream.time_base
            current, frames = _seek(path, container, stream, int(wanted), current, frames)
        time_base = stream.time_base
        aspect = stream.sample_aspect_ratio or Fraction(1)
        while current is not None:
            following = next(frames, None)
            start = grid_index((current.pts - origin) * time_base)
            stop_pts = following.pts if following else current.pts + _duration(current, stream)
            end = grid_index((stop_pts - origin) * time_base)
            if following is None:
                end = max(end, 1)
            if last is not None:
                end = min(end, last)
            if max(start, first) < end:
                yield ShownFrame(current, max(start, first), end, aspect)
            if last is not None and end >= last:
                return
            current = following


def _seek(path, container, stream, wanted, current, frames):
    """Go to a frame at or before `wanted`; back to the beginning where the index is not exact."""
    margin = int(SEEK_MARGIN / stream.time_base)
    for target in (wanted - margin, wanted - 10 * margin):
        try:
            container.seek(target, stream=stream, backward=True)
        except av.FFmpegError:
            break
        frames = _monotonic(_decode(container, stream))
        current = next(frames, None)
        if current is not None and current.pts <= wanted:
            return current, frames
    logger.info("%s: seeking is not exact, reading from the beginning", path)
    container.seek(0, backward=True, any_frame=False)
    frames = _monotonic(_decode(container, stream))
    return next(frames, None), frames


def _decode(container, stream) -> Iterator[av.VideoFrame]:
    """Decode what can be decoded: a damaged packet costs its frames, not the file."""
    damaged = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            frames = packet.decode()
        except StopIteration:
            break
        except av.error.EOFError:
            break
        except av.error.FFmpegError:
            damaged += 1
            if damaged > 1000:
                break
            continue
        yield from frames
    if damaged:
        logger.warning("%d damaged packets were skipped", damaged)


def _monotonic(frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Leave out frames whose timestamp is missing or not after the one before."""
    last = None
    for frame in frames:
        if frame.pts is None or (last is not None and frame.pts <= last):
            continue
        last = frame.pts
        yield frame


def _duration(frame: av.VideoFrame, stream: av.VideoStream) -> int:
    """Time the last frame stays on screen, in the stream's time base."""
    if frame.duration:
        return frame.duration
    rate = stream.average_rate or stream.guessed_rate or FPS
    return round(1 / (rate * stream.time_base))
