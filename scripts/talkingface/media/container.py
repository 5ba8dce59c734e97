"""Opening media files, and which of their streams are used."""

from __future__ import annotations

import os
from pathlib import Path

import av

from talkingface.media.errors import UnreadableMedia
from talkingface.media.formats import FORMATS, refusal

# What libav logs of a format that is not among those allowed.
_REFUSED = "Format not on whitelist"


def libav_path(path: str | Path) -> str:
    """A file's name for libav: absolute, as a relative "a:b.mp4" would be taken for a URL."""
    return str(Path(path).absolute())


def open_media(path: str | Path) -> av.container.InputContainer:
    """Open a media file to read it.

    The file is handed over opened, and nothing else can be: whatever a file names is closed to it.
    Raises UnreadableMedia where it is no video or of a format that is not read, and OSError where
    the file cannot be opened.
    """
    try:
        return _open(path)
    except av.FFmpegError as error:
        reason = refusal(path, _refused_format(path)) or f"not a media file ({error.strerror})"
        raise UnreadableMedia(reason) from error


def _open(path: str | Path) -> av.container.InputContainer:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return av.open(
            "fd:",
            container_options={
                "fd": str(descriptor),
                "protocol_whitelist": "fd",
                "format_whitelist": ",".join(FORMATS),
                "enable_drefs": "0",
            },
            # Old files have titles in Latin-1 and the like, which must not keep them from being
            # read.
            metadata_errors="replace",
        )
    finally:
        os.close(descriptor)  # libav has its own copy.


def _refused_format(path: str | Path) -> str:
    """libav's name of a file's format where that is not among FORMATS, or ""."""
    level, skips = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as messages:
            _open(path).close()
    except av.FFmpegError:
        pass
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skips)
    return next((name for _, name, text in reversed(messages) if text.startswith(_REFUSED)), "")


def video_streams(container: av.container.InputContainer) -> list[av.VideoStream]:
    """The video streams in the file's order; the first is used. Cover art is not among them."""
    attached = av.stream.Disposition.attached_pic
    return [stream for stream in container.streams.video if not stream.disposition & attached]


def audio_streams(container: av.container.InputContainer) -> list[av.AudioStream]:
    """The audio streams that can be decoded, libav's best first; the first is used."""
    best = container.streams.best("audio")
    streams = [stream for stream in container.streams.audio if stream.codec_context]
    return sorted(streams, key=lambda stream: best is None or stream.index != best.index)
