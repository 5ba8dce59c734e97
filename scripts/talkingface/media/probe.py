"""What a media file holds, and a readable reason when it holds no video."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import av

from talkingface.media.container import open_media, path_of
from talkingface.media.decoding import decode_video, open_decoder
from talkingface.media.errors import UnreadableMedia, refuse_to_blame
from talkingface.media.limits import ANY, MediaSettings, refuse_demanding
from talkingface.media.streams import audio_streams, video_streams
from talkingface.media.video import ShownFrame

# Formats that hold one picture as often as a sequence of them.
MAYBE_STILL_FORMATS = {"gif", "apng"}
# ISO brands of pictures in an MP4 box structure (ISO 23008-12, AVIF): HEIC and AVIF files.
STILL_BRANDS = {"mif1", "heic", "heix", "avif"}
# Packets to look through for the first frame that can be decoded.
MAX_PACKETS = 500


@dataclass(frozen=True)
class VideoInfo:
    """A video stream. Sizes in pixels, times in seconds on the container's clock.

    `width` and `height` are those of the decoded picture; `display_width` and `display_height`
    those of the upright picture with square pixels, as every later stage sees it. `rotation` is
    libav's display rotation, degrees counter-clockwise. `n_frames` is what the container claims.
    `number` counts the file's video streams from 0, `index` all of its streams.
    """

    index: int
    number: int
    codec: str
    width: int
    height: int
    pixel_aspect: str
    rotation: int
    display_width: int
    display_height: int
    fps: float | None
    pix_fmt: str | None
    time_base: str | None
    start_time: float | None
    duration: float | None
    n_frames: int | None
    bit_rate: int | None


@dataclass(frozen=True)
class AudioInfo:
    """An audio stream. Rate in Hz, times in seconds on the container's clock.

    `number` counts the file's audio streams from 0, `index` all of its streams. `language` is a
    code such as `eng`, where the file gives one.
    """

    index: int
    number: int
    language: str | None
    codec: str
    sample_rate: int
    channels: int
    layout: str
    time_base: str | None
    start_time: float | None
    duration: float | None
    bit_rate: int | None


@dataclass(frozen=True)
class MediaInfo:
    """A file with a video stream that can be decoded.

    `video` and `audio` are the streams the workflow uses where it is not told others (see
    `media.streams`; no audio in a silent film), `other_video` and `other_audio` the rest. Cover art
    and streams that libav has no decoder for are not among them.
    `truncated` says that an MP4's boxes go on past the end of the file; None for other formats.
    """

    format: str
    duration: float | None
    start_time: float | None
    bit_rate: int | None
    truncated: bool | None
    video: VideoInfo
    audio: AudioInfo | None
    other_video: tuple[VideoInfo, ...]
    other_audio: tuple[AudioInfo, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, keys in the order of the fields."""
        record = asdict(self)
        return record | {key: list(record[key]) for key in ("other_video", "other_audio")}


def probe(path: Path, settings: MediaSettings = ANY) -> MediaInfo:
    """Describe a media file; its first frame is decoded, so that what is described can be read.

    Raises UnreadableMedia with a status and a reason, also of what is beyond the limits in
    `settings`, and OSError when the file itself cannot be read.
    """
    with open(path, "rb") as file:
        if not file.read(1):
            raise UnreadableMedia("empty file")
        boxes, truncated = _mp4_boxes(file)
    try:
        container = open_media(path, settings)
    except UnreadableMedia as error:
        if error.status == "broken" and boxes and "moov" not in boxes:
            raise UnreadableMedia("no index (moov) in the file: it is truncated") from error
        raise
    with container:
        return _describe(container, truncated if boxes else None, settings)


def _describe(
    container: av.container.InputContainer, truncated: bool | None, settings: MediaSettings
) -> MediaInfo:
    name = container.format.name
    if container.metadata.get("major_brand") in STILL_BRANDS:
        raise UnreadableMedia("a still image, not a video")
    videos = video_streams(container)
    if not videos:
        raise UnreadableMedia("no video stream")
    if videos[0].codec_context is None:
        raise UnreadableMedia("no decoder for the video stream")
    audios = audio_streams(container, videos[0])
    refuse_demanding(settings, videos[0], audios[0] if audios else None)
    enough = 2 if name in MAYBE_STILL_FORMATS else 1
    frames = _first_frames(container, videos[0], enough)
    if not frames:
        refuse_to_blame(path_of(container))
        raise UnreadableMedia("no frame of the video stream can be decoded")
    if len(frames) < enough:
        raise UnreadableMedia("a still image, not a video")
    return MediaInfo(
        format=name,
        duration=_seconds(container.duration, Fraction(1, av.time_base)),
        start_time=_seconds(container.start_time, Fraction(1, av.time_base)),
        bit_rate=container.bit_rate or None,
        truncated=truncated,
        video=_video(videos[0], frames[0]),
        audio=_audio(audios[0]) if audios else None,
        other_video=tuple(_video(s, None) for s in videos[1:] if s.codec_context),
        other_audio=tuple(map(_audio, audios[1:])),
    )


def _first_frames(
    container: av.container.InputContainer, stream: av.VideoStream, count: int
) -> list[av.VideoFrame]:
    """The first `count` frames, or fewer at the end; damaged packets are skipped."""
    open_decoder(stream)
    frames = decode_video(container, stream, MAX_PACKETS)
    return list(islice(frames, count))


def _video(stream: av.VideoStream, frame: av.VideoFrame | None) -> VideoInfo:
    """`frame` gives the rotation; without it (streams that nobody reads) none is assumed."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = (frame.width, frame.height) if frame else (stream.width, stream.height)
    shown = ShownFrame(frame, 0, 1, aspect).display_size if frame else (width, height)
    return VideoInfo(
        index=stream.index,
        number=stream.container.streams.video.index(stream),
        codec=stream.codec_context.name,
        width=width,
        height=height,
        pixel_aspect=str(aspect),
        rotation=round(frame.rotation) if frame else 0,
        display_width=shown[0],
        display_height=shown[1],
        fps=float(stream.average_rate) if stream.average_rate else None,
        pix_fmt=frame.format.name if frame else stream.pix_fmt,
        time_base=str(stream.time_base) if stream.time_base else None,
        start_time=_seconds(stream.start_time, stream.time_base),
        duration=_seconds(stream.duration, stream.time_base),
        n_frames=stream.frames or None,
        bit_rate=stream.bit_rate or None,
    )


def _audio(stream: av.AudioStream) -> AudioInfo:
    language = stream.language or ""
    return AudioInfo(
        index=stream.index,
        number=stream.container.streams.audio.index(stream),
        language=language if re.fullmatch("[A-Za-z-]{2,11}", language) else None,
        codec=stream.codec_context.name,
        sample_rate=stream.sample_rate,
        channels=stream.channels,
        layout=stream.layout.name,
        time_base=str(stream.time_base) if stream.time_base else None,
        start_time=_seconds(stream.start_time, stream.time_base),
        duration=_seconds(stream.duration, stream.time_base),
        bit_rate=stream.bit_rate or None,
    )


def _seconds(ticks: int | None, time_base: Fraction | None) -> float | None:
    return None if ticks is None or time_base is None else float(ticks * time_base)


def _mp4_boxes(file: BinaryIO) -> tuple[list[str], bool]:
    """Names of the top-level boxes of an MP4 or QuickTime file (ISO 14496-12, 4.2), and whether
    the last one goes on past the end of the file. No boxes: the file is of another format."""
    size = file.seek(0, 2)
    boxes: list[str] = []
    position = 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length, name = int.from_bytes(header[:4], "big"), header[4:8].decode("latin-1")
        if not boxes and name not in {"ftyp", "moov", "mdat", "wide", "free", "skip"}:
            return [], False
        boxes.append(name)
        if length == 0:  # The box goes to the end of the file.
            return boxes, False
        if length == 1:  # A 64-bit length follows the name.
            length = int.from_bytes(header[8:16], "big")
        if length < 8:
            return boxes, False
        position += length
    return boxes, position > size
