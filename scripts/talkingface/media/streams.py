"""Which of a file's streams are its picture and its sound."""

from __future__ import annotations

from typing import TypeVar, cast

import av

from talkingface.media.errors import UnreadableMedia
from talkingface.media.reading import DEFAULT, Reading

Container = av.container.InputContainer
Stream = TypeVar("Stream", av.VideoStream, av.AudioStream)

# Cover art and previews: single pictures that are kept as video streams.
_PICTURES = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails


def video_streams(container: Container) -> list[av.VideoStream]:
    """The video streams, the one that is used first; cover art is not among them.

    It is the first that the file marks as its default, or else the first; those that nothing is
    known of, or that libav has no decoder for, come last.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & _PICTURES]

    def rank(stream: av.VideoStream) -> tuple[bool, bool, bool]:
        context = stream.codec_context
        default = stream.disposition & av.stream.Disposition.default
        return context is None, not (context and context.width), not default

    return sorted(streams, key=rank)


def audio_streams(container: Container, video: av.VideoStream | None) -> list[av.AudioStream]:
    """The audio streams that can be decoded, the one that goes with `video` first.

    It is libav's best (the file's default before others, then the one with the highest bit rate) of
    those in the same programme as the picture, where the file has programmes.
    """
    best = container.streams.best("audio", related=video)
    streams = [stream for stream in container.streams.audio if stream.codec_context]
    return sorted(streams, key=lambda stream: best is None or stream.index != best.index)


def video_stream(container: Container, reading: Reading = DEFAULT) -> av.VideoStream | None:
    """The stream of the picture; None where there is none."""
    if reading.video_stream is not None:
        return cast(av.VideoStream, container.streams[reading.video_stream])
    return next(iter(video_streams(container)), None)


def audio_stream(container: Container, reading: Reading = DEFAULT) -> av.AudioStream | None:
    """The stream of the sound; None where there is none."""
    if reading.audio_stream is not None:
        return cast(av.AudioStream, container.streams[reading.audio_stream])
    streams = audio_streams(container, video_stream(container, reading))
    return streams[0] if streams else None


def find_streams(container: Container, video: int | None, audio: int | None) -> Reading:
    """The streams that are read: those with these numbers, or where None the file's own choice.

    Numbers count the streams of a kind from 0 in the file's order, as ffmpeg does in `v:0` and
    `a:0`. Raises UnreadableMedia with the status `no_stream` where the file has none of a number
    that can be read. Without sound, the reading has no audio stream.
    """
    picture = (
        video_stream(container) if video is None else _numbered(container.streams.video, video)
    )
    if picture is None:
        raise UnreadableMedia("no video stream")
    if picture.codec_context is None:
        raise UnreadableMedia("no decoder for the video stream")
    reading = Reading(video_stream=picture.index)
    sound = (
        audio_stream(container, reading)
        if audio is None
        else _numbered(container.streams.audio, audio)
    )
    return Reading(picture.index, None if sound is None else sound.index)


def _numbered(streams: tuple[Stream, ...], number: int) -> Stream:
    kind = "video" if streams and isinstance(streams[0], av.VideoStream) else "audio"
    if number >= len(streams):
        reason = f"there is no {kind} stream {number}: the file has {len(streams)}, counted from 0"
        raise UnreadableMedia(reason, "no_stream", number, len(streams))
    stream = streams[number]
    if stream.disposition & _PICTURES:
        raise UnreadableMedia(f"{kind} stream {number} is a cover picture", "no_stream", number)
    if stream.codec_context is None:
        raise UnreadableMedia(f"no decoder for {kind} stream {number}", "no_stream", number)
    return stream
