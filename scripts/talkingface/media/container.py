"""Opening media files."""

from __future__ import annotations

import os
import re
from pathlib import Path

import av

from talkingface.media.errors import (
    UnreadableMedia,
    refuse_errors_of_machine,
    refuse_to_blame,
)
from talkingface.media.formats import FORMATS, refusal
from talkingface.media.limits import ANY, MediaSettings, refuse_pixels, too_demanding

# What libav logs where it does not open a file as it is, or not all of it.
_FORMAT = re.compile("Format not on whitelist")
_STREAMS = re.compile("Number of (streams|tracks) exceeds")
_PIXELS = re.compile(r"Picture size ([0-9]+)x([0-9]+) exceeds")


def libav_path(path: str | Path) -> str:
    """A file's name for libav: absolute, as a relative "a:b.mp4" would be taken for a URL."""
    return str(Path(path).absolute())


def open_media(path: str | Path, settings: MediaSettings = ANY) -> av.container.InputContainer:
    """Open a media file to read it.

    The file is handed over opened, and nothing else can be: whatever a file names is closed to it.
    Raises UnreadableMedia where it is no video, of a format that is not read, or beyond the limits
    of `settings` in streams or pixels, and OSError where the file cannot be opened.
    """
    try:
        container = _open(path, settings)
    except av.FFmpegError as error:
        messages = _messages(path, settings)
        _refuse_what_was_logged(messages, settings)
        refuse_errors_of_machine(error)
        refuse_to_blame(path)
        name = next((name for name, text in messages if _FORMAT.match(text)), "")
        reason = refusal(path, name) or f"not a media file ({error.strerror})"
        raise UnreadableMedia(reason) from error
    try:
        _refuse_streams(len(container.streams), settings)
        # libav knows no size of pictures that are too large for it.
        if settings.max_pixels and any(not _has_size(one) for one in container.streams.video):
            _refuse_what_was_logged(_messages(path, settings), settings)
    except UnreadableMedia:
        container.close()
        raise
    for stream in container.streams.video:
        if stream.codec_context:
            stream.codec_context.options = _codec_limits(settings)
    # Kept for those who decode the streams; libav knows neither option.
    container.container_options["path"] = os.fspath(path)
    if settings.max_pixels:
        container.container_options["pixels"] = str(settings.max_pixels)
    return container


def path_of(container: av.container.InputContainer) -> str:
    """The file that `open_media` opened."""
    return container.container_options["path"]


def pixel_limit(container: av.container.InputContainer) -> int | None:
    """The pixels a picture may have by the settings that `open_media` was given; None is any."""
    option = container.container_options.get("pixels")
    return None if option is None else int(option)


def _open(path: str | Path, settings: MediaSettings) -> av.container.InputContainer:
    limits = {}
    if settings.max_streams is not None:
        limits["max_streams"] = str(settings.max_streams + 1)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return av.open(
            "fd:",
            container_options={
                "fd": str(descriptor),
                "protocol_whitelist": "fd",
                "format_whitelist": ",".join(FORMATS),
                "enable_drefs": "0",
                **limits,
            },
            options=_codec_limits(settings),
            # Old files have titles in Latin-1 and the like, which must not keep them from being
            # read.
            metadata_errors="replace",
        )
    finally:
        os.close(descriptor)  # libav has its own copy.


def _codec_limits(settings: MediaSettings) -> dict[str, str]:
    """Options of libav's decoders, so that none takes memory for a picture that is far too large.

    What is a little too large is decoded, and then refused: libav does not tell its size, and
    counts the margins around a picture, too.
    """
    return {"max_pixels": str(4 * settings.max_pixels + (1 << 20))} if settings.max_pixels else {}


def _has_size(stream: av.VideoStream) -> bool:
    return stream.codec_context is None or stream.codec_context.width > 0


def _messages(path: str | Path, settings: MediaSettings) -> list[tuple[str, str]]:
    """What libav complains of while it opens a file: who, and what, the latest first."""
    level, skips = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as messages:
            _open(path, settings).close()
    except av.FFmpegError:
        pass
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skips)
    return [(name, text) for _, name, text in reversed(messages)]


def _refuse_what_was_logged(messages: list[tuple[str, str]], settings: MediaSettings) -> None:
    """Raise UnreadableMedia where libav stopped at one of the limits."""
    for _, text in messages:
        if settings.max_streams is not None and _STREAMS.match(text):
            _refuse_streams(settings.max_streams + 1, settings)
        if size := _PIXELS.match(text):
            refuse_pixels(int(size[1]), int(size[2]), settings.max_pixels)


def _refuse_streams(streams: int, settings: MediaSettings) -> None:
    limit = settings.max_streams
    if limit is not None and streams > limit:
        raise too_demanding(f"{streams} streams or more", streams, limit, "max_streams")
