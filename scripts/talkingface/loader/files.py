"""Parts of files: the rows, samples and pictures of a window, and not the rest.

Every file is closed again at once, so that nothing is shared by processes that are forked, and
every array is a copy of its own.
"""

from __future__ import annotations

import mmap
import wave
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from talkingface.grid import SAMPLE_RATE
from talkingface.job.arrays import damage_in_array, read_array
from talkingface.job.files import DamagedFile, damage_in
from talkingface.job.tables import check_columns
from talkingface.tables import Table

# What is skipped of a compressed array is unpacked in parts of so many bytes.
_BLOCK = 1 << 18
# Of the header before a member of a zip file (APPNOTE.TXT 4.3.7): its length, and where those of
# the two texts behind it stand.
_LOCAL_HEADER, _NAME_LENGTH, _EXTRA_LENGTH = 30, slice(26, 28), slice(28, 30)


def wrong_length(path: str | Path, length: int, n_frames: int) -> DamagedFile:
    """The error of a file that has not what belongs to the frames of its clip."""
    return DamagedFile(path, f"its length {length} is not that of a clip of {n_frames} frames")


def read_rows(
    path: str | Path,
    rows_of: Callable[[int], slice],
    axis: int,
    sizes: Sequence[int | None],
    layers: Sequence[int] | None,
) -> np.ndarray:
    """Rows of an npy along `axis`: `rows_of` says which, by the length of that axis.

    sizes: what the axes must have, None where any length is right.
    layers: the entries wanted of the first axis, where `axis` is another; None for all.
    Raises DamagedFile where it is no npy or not whole, and IndexError where a layer is not in it.
    """
    array = read_array(path, "r")
    if not _fits(array.shape, sizes):
        raise DamagedFile(path, f"its shape is {array.shape}")
    rows = rows_of(array.shape[axis])
    part = array[(slice(None),) * axis + (rows,)]
    if layers is not None:
        beyond = [layer for layer in layers if not -len(array) <= layer < len(array)]
        if beyond:
            raise IndexError(f"{path}: it has {len(array)} layers, none with number {beyond[0]}")
        part = part[list(layers)]
    return np.array(part)


def read_samples(path: str | Path, first: int, last: int, length: int) -> np.ndarray:
    """Samples `first` to `last` of a clip's wav, (n,) int16. Raises DamagedFile where it is no mono
    wav of 16 bit and 16 kHz with `length` samples."""
    # RuntimeError is what chunks that reach beyond others make of it.
    errors = (wave.Error, EOFError, RuntimeError, ValueError)
    with damage_in(path, *errors), wave.open(str(path), "rb") as file:
        form = file.getnchannels(), file.getsampwidth(), file.getframerate()
        if form != (1, 2, SAMPLE_RATE):
            raise DamagedFile(path, "{} channels, {} bytes a sample, {} Hz".format(*form))
        if file.getnframes() != length:
            raise DamagedFile(path, f"{file.getnframes()} samples, not {length}")
        file.setpos(first)
        content = file.readframes(last - first)
        samples = np.frombuffer(content, "<i2").astype(np.int16)
    if len(samples) != last - first:
        raise DamagedFile(path, "its end is missing")
    return samples


def read_member(
    path: str | Path, name: str, start: int, stop: int, sizes: Sequence[int | None]
) -> np.ndarray:
    """Rows `start` to `stop` of an array in an npz, whose axes must have `sizes`, None for any.

    Only these rows are read where the npz is not compressed. Where it is, what is before them has
    to be unpacked. Raises DamagedFile where it is no npz, or not whole.
    """
    with damage_in_array(path), zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
        with _member_file(archive, info, path) as (file, stored):
            shape, in_columns, dtype = _array_header(file)
            if in_columns or dtype.hasobject or not _fits(shape, sizes):
                raise DamagedFile(path, f"its {name} is {dtype} {shape}")
            row = dtype.itemsize * int(np.prod(shape[1:]))
            if stored:
                file.seek(start * row, 1)
            else:
                _skip(file, start * row)
            content = file.read((stop - start) * row)
    if len(content) != (stop - start) * row:
        raise DamagedFile(path, f"the end of its {name} is missing")
    return np.frombuffer(bytearray(content), dtype).reshape(-1, *shape[1:])


def _fits(shape: Sequence[int], sizes: Sequence[int | None]) -> bool:
    return len(shape) == len(sizes) and all(
        size in (None, length) for length, size in zip(shape, sizes, strict=True)
    )


@contextmanager
def _member_file(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str | Path
) -> Iterator[tuple[IO[bytes], bool]]:
    """A member of an archive, unpacked, and whether one can seek in it as it lies there."""
    if info.compress_type != zipfile.ZIP_STORED:
        with archive.open(info) as file:
            yield file, False
        return
    with open(path, "rb") as file:
        file.seek(info.header_offset)
        header = file.read(_LOCAL_HEADER)
        lengths = (int.from_bytes(header[part], "little") for part in (_NAME_LENGTH, _EXTRA_LENGTH))
        file.seek(sum(lengths), 1)
        yield file, True


def _array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    return np.lib.format.read_array_header_2_0(file)


def _skip(file: IO[bytes], size: int) -> None:
    while size > 0 and (part := file.read(min(size, _BLOCK))):
        size -= len(part)


def read_table_rows(
    path: str | Path, definition: Table, names: Sequence[str], start: int, stop: int
) -> np.ndarray:
    """Cells of the rows `start` to `stop` of a table with a row a frame, (rows, names) float64.

    Such a table has the number of the frame in its first column, in order from 0. The first row is
    found by bisection, so that a table of hours is read as fast as one of seconds. Fewer rows are
    given where it ends before `stop`; an empty cell is NaN. Raises OtherColumns where its columns
    are not those of `definition`, and DamagedFile where a row or a cell is wrong.
    """
    if start >= stop:
        return np.empty((0, len(names)))
    with open(path, encoding="utf-8", errors="replace") as text:
        check_columns(path, text.readline().rstrip("\n").split(","), definition)
    columns = [definition.names.index(name) for name in names]
    with (
        damage_in(path, ValueError, IndexError),
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        content.seek(_line_of(content, content.find(b"\n") + 1, start))
        rows = []
        for number in range(start, stop):
            line = content.readline()
            if not line:
                break
            cells = line.rstrip(b"\r\n").split(b",")
            if int(cells[0]) != number or len(cells) != len(definition.names):
                raise DamagedFile(path, f"a row is not that of frame {number}")
            rows.append([float(cells[column] or "nan") for column in columns])
    return np.array(rows, float).reshape(-1, len(names))


def _line_of(content: mmap.mmap, begin: int, number: int) -> int:
    """Where the first line at or behind `begin` starts whose first cell is at least `number`."""
    low, high = begin, len(content)
    while low < high:
        line = content.rfind(b"\n", 0, (low + high) // 2) + 1
        comma = content.find(b",", line)
        if comma < 0:
            return high
        if int(content[line:comma]) < number:
            after = content.find(b"\n", line) + 1
            low = after or high
        else:
            high = line
    return low


def read_numbered(
    folder: str | Path,
    start: int,
    stop: int,
    size: tuple[int, int],
    channels: int,
    dtype: type,
) -> np.ndarray:
    """The pictures of frames `start` to `stop` of a folder with one a frame, (n, H, W) or (n, H, W,
    channels); the others are as in `read_picture`."""
    shape = (*size, channels) if channels else size
    pictures: np.ndarray = np.empty((stop - start, *shape), dtype)
    for k in range(start, stop):
        path = Path(folder, f"{k + 1:06d}.png")
        pictures[k - start] = read_picture(path, size, channels, dtype)
    return pictures


def read_picture(path: str | Path, size: tuple[int, int], channels: int, dtype: type) -> np.ndarray:
    """A png, (H, W) where `channels` is 0, else (H, W, channels) RGB or RGBA.

    size: height and width that it must have. Raises DamagedFile where it has another form, or
    cannot be decoded.
    """
    from PIL import Image

    # Pillow has OSErrors for damage, too; one of the system has a number.
    try:
        with damage_in(path, ValueError, SyntaxError), Image.open(path) as image:
            picture = np.array(image)
    except OSError as error:
        if error.errno is not None:
            raise
        raise DamagedFile(path, str(error)) from error
    if dtype is np.uint16 and picture.dtype == np.int32:
        picture = picture.astype(np.uint16)  # As older versions of Pillow give 16 bits.
    if picture.dtype != dtype or picture.shape[2:] != ((channels,) if channels else ()):
        raise DamagedFile(path, f"a picture of {picture.dtype} {picture.shape}")
    return of_size(picture, size, path)


def of_size(pictures: np.ndarray, size: tuple[int, int], path: str | Path) -> np.ndarray:
    """The same pictures, (H, W, ...) or (n, H, W, 3); raises DamagedFile where height and width are
    not `size`."""
    found = pictures.shape[1:3] if pictures.ndim == 4 else pictures.shape[:2]
    if found != size:
        raise DamagedFile(path, f"{found[1]} x {found[0]} pixels, not {size[1]} x {size[0]}")
    return pictures
