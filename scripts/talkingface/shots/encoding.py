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
from talkingface.media.clock import BrokenClock
from talkingface.media.container import open_media
from talkingface.media.decoding import NoVideo, open_video
from talkingface.media.errors import (
    UnreadableMedia,
    refuse_errors_of_machine,
    refuse_to_blame,
)
from talkingface.media.interlacing import CombMeter, Interlaced
from talkingface.media.limits import ANY, MediaSettings, refuse_demanding, too_demanding
from talkingface.media.mixing import Levels
from talkingface.media.prefetch import prefetch
from talkingface.media.reading import Reading
from talkingface.media.streams import audio_stream, find_streams, video_stream
from talkingface.media.video import (
    ShownFrame,
    limited_yuv420p,
    plane_array,
    shown_frames,
)
from talkingface.media.writer import VideoWriter, frame_from_planes
from talkingface.shots.timeline import Timeline

logger = logging.getLogger(__name__)

CRF = 28  # x264's constant rate factor, for a copy that nobody but the analysis looks at
BLACK = (16, 128, 128)  # in limited-range YUV

Size = tuple[int, int]  # width and height in pixels


def encode(
    media: str | Path,
    video: str | Path,
    sound: str | Path,
    *,
    long_side: int,
    threads: int,
    settings: MediaSettings = ANY,
) -> tuple[Timeline, Size, Reading]:
    """Write the copy of a file and its sound; see `proxy.encode_proxy` for the arguments.

    Returns what was noticed of the video, the size of its copy, and how the file was read. Raises
    UnreadableMedia.
    """
    try:
        reading = _find_reading(media, settings)
        if reading.audio_stream is None:
            raise UnreadableMedia("no audio track", "no_audio")
        timeline, size, reading = _encode_as_it_is(
            media, video, long_side, threads, reading, settings
        )
        reading = replace(reading, clock=timeline.clock)
        reading = _write_sound(media, sound, timeline.n_frames, reading)
    except av.FFmpegError as error:
        refuse_errors_of_machine(error)
        refuse_to_blame(media)
        raise UnreadableMedia(f"cannot be decoded: {error.strerror}") from error
    except (BrokenClock, NoVideo) as error:
        raise UnreadableMedia(f"cannot be decoded: {error}") from error
    for gap in timeline.gaps:
        logger.info("frames %d to %d: %s (%.2f s)", gap.start, gap.end, gap.detail, gap.seconds)
    return timeline, size, reading


def _encode_as_it_is(
    media: str | Path,
    video: str | Path,
    long_side: int,
    threads: int,
    reading: Reading,
    settings: MediaSettings,
) -> tuple[Timeline, Size, Reading]:
    """Write the copy; once more where it shows that pictures are interlaced, or later ones larger
    than the first. Few files cost twice the time, and all others nothing."""
    size: Size | None = None
    while True:
        try:
            timeline, size = _encode_video(
                media, video, long_side, threads, reading, settings, size
            )
        except Interlaced as found:
            logger.info("the pictures are %s: deinterlacing them", found)
            reading = replace(reading, deinterlace=True, top_first=found.top_first)
            continue
        if size == timeline.proxy_size:
            return timeline, size, reading
        logger.info("later pictures are larger: %s pixels, not %s", timeline.proxy_size, size)
        size = timeline.proxy_size


def _encode_video(
    media: str | Path,
    video: str | Path,
    long_side: int,
    threads: int,
    reading: Reading,
    settings: MediaSettings,
    size: Size | None,
) -> tuple[Timeline, Size]:
    """Write the copy; what was noticed, and its size: `size`, or that of the first picture.

    Where a picture does not go into it, the rest is looked at only, and the copy is of no use.
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
        raise UnreadableMedia("no frame could be decoded")
    timeline = Timeline(long_side)
    timeline.add(first)
    size = size or timeline.proxy_size
    writer = VideoWriter(
        video,
        *size,
        preset="ultrafast",
        crf=CRF,
        threads=threads,
        colour=limited_yuv420p(first.frame),
    )
    with writer, Progress() as progress:
        for shown in chain([first], frames):
            if shown is not first:
                timeline.add(shown)
            _refuse_long(timeline, settings)
            if timeline.proxy_size[0] <= size[0] and timeline.proxy_size[1] <= size[1]:
                _write(writer, shown, timeline.pictures[-1][3:], size, combs)
            progress.add(shown.end - shown.start)
        if combs is not None:
            combs.end()
    timeline.end(float(_claimed_seconds(media, reading)))
    if timeline.gaps and timeline.gaps[-1].reason == "truncated":
        refuse_to_blame(media)
    return timeline, size


def _refuse_long(timeline: Timeline, settings: MediaSettings) -> None:
    """Raise UnreadableMedia where a video has gone on, or stood still, for longer than it may."""
    seconds, limit = timeline.n_frames / FPS, settings.max_duration
    if limit is not None and seconds > limit:
        raise too_demanding(f"{round(seconds, 2):.12g} s", seconds, limit, "max_duration")
    seconds, limit = timeline.still_frames / FPS, settings.max_gaps
    if limit is not None and seconds > limit:
        raise too_demanding(
            f"{round(seconds, 2):.12g} s without a new picture", seconds, limit, "max_gaps"
        )


def _write(
    writer: VideoWriter, shown: ShownFrame, size: Size, canvas: Size, combs: CombMeter | None
) -> None:
    """Write a picture scaled to `size` into the top left corner of the copy, black beside it."""
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
    if size != canvas:
        small = (
            _padded(plane, canvas[0] // (2 if i else 1), canvas[1] // (2 if i else 1), BLACK[i])
            for i, plane in enumerate(small)
        )
    picture = frame_from_planes(*small)
    for _ in range(shown.start, shown.end):
        writer.write(picture)


def _padded(plane: np.ndarray, width: int, height: int, value: int) -> np.ndarray:
    """A (H, W) uint8 plane with as much of `value` to its right and below as it lacks."""
    padding = ((0, height - plane.shape[0]), (0, width - plane.shape[1]))
    return np.pad(plane, padding, constant_values=value)


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


def _claimed_seconds(media: str | Path, reading: Reading) -> Fraction:
    """Duration of the video stream by the file's own header; 0 when it says nothing."""
    container, stream = open_video(media, reading=reading)
    with container:
        if stream.duration:
            return stream.duration * stream.time_base
        # Matroska: hours:minutes:seconds at which the stream ends; its beginning may be late.
        parts = stream.metadata.get("DURATION", "").split(":")
        try:
            end = sum(Fraction(p) * 60**i for i, p in enumerate(reversed(parts))) + Fraction(0)
        except (ValueError, ZeroDivisionError):
            return Fraction(0)
        return end - (stream.start_time or 0) * stream.time_base
