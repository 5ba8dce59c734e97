"""One picture for every frame of a clip: `000001.png`, `000002.png` ... in a folder."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkingface.media.picture import write_picture


def numbered_path(folder: str | Path, number: int, suffix: str = ".png") -> Path:
    """The picture of a frame; `number` counts from 1."""
    return Path(folder, f"{number:06d}{suffix}")


def write_numbered(
    images: Iterable[np.ndarray],
    folder: str | Path,
    *,
    suffix: str = ".png",
    options: Sequence[int] = (),
    threads: int = 1,
) -> int:
    """Write a picture for every image, into a folder that is made, and give their number.

    images: uint8 or uint16, (H, W), (H, W, 3) BGR or (H, W, 4) BGRA. suffix: says the format.
    options: those of cv2.imwrite. Of png none should be given: OpenCV's own choice, zlib's level 1
    with run lengths, is the fastest, and with a level it tries all filters, at two to three times
    the time for a quarter less on the disk. threads: how many pictures are written at a time while
    the next ones are made; few wait in memory.
    Raises OSError when one cannot be written.
    """
    return write_numbered_sets(
        ((image,) for image in images), (NumberedFolder(folder, suffix, options),), threads=threads
    )


@dataclass(frozen=True)
class NumberedFolder:
    """A folder of pictures: `suffix` says their format, `options` are those of cv2.imwrite."""

    folder: str | Path
    suffix: str = ".png"
    options: Sequence[int] = ()


def write_numbered_sets(
    sets: Iterable[Sequence[np.ndarray]], folders: Sequence[NumberedFolder], *, threads: int = 1
) -> int:
    """Write several pictures of every frame in one pass, each into a folder of its own, and give
    the number of frames.

    sets: of every frame its pictures, one for each of `folders`. The rest is as in write_numbered.
    """
    for each in folders:
        Path(each.folder).mkdir(parents=True, exist_ok=True)
    unfinished: deque[Future[None]] = deque()
    count = 0
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for count, images in enumerate(sets, start=1):
            for image, each in zip(images, folders, strict=True):
                path = numbered_path(each.folder, count, each.suffix)
                unfinished.append(pool.submit(write_picture, image, path, each.options))
                if len(unfinished) > 2 * threads:
                    unfinished.popleft().result()
        for future in unfinished:
            future.result()
    return count
