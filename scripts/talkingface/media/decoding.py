"""From packets to frames, of picture and sound alike."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av

from talkingface.media.container import open_media, path_of, pixel_limit
from talkingface.media.errors import (
    refuse_errors_of_machine,
    refuse_short_memory,
    refuse_to_blame,
)
from talkingface.media.limits import MediaSettings, refuse_pixels
from talkingface.media.reading import DEFAULT, Reading
from talkingface.media.streams import video_stream

logger = logging.getLogger(__name__)

Container = av.container.InputContainer


class NoVideo(LookupError):
    """A file without a video stream."""


def open_decoder(stream: av.VideoStream | av.AudioStream) -> None:
    """Open the decoder of a stream. Raises MemoryError or OSError where this machine has no memory
    or threads left for it; one that does not take the stream finds all of its packets damaged."""
    try:
        stream.codec_context.open(strict=False)
    except av.FFmpegError as error:
        refuse_errors_of_machine(error)
        refuse_short_memory()
        if error.errno == errno.EAGAIN:
            raise OSError(error.errno, "no more threads") from error


def open_video(
    path: str | Path, threads: int = 0, rough: bool = False, reading: Reading = DEFAULT
) -> tuple[Container, av.VideoStream]:
    """Open a file and choose its video stream (cover art is not one).

    `threads` is the number of decoder threads, 0 for as many as there are cores; `rough` leaves
    out the loop filter, a fifth of the work, at the price of visible blocks.
    Raises what `open_media` does, and NoVideo when the file has no video, or of a kind that nothing
    here decodes.
    """
    container = open_media(path, MediaSettings(max_pixels=reading.max_pixels))
    stream = video_stream(container, reading)
    if stream is None or stream.codec_context is None:
        container.close()
        raise NoVideo(f"{path}: no video stream" + (" that can be decoded" if stream else ""))
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    if rough:
        stream.codec_context.options |= {"skip_loop_filter": "all"}
    open_decoder(stream)
    return container, stream


def decode_video(
    container: Container, stream: av.VideoStream, packets: int | None = None
) -> Iterator[av.VideoFrame]:
    """Decode what can be decoded: a damaged packet costs its frames, not the file.

    `packets` is how many are looked at, None for all.
    Raises UnreadableMedia where a picture has more pixels than the file was opened for, and
    MemoryError or OSError where it may be this machine that fails.
    """
    limit = pixel_limit(container)
    frames = 0
    read = _Packets(container, stream)
    for packet in islice(read, packets):
        for frame in read.decode(packet):
            refuse_pixels(frame.width, frame.height, limit)
            if frame.is_corrupt:
                refuse_short_memory()
            frames += 1
            yield frame
    if frames < read.count:
        refuse_short_memory()
    read.report()


def decode_audio(
    container: Container,
    stream: av.AudioStream,
    pictures: av.VideoStream | None = None,
    pass_picture: Callable[[Fraction, Fraction], None] | None = None,
) -> Iterator[av.AudioFrame]:
    """Decode what can be decoded: a damaged packet costs its samples, not the file.

    `pass_picture` is called with the times, in seconds, at which a picture of the stream `pictures`
    is shown and decoded, for each as it comes in the file between the sound.
    Raises MemoryError or OSError where it may be this machine that fails.
    """
    read = _Packets(container, stream, *([pictures] if pictures and pass_picture else []))
    for packet in read:
        if packet is None or packet.stream_index == stream.index:
            yield from read.decode(packet)
        elif pass_picture and packet.pts is not None and packet.dts is not None:
            pass_picture(packet.pts * packet.time_base, packet.dts * packet.time_base)
    read.report()


class _Packets:
    """The packets of a stream in their order, and what becomes of them."""

    def __init__(
        self,
        container: Container,
        stream: av.VideoStream | av.AudioStream,
        *others: av.VideoStream,
    ) -> None:
        """Those of `others` are among them, and nothing becomes of them."""
        self._container, self._stream, self._others = container, stream, others
        self.count = self.damaged = 0

    def __iter__(self) -> Iterator[av.Packet | None]:
        """At last one that makes the decoder give what it holds back, after an error too."""
        try:
            for packet in self._container.demux(self._stream, *self._others):
                self.count += packet.size > 0
                yield packet
        except av.FFmpegError as error:
            refuse_errors_of_machine(error)
            refuse_to_blame(path_of(self._container))
            kind = "sound" if self._stream.type == "audio" else "picture"
            logger.warning("the %s cannot be read to its end: %s", kind, error.strerror)
            yield None

    def decode(self, packet: av.Packet | None) -> list[Any]:
        """Its frames, of the stream's kind; none where it is damaged."""
        try:
            return self._stream.decode(packet)
        except av.FFmpegError as error:
            if isinstance(self._stream, av.VideoStream):
                # libav calls it want of memory as well.
                context = self._stream.codec_context
                refuse_pixels(context.width, context.height, pixel_limit(self._container))
            refuse_errors_of_machine(error)
            refuse_short_memory()
            self.damaged += 1
            return []

    def report(self) -> None:
        """Say how many packets were damaged."""
        if self.damaged:
            kind = "sound" if self._stream.type == "audio" else "picture"
            logger.warning("%d damaged packets of the %s were skipped", self.damaged, kind)
