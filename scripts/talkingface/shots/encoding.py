"""Encoding the analysis copy of a video, see `proxy`."""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
import soundfile

from talkingface.grid import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.job.progress import Progress
from talkingface.media.audio import SoundTrack
from talkingface.media.container import open_media
from talkingface.media.errors import (
    UnreadableMedia,
    refuse_errors_of_machine,
    refuse_to_blame,
)
from talkingface.media.interlacing import CombMeter, Interlaced
from talkingface.media.limits import ANY, MediaSettings, refuse_demanding
from talkingface.media.mixing import Levels
from talkingface.media.prefetch import prefetch
from talkingface.media.reading import Reading, Section
from talkingface.media.sizes import even_size
from talkingface.media.streams import audio_stream, find_streams, video_stream
from talkingface.media.video import (
    BrokenClock,
    NoVideo,
    ShownFrame,
    first_timestamp,
    limited_yuv420p,
    open_video,
    plane_array,
    shown_frames,
)
from talkingface.media.writer import VideoWriter, frame_from_planes

logger = logging.getLogger(__name__)

CRF = 28  # x264's constant rate factor, for a copy that nobody but the analysis looks at
# A file that ends this much earlier than it says, in seconds and as a share, is truncated.
MISSING_SECONDS = 1.0
MISSING_SHARE = 0.02

Size = tuple[int, int]  # width and height in pixels


class UnusableMedia(Exception):
    """A file of which there can be no copy: a status in one word, and the reason in some more.

    `value` is what was measured of it, and `threshold` what it was compared with, where that is
    why.
    """

    def __init__(
        self,
        status: str,
        reason: str,
        value: float | None = None,
        threshold: float | None = None,
    ) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason
        self.value = value
        self.threshold = threshold


def encode(
    media: str | Path,
    video: str | Path,
    sound: str | Path,
    *,
    long_side: int,
    threads: int,
    settings: MediaSettings = ANY,
) -> tuple[int, Size, Size, Reading]:
    """Write the copy of a file and its sound; see `proxy.encode_proxy` for the arguments.

    Returns the number of frames, the sizes of source and copy, and how the file was read. Raises
    UnusableMedia.
    """
    try:
        reading = _find_reading(media, settings)
        if reading.audio_stream is None:
            raise UnusableMedia("no_audio", "no audio track")
        made = None
        try:
            made = _encode_video(media, video, long_side, threads, reading)
        except Interlaced as found:
            logger.info("the pictures are %s: deinterlacing them", found)
            reading = replace(reading, deinterlace=True, top_first=found.top_first)
        # Not while that error is handled: it would keep the first decoder at work.
        made = made or _encode_video(media, video, long_side, threads, reading)
        n_frames, size, proxy_size = made
        origin = first_timestamp(media, reading)
        end = origin + Fraction(n_frames, FPS)
        reading = replace(reading, clock=(Section(origin, end, -origin),))
        reading = _write_sound(media, sound, n_frames, reading)
    except UnreadableMedia as error:
        raise UnusableMedia(error.status, error.reason, error.value, error.threshold) from error
    except av.FFmpegError as error:
        refuse_errors_of_machine(error)
        refuse_to_blame(media)
        raise UnusableMedia("broken", f"cannot be decoded: {error.strerror}") from error
    except (BrokenClock, NoVideo) as error:
        raise UnusableMedia("broken", f"cannot be decoded: {error}") from error
    return n_frames, size, proxy_size, reading


def fitted_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Even width and height of the same shape, the longer side at most `long_side`."""
    scale = min(1.0, long_side / max(width, height))
    return even_size(width * scale, height * scale)


def _encode_video(
    media: str | Path, video: str | Path, long_side: int, threads: int, reading: Reading
) -> tuple[int, Size, Size]:
    """Write the copy; the number of frames, and the sizes of source and copy.

    Raises Interlaced where the pictures are and the `reading` does not know it; there is no copy
    then.
    """
    combs = None if reading.deinterlace else CombMeter()
    # Decoding threads wait for each other: two more of them keep all cores at work.
    decoders = threads + 2 if threads else 0
    frames = prefetch(shown_frames(media, threads=decoders, rough=True, reading=reading))
    first = next(frames, None)
    if first is None:
        refuse_to_blame(media)
        raise UnusableMedia("broken", "no frame could be decoded")
    size = first.display_size
    proxy_size = fitted_size(*size, long_side)
    end = first.end
    writer = VideoWriter(
        video,
        *proxy_size,
        preset="ultrafast",
        crf=CRF,
        threads=threads,
        colour=limited_yuv420p(first.frame),
    )
    with writer, Progress() as progress:
        for shown in chain([first], frames):
            _write(writer, shown, proxy_size, combs)
            end = shown.end
            progress.add(shown.end - shown.start)
        if combs is not None:
            combs.end()
    claimed = float(_claimed_seconds(media))
    missing = claimed - end / FPS
    if missing > max(MISSING_SECONDS, MISSING_SHARE * claimed):
        refuse_to_blame(media)
        raise UnusableMedia("truncated", f"{end / FPS:.1f} s of {claimed:.1f} s could be decoded")
    return end, size, proxy_size


def _write(
    writer: VideoWriter, shown: ShownFrame, size: tuple[int, int], combs: CombMeter | None
) -> None:
    orientation = shown.orientation
    width, height = size[::-1] if orientation.transposed else size
    frame = limited_yuv420p(shown.frame, scaler=shown.scaler)
    if combs is not None:
        combs.look(plane_array(frame.planes[0]), shown.frame.interlaced_frame)
    # Scaled before it is turned: turning the small picture costs next to nothing.
    small = (
        orientation.upright(
            shrink(plane_array(plane), width // (2 if i else 1), height // (2 if i else 1))
        )
        for i, plane in enumerate(frame.planes[:3])
    )
    picture = frame_from_planes(*small)
    for _ in range(shown.start, shown.end):
        writer.write(picture)


def shrink(plane: np.ndarray, width: int, height: int) -> np.ndarray:
    """A (H, W) uint8 plane at `width` x `height`, in half the time of libav's scaler.

    It is halved by averaging as often as that leaves enough, and the rest done by interpolation,
    so no pixel is passed over.
    """
    while plane.shape[1] >= 2 * width and plane.shape[0] >= 2 * height:
        rows, columns = plane.shape[0] // 2, plane.shape[1] // 2
        plane = cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA)
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)


def _find_reading(media: str | Path, settings: MediaSettings) -> Reading:
    """The streams that are read, unless they are more than `settings` allow."""
    with open_media(media, settings) as container:
        reading = find_streams(container, settings.video_stream, settings.audio_stream)
        video, audio = video_stream(container, reading), audio_stream(container, reading)
        refuse_demanding(settings, video, audio)
    return replace(reading, max_pixels=settings.max_pixels)


def _write_sound(media: str | Path, path: str | Path, n_frames: int, reading: Reading) -> Reading:
    """Write exactly 640 samples a frame; how the channels were made one is in the reading given
    back."""
    levels = Levels()
    _write_mono(media, path, n_frames, reading, levels)
    found = replace(reading, channel=levels.channel, gain=levels.gain)
    if found != reading:
        logger.info("the sound is mixed again: channel %s, gain %.2f", found.channel, found.gain)
        _write_mono(media, path, n_frames, found, None)
    return found


def _write_mono(
    media: str | Path, path: str | Path, n_frames: int, reading: Reading, levels: Levels | None
) -> None:
    """Write the sound, in blocks of a minute."""
    track = SoundTrack(media, rate=SAMPLE_RATE, channels=1, reading=reading, levels=levels)
    total, block = n_frames * SAMPLES_PER_FRAME, 60 * SAMPLE_RATE
    with soundfile.SoundFile(str(path), "w", SAMPLE_RATE, 1, "PCM_16", format="WAV") as wav:
        for start in range(0, total, block):
            wav.write(track.read(start, min(start + block, total)))


def _claimed_seconds(media: str | Path) -> Fraction:
    """Duration of the video stream by the file's own header; 0 when it says nothing."""
    container, stream = open_video(media)
    with container:
        if stream.duration:
            return stream.duration * stream.time_base
        # Matroska: hours:minutes:seconds, of each stream.
        parts = stream.metadata.get("DURATION", "").split(":")
        try:
            return sum(Fraction(p) * 60**i for i, p in enumerate(reversed(parts))) + Fraction(0)
        except ValueError:
            return Fraction(0)
