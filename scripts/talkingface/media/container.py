"""Opening media files, and which of their streams are used."""

from __future__ import annotations

from pathlib import Path

import av


def libav_path(path: str | Path) -> str:
    """A file's name for libav: absolute, as a relative "a:b.mp4" would be taken for a URL."""
    return str(Path(path).absolute())


def open_media(path: str | Path) -> av.container.InputContainer:
    """Open a media file to read it. Raises av.FFmpegError where it is none."""
    # Old files have titles in Latin-1 and the like, which must not keep them from being read.
    return av.open(libav_path(path), metadata_errors="replace")


def video_streams(container: av.container.InputContainer) -> list[av.VideoStream]:
    """The video streams in the file's order; the first is used. Cover art is not among them."""
    attached = av.stream.Disposition.attached_pic
    return [stream for stream in container.streams.video if not stream.disposition & attached]


def audio_streams(container: av.container.InputContainer) -> list[av.AudioStream]:
    """The audio streams that can be decoded, libav's best first; the first is used."""
    best = container.streams.best("audio")
    streams = [stream for stream in container.streams.audio if stream.codec_context]
    return sorted(streams, key=lambda stream: best is None or stream.index != best.index)
