"""The analysis copy of a video: small, upright, 25 fps, with its sound beside it at 16 kHz.

The raw file is decoded once for all of scenes, tracks, speech and sync; only clips read it again.
Frame k of the copy is grid frame k, sample 640 k of its wav is the grid's sample.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkingface.job.files import DamagedFile, atomic_path, damage_in, read_json, write_json
from talkingface.job.progress import Progress
from talkingface.media.errors import UnreadableMedia
from talkingface.media.limits import ANY, MediaSettings
from talkingface.media.reading import DEFAULT, Reading
from talkingface.shots.timeline import Gap, Picture


@dataclass(frozen=True)
class Proxy:
    """What is known of a video once it was decoded.

    `pictures` are the sizes of its pictures, and `cuts` the grid frames at which something else
    begins whatever is seen; frames in `gaps` show nothing new. `proxy_size` is the copy's width and
    height in pixels: a picture fills it from the top left corner, whole and in its own shape.
    `reading` is how the file was read, and is to be read by whoever reads it again. `value` and
    `threshold` are what was measured of a file that is not used, and what it was compared with.
    """

    status: str
    reason: str | None = None
    n_frames: int = 0
    pictures: tuple[Picture, ...] = ()
    proxy_size: tuple[int, int] = (0, 0)
    cuts: tuple[int, ...] = ()
    gaps: tuple[Gap, ...] = ()
    reading: Reading = DEFAULT
    value: float | None = None
    threshold: float | None = None

    def size_at(self, frame: int) -> tuple[int, int]:
        """Width and height of the picture at a grid frame, in source pixels: those of the upright
        picture with square pixels. (0, 0) where there is none."""
        picture = self.picture_at(frame)
        return (picture.width, picture.height) if picture else (0, 0)

    def scale_at(self, frame: int) -> float:
        """Source pixels per pixel of the copy at a grid frame."""
        picture = self.picture_at(frame)
        return picture.width / picture.proxy_width if picture else 1.0

    def picture_at(self, frame: int) -> Picture | None:
        """Sizes of the picture at a grid frame, None where there is none."""
        number = bisect_right(self.pictures, frame, key=lambda picture: picture.start)
        return self.pictures[max(0, number - 1)] if self.pictures else None


def read_proxy(path: str | Path) -> Proxy:
    """Read the record that `write_proxy` wrote; raises DamagedFile where it is something else."""
    record = read_json(path)
    with damage_in(path, KeyError, TypeError, ValueError):
        return Proxy(
            record["status"],
            record["reason"],
            record["n_frames"],
            tuple(Picture(**picture) for picture in record["pictures"]),
            (record["proxy_width"], record["proxy_height"]),
            tuple(record["cuts"]),
            tuple(Gap(**gap) for gap in record["gaps"]),
            Reading.from_dict(record["reading"]),
            record["value"],
            record["threshold"],
        )


def write_proxy(proxy: Proxy, path: str | Path) -> None:
    """Write the record that lies beside the copy, as JSON."""
    width, height = proxy.size_at(0)
    record = {
        "status": proxy.status,
        "reason": proxy.reason,
        "value": proxy.value,
        "threshold": proxy.threshold,
        "n_frames": proxy.n_frames,
        "width": width,
        "height": height,
        "proxy_width": proxy.proxy_size[0],
        "proxy_height": proxy.proxy_size[1],
        "pictures": [picture._asdict() for picture in proxy.pictures],
        "cuts": list(proxy.cuts),
        "gaps": [gap._asdict() for gap in proxy.gaps],
        "reading": proxy.reading.to_dict(),
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
    settings: MediaSettings = ANY,
) -> None:
    """Write the copy of a video, `video` (mp4) and `sound` (wav), and the `record` of it.

    `media_record` is what `download` wrote beside `media`: of a video that could not be had, the
    record says so, and the two others are empty files. See `encode_proxy` for the settings.
    """
    with atomic_path(video) as partial_video, atomic_path(sound) as partial_sound:
        if read_json(media_record, "status")["status"] == "ok":
            proxy = encode_proxy(
                media,
                partial_video,
                partial_sound,
                long_side=long_side,
                threads=threads,
                settings=settings,
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
    settings: MediaSettings = ANY,
) -> Proxy:
    """Decode `media` once; write the small copy to `video` (mp4) and its sound to `sound` (wav).

    The copy's longer side is at most `long_side` pixels, never more than the source's. `threads`
    are libav's, 0 for as many as it likes. `settings` choose the streams and limit them. A file
    that cannot be used gives a status other than "ok", a reason, and two empty files; a full disk
    raises OSError.
    """
    # Stages that only read the record need not wait for what this imports.
    from talkingface.shots.encoding import encode

    try:
        timeline, proxy_size, reading = encode(
            media, video, sound, long_side=long_side, threads=threads, settings=settings
        )
    except UnreadableMedia as error:
        write_nothing(video, sound)
        return Proxy(error.status, error.reason, value=error.value, threshold=error.threshold)
    return Proxy(
        "ok",
        None,
        timeline.n_frames,
        tuple(timeline.pictures),
        proxy_size,
        tuple(timeline.cuts),
        tuple(timeline.gaps),
        reading,
    )


def forget_demanding(records: Iterable[str | Path], ledgers: Iterable[str | Path]) -> list[str]:
    """Delete the records of files that claimed too much, and of their videos the ledgers, which the
    next run misses; the names of these videos. Where a limit was raised, it comes out otherwise."""
    forgotten = []
    for record, ledger in zip(map(Path, records), map(Path, ledgers), strict=True):
        # Of a damaged record nobody can tell.
        with suppress(FileNotFoundError, DamagedFile):
            if read_json(record).get("status") == "too_demanding":
                record.unlink()
                ledger.unlink(missing_ok=True)
                forgotten.append(record.stem)
    return forgotten


def write_nothing(video: str | Path, sound: str | Path) -> None:
    """Stand-ins for the copy of a video that cannot be used: two empty files."""
    Path(video).write_bytes(b"")
    Path(sound).write_bytes(b"")


def proxy_frames(video: str | Path, *, threads: int = 0) -> Iterator[np.ndarray]:
    """Frames of the copy in grid order, (H, W, 3) uint8 BGR; none when it is an empty file.

    Raises DamagedFile where it cannot be decoded.
    """
    if Path(video).stat().st_size:
        from talkingface.media.own_video import own_frames

        with Progress() as progress:
            for image in own_frames(video, threads=threads):
                progress.add(1)
                yield image
