"""What is asked of a file's streams, and how much of it a file may claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from talkingface.media.errors import UnreadableMedia

if TYPE_CHECKING:
    import av


@dataclass(frozen=True)
class MediaSettings:
    """How files are read, described key by key in the schema of config.yaml, section `media`.

    Without limits, and with the file's own choice of streams, where nothing is given.
    """

    video_stream: int | None = None
    audio_stream: int | None = None
    max_pixels: int | None = None
    max_streams: int | None = None
    max_sample_rate: int | None = None
    max_channels: int | None = None
    max_duration: float | None = None
    max_gaps: float | None = None


ANY = MediaSettings()


def too_demanding(what: str, value: float, limit: float, key: str) -> UnreadableMedia:
    """The error of a file that claims more than `limit`: `what` in words, with its unit, and the
    `key` of the setting."""
    return UnreadableMedia(
        f"{what}, more than {limit:.12g} (media.{key})", "too_demanding", value, limit
    )


def refuse_demanding(
    settings: MediaSettings, video: av.VideoStream | None, audio: av.AudioStream | None
) -> None:
    """Raise UnreadableMedia where what these streams claim of themselves is beyond the limits."""
    if video is not None and video.codec_context is not None:
        width, height = video.codec_context.width, video.codec_context.height
        refuse_pixels(width, height, settings.max_pixels)
    if audio is not None and audio.codec_context is not None:
        rate, channels = audio.codec_context.sample_rate, audio.codec_context.channels
        limit = settings.max_sample_rate
        if limit is not None and rate > limit:
            raise too_demanding(f"sound of {rate} Hz", rate, limit, "max_sample_rate")
        limit = settings.max_channels
        if limit is not None and channels > limit:
            raise too_demanding(f"sound of {channels} channels", channels, limit, "max_channels")


def refuse_pixels(width: int, height: int, limit: int | None) -> None:
    """Raise UnreadableMedia where a picture of this size has more than `limit` pixels."""
    if limit is not None and width * height > limit:
        pixels = width * height
        raise too_demanding(f"pictures of {width}x{height} pixels", pixels, limit, "max_pixels")
