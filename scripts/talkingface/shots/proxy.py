"""The analysis copy of a video: small, upright, 25 fps, with its sound beside it at 16 kHz.

The raw file is decoded once for all of scenes, tracks and sync; only clips read it again. Frame k
of the copy is grid frame k, sample 640 k of its wav is the grid's sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
import soundfile

from talkingface.grid import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.job.files import atomic_path, read_json, write_json
from talkingface.job.progress import Progress
from talkingface.media.audio import SoundTrack, has_sound
from talkingface.media.prefetch import prefetch
from talkingface.media.video import (
    BrokenClock,
    NoVideo,
    ShownFrame,
    bgr_frames,
    first_timestamp,
    limited_yuv420p,
    open_video,
    plane_array,
    shown_frames,
    turn,
)
from talkingface.media.writer import VideoWriter, frame_from_planes

CRF = 28  # x264's constant rate factor, for a copy that nobody but the analysis looks at
# A file that ends this much earlier than it says, in seconds and as a share, is truncated.
MISSING_SECONDS = 1.0
MISSING_SHARE = 0.02


@dataclass(frozen=True)
class Proxy:
    """What is known of a video once it was decoded. Sizes are (width, height) in pixels."""

    status: str
    reason: str | None = None
    n_frames: int = 0
    size: tuple[int, int] = (0, 0)
    proxy_size: tuple[int, int] = (0, 0)

    @property
    def scale(self) -> float:
        """Source pixels per proxy pixel."""
        return self.size[0] / self.proxy_size[0] if self.proxy_size[0] else 1.0


def read_proxy(path: str | Path) -> Proxy:
    """Read the record that `write_proxy` wrote."""
    record = read_json(path)
    return Proxy(
        record["status"],
        record["reason"],
        record["n_frames"],
        (record["width"], record["height"]),
        (record["proxy_width"], record["proxy_height"]),
    )


def write_proxy(proxy: Proxy, path: str | Path) -> None:
    """Write the record that lies beside the copy, as JSON."""
    record = {
        "status": proxy.status,
        "reason": proxy.reason,
        "n_frames": proxy.n_frames,
        "width": proxy.size[0],
        "height": proxy.size[1],
        "proxy_width": proxy.proxy_size[0],
        "proxy_height": proxy.proxy_size[1],
    }
    write_json(record, path)


def make_proxy(
    media: str | Path,
    media_record: str | Path,
    video: str | Path,
    sound: str | Path,
    record: str | Path,
    *,
    long_side: int,
    threads: int = 0,
) -> None:
    """Write the copy of a video, `video` (mp4) and `sound` (wav), and the `record` of it.

    `media_record` is what `download` wrote beside `media`: of a video that could not be had, the
    record says so, and the two others are empty files. See `encode_proxy` for the settings.
    """
    with atomic_path(video) as partial_video, atomic_path(sound) as partial_sound:
        if read_json(media_record)["status"] == "ok":
            proxy = encode_proxy(
                media, partial_video, partial_sound, long_side=long_side, threads=threads
            )
        else:
            proxy = Proxy("no_media", "see the video's record")
            write_nothing(partial_video, partial_sound)
    write_proxy(proxy, record)


def encode_proxy(
    media: str | Path,
    video: str | Path,
    sound: str | Path,
    *,
    long_side: int,
    threads: int = 0,
) -> Proxy:
    """Decode `media` once; write the small copy to `video` (mp4) and its sound to `sound` (wav).

    The copy's longer side is at most `long_side` pixels, never more than the source's. `threads`
    are libav's, 0 for as many as it likes. A file that cannot be used gives a status other than
    "ok", a reason, and two empty files; a full disk raises OSError.
    """
    video, sound = Path(video), Path(sound)
    try:
        if not has_sound(media):
            proxy = Proxy("no_audio", "no audio track")
        else:
            proxy = _encode(media, video, long_side, threads)
            if proxy.status == "ok":
                _write_sound(media, sound, proxy.n_frames)
    except MemoryError:
        raise
    except (av.FFmpegError, BrokenClock, NoVideo) as error:
        proxy = Proxy("broken", f"cannot be decoded: {error}")
    if proxy.status != "ok":
        write_nothing(video, sound)
    return proxy


def write_nothing(video: str | Path, sound: str | Path) -> None:
    """Stand-ins for the copy of a video that cannot be used: two empty files."""
    Path(video).write_bytes(b"")
    Path(sound).write_bytes(b"")


def proxy_frames(video: str | Path, *, threads: int = 0) -> Iterator[np.ndarray]:
    """Frames of the copy in grid order, (H, W, 3) uint8 BGR; none when it is an empty file."""
    if Path(video).stat().st_size:
        with Progress() as progress:
            for _, image in bgr_frames(video, threads=threads):
                progress.add(1)
                yield image


def fitted_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Even width and height of the same shape, the longer side at most `long_side`."""
    scale = min(1.0, long_side / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _encode(media: str | Path, video: Path, long_side: int, threads: int) -> Proxy:
    # Decoding threads wait for each other: two more of them keep all cores at work.
    frames = prefetch(shown_frames(media, threads=threads + 2 if threads else 0, rough=True))
    first = next(frames, None)
    if first is None:
        return Proxy("broken", "no frame could be decoded")
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
            _write(writer, shown, proxy_size)
            end = shown.end
            progress.add(shown.end - shown.start)
    claimed = float(_claimed_seconds(media))
    missing = claimed - end / FPS
    if missing > max(MISSING_SECONDS, MISSING_SHARE * claimed):
        return Proxy("truncated", f"{end / FPS:.1f} s of {claimed:.1f} s could be decoded")
    return Proxy("ok", None, end, size, proxy_size)


def _write(writer: VideoWriter, shown: ShownFrame, size: tuple[int, int]) -> None:
    rotation = shown.frame.rotation
    width, height = size if rotation % 180 == 0 else size[::-1]
    frame = limited_yuv420p(shown.frame, scaler=shown.scaler)
    # Scaled before it is turned: turning the small picture costs next to nothing.
    small = (
        turn(
            shrink(plane_array(plane), width // (2 if i else 1), height // (2 if i else 1)),
            rotation,
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


def _write_sound(media: str | Path, path: Path, n_frames: int) -> None:
    """Write exactly 640 samples a frame, in blocks of a minute."""
    track = SoundTrack(media, origin=first_timestamp(media), rate=SAMPLE_RATE, channels=1)
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
