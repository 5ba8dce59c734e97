"""The pictures of what is no clip, from the small copy of the video, read once and forward.

What is wanted of which frame is gathered first. A strip is written as soon as its last frame has
passed, so that only those of the faces that are on screen together are held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from talkingface.clips.voice import rows_between
from talkingface.job.progress import Progress
from talkingface.media.own_window import picked_frames
from talkingface.report.cause import draw_faces, write_cause
from talkingface.report.strip import (
    PICTURES,
    face_square,
    square_picture,
    strip_frames,
    write_strip,
)
from talkingface.shots.proxy import Proxy, read_proxy

# What is done with a picture of a frame.
Use = Callable[[np.ndarray], None]


@dataclass
class _Strip:
    """A strip that is to be written to `path`: which frames it shows, and the pictures so far."""

    path: Path
    frames: list[int]
    pictures: dict[int, np.ndarray] = field(default_factory=dict)

    def add(self, frame: int, picture: np.ndarray) -> None:
        """Take in a picture; with the last one the strip is written."""
        self.pictures[frame] = picture
        if frame == self.frames[-1]:
            write_strip([self.pictures[k] for k in self.frames], self.path)
            self.pictures.clear()


class CopyPictures:
    """Gathers what is wanted of the small copy of a video, and writes it all at once.

    Without the copy, its record or a picture in it nothing is wanted, and nothing is written.
    """

    def __init__(self, proxy: str | Path, record: str | Path) -> None:
        self._path = Path(proxy)
        there = self._path.is_file() and self._path.stat().st_size and Path(record).is_file()
        self._proxy = read_proxy(record) if there else Proxy("gone")
        self._uses: dict[int, list[Use]] = {}

    def want(
        self, row: np.record, cause: int, boxes: Mapping[int, np.recarray], folder: Path
    ) -> int:
        """Ask for the strip of a candidate, a row of the ledger, and for the picture of frame
        `cause` with the boxes of its faces (rows of TRACKS by track), to be written to `folder` as
        `{clip}.jpg` and `{clip}.why.jpg`. How many pictures the strip will have."""
        if not self._proxy.pictures:
            return 0
        start, end, number = int(row.start_frame), int(row.end_frame), int(row.track)
        own = rows_between(boxes[number], start, end)
        places = [start + k for k in strip_frames(end - start)]
        strip = _Strip(folder / f"{row.clip_id}.jpg", places)
        longer = float(np.median(np.maximum(own.w, own.h)))
        for frame in sorted(set(places)):
            scale = self._proxy.scale_at(frame)
            face = _box_at(own, frame) / scale
            square = face_square(face, longer / scale, self._size_at(frame))
            self._use(frame, _adds(strip, frame, square))
        seen = {n: rows_between(track, cause, cause + 1) for n, track in boxes.items()}
        faces = {n: _box_at(rows, cause) for n, rows in seen.items() if len(rows)}
        detected = bool(len(seen[number]) and seen[number].detected[0])
        self._want_whole(cause, faces, number, detected, folder / f"{row.clip_id}.why.jpg")
        return PICTURES

    def want_whole(self, path: Path) -> None:
        """Ask for the picture in the middle of the video."""
        if self._proxy.pictures:
            self._want_whole(self._proxy.n_frames // 2, {}, None, True, path)

    def write(self) -> None:
        """Write all that is wanted. Raises DamagedFile where the copy cannot be decoded."""
        wanted = sorted(self._uses)
        if not wanted:
            return
        with Progress() as progress:
            for frame, image in picked_frames(self._path, wanted):
                width, height = self._size_at(frame)
                for use in self._uses.pop(frame):
                    use(image[:height, :width])
                progress.add(1, f"{len(wanted) - len(self._uses)} of {len(wanted)} pictures")

    def _want_whole(
        self,
        frame: int,
        faces: Mapping[int, np.ndarray],
        number: int | None,
        seen: bool,
        path: Path,
    ) -> None:
        scale = self._proxy.scale_at(frame)
        scaled = {track: box / scale for track, box in faces.items()}

        def use(image: np.ndarray) -> None:
            write_cause(draw_faces(image, scaled, number, seen=seen), path)

        self._use(frame, use)

    def _use(self, frame: int, use: Use) -> None:
        self._uses.setdefault(frame, []).append(use)

    def _size_at(self, frame: int) -> tuple[int, int]:
        """Width and height of the picture of a frame in the copy, which may be larger."""
        picture = self._proxy.picture_at(frame)
        return (picture.proxy_width, picture.proxy_height) if picture else (0, 0)


def _adds(strip: _Strip, frame: int, square: tuple[int, int, int]) -> Use:
    """What puts a square of a picture into a strip."""
    return lambda image: strip.add(frame, square_picture(image, square))


def _box_at(rows: np.recarray, frame: int) -> np.ndarray:
    """Of a track's rows the box nearest to a frame, (4,) x, y, width, height in source pixels."""
    row = rows[min(int(np.searchsorted(rows.frame, frame)), len(rows) - 1)]
    return np.array([row.x, row.y, row.w, row.h], float)
