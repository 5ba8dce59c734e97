"""Whether a file that the workflow wrote still holds what such a file has to hold."""

from __future__ import annotations

import csv
import os
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from talkingface.faces.landmark_files import read_text
from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.job.arrays import read_array, read_arrays
from talkingface.job.files import DamagedFile, damage_in, read_json
from talkingface.job.tables import OtherColumns, read_table
from talkingface.media.audio import read_wav
from talkingface.media.container import open_media
from talkingface.media.own_video import film_fault, own_frames
from talkingface.media.picture import picture_fault, read_picture
from talkingface.stage import is_folder
from talkingface.stages import STAGES
from talkingface.tables import Table, tables_by_path

_SHAPES = {
    product.path: (product.shape, product.dtype)
    for stage in STAGES.values()
    for product in stage.products
}
_TABLES = tables_by_path()
# What an npz holds; the register has the shape of the first.
_ARRAYS = {
    "landmarks/{video}/{clip}.npz": ("points", "points68", "present"),
    "landmarks_hdf5/{video}/{clip}.npz": ("features", "landmarks"),
}


@dataclass(frozen=True)
class Expected:
    """What a file is: `pattern` is its path in the register of stages, or "" of another file,
    `n_frames` and `size` (width, height) those of its clip or video, None where not known, `empty`
    whether nothing may be in it."""

    pattern: str = ""
    n_frames: int | None = None
    size: tuple[int, int] | None = None
    empty: bool = False


def content_fault(path: str | Path, expected: Expected, *, full: bool) -> str:
    """What is wrong with a file, in words; "" where it is whole.

    With `full` all of it is decoded; without, films and pictures are looked at from outside, by
    their ends and the lengths of their parts.
    """
    path = Path(path)
    check = _CHECKS.get(path.suffix)
    try:
        return check(path, expected, full) if check else ""
    except DamagedFile as error:
        return error.how
    except (OtherColumns, OSError) as error:
        return str(error).removeprefix(f"{path}: ")
    except Exception as error:  # Libraries say of damage what they like: that memory is too small.
        return f"it cannot be read ({type(error).__name__}: {error})"


def _film_fault(path: Path, expected: Expected, full: bool) -> str:
    fault = film_fault(path)
    if fault or not full:
        return fault
    # A film has the size of its clip, or of its video, unless the register has another.
    shape, _ = _SHAPES.get(expected.pattern, ("H, W", ""))
    count, size = 0, expected.size if "H, W" in shape else None
    try:
        for image in own_frames(path, threads=1):
            count += 1
            if size and image.shape[1::-1] != size:
                return f"frame {count} has {image.shape[1]} x {image.shape[0]} pixels"
    except DamagedFile as error:
        return f"it cannot be decoded after frame {count}: {error.how}"
    if expected.n_frames is not None and count != expected.n_frames:
        return f"{count} of {expected.n_frames} frames can be decoded"
    with damage_in(path, av.FFmpegError), open_media(path) as container:
        for _ in container.decode(container.streams.audio) if container.streams.audio else ():
            pass
    return ""


def _sound_fault(path: Path, expected: Expected, full: bool) -> str:
    samples = read_wav(path)
    count = None if expected.n_frames is None else SAMPLES_PER_FRAME * expected.n_frames
    if samples.ndim != 1 or count not in (None, len(samples)):
        return f"{samples.shape} samples, not ({count},)"
    return ""


def _array_fault(path: Path, expected: Expected, full: bool) -> str:
    # A map of a file that is too short cannot be made.
    of_frame = is_folder(expected.pattern)
    return _shape_fault(read_array(path, None if full else "r"), expected, of_frame)


def _arrays_fault(path: Path, expected: Expected, full: bool) -> str:
    arrays = read_arrays(path)
    wanted = _ARRAYS.get(expected.pattern, tuple(arrays))
    if not arrays or not set(wanted) <= set(arrays):
        return f"it holds {', '.join(arrays) or 'nothing'}"
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) > 1:
        return f"arrays of {sorted(lengths)} frames"
    return _shape_fault(arrays[wanted[0]], expected)


def _tensor_fault(path: Path, expected: Expected, full: bool) -> str:
    # What torch writes is a zip; what is in it cannot be read without torch.
    with damage_in(path, zipfile.BadZipFile), zipfile.ZipFile(path) as file:
        bad = file.testzip() if full else None
    return f"a checksum inside is wrong, of {bad}" if bad else ""


def _picture_fault(path: Path, expected: Expected, full: bool) -> str:
    with open(path, "rb") as file:
        head = file.read(8)
        file.seek(-min(16, os.fstat(file.fileno()).st_size), os.SEEK_END)
        fault = picture_fault(head, file.read())
    if fault or not full:
        return fault
    return _chunks_fault(path) or _shape_fault(read_picture(path), expected, of_frame=True)


def _chunks_fault(path: Path) -> str:
    """Whether a png's own checksums are right; a decoder may pass over that."""
    content = path.read_bytes()
    place = 8 if content.startswith(b"\x89PNG") else len(content)
    while place < len(content):
        end = place + 8 + int.from_bytes(content[place : place + 4], "big")
        if zlib.crc32(content[place + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            return f"a checksum inside is wrong at byte {place}"
        place = end + 4
    return ""


def _table_fault(path: Path, expected: Expected, full: bool) -> str:
    definition = _TABLES.get(expected.pattern)
    if definition is None:
        return _rows_fault(path)
    rows = len(read_table(path, definition))
    if _has_row_a_frame(definition) and expected.n_frames not in (None, rows):
        return f"{rows} rows, but the clip has {expected.n_frames} frames"
    return ""


def _has_row_a_frame(definition: Table) -> bool:
    return definition.row == "a frame" and "{clip}" in definition.path


def _rows_fault(path: Path) -> str:
    """Of a table whose columns are not known: whether all rows are of one length."""
    with open(path, newline="", encoding="utf-8") as file, damage_in(path, ValueError, csv.Error):
        rows = csv.reader(file)
        length = len(next(rows, []))
        for number, row in enumerate(rows, start=2):
            if len(row) != length:
                return f"line {number}: {len(row)} cells, but {length} columns"
    return "" if length else "it has no header"


def _record_fault(path: Path, expected: Expected, full: bool) -> str:
    read_json(path)
    return ""


def _script_fault(path: Path, expected: Expected, full: bool) -> str:
    """Whether what hands data to the report's page is there to its end."""
    if not expected.pattern:
        return ""
    content = path.read_bytes()
    whole = content.startswith(b"talkingface.receive(") and content.endswith(b"));\n")
    return "" if whole else "it is no script with data, or its end is missing"


def _text_fault(path: Path, expected: Expected, full: bool) -> str:
    if not expected.pattern:
        return ""
    lines = len(read_text(path)[0])
    if expected.n_frames not in (None, lines):
        return f"{lines} lines, but the clip has {expected.n_frames} frames"
    return ""


def _points_fault(path: Path, expected: Expected, full: bool) -> str:
    try:
        lines = [line.split() for line in path.read_text("ascii").splitlines()]
        numbers = [float(word) for line in lines for word in line]
    except ValueError as error:
        return str(error)
    whole = len(lines) == 68 and all(len(line) == 2 for line in lines)
    return "" if whole and np.isfinite(numbers).all() else "it has not 68 lines of two numbers"


def _shape_fault(array: np.ndarray, expected: Expected, of_frame: bool = False) -> str:
    """Whether an array has the shape and dtype of the register; `of_frame`: without its N."""
    shape, dtype = _SHAPES.get(expected.pattern, ("", ""))
    if dtype and str(array.dtype) not in dtype.split(" or "):
        return f"its numbers are {array.dtype}, not {dtype}"
    wanted = [_length(part, expected) for part in shape.strip("()").split(", ") if part]
    if of_frame and shape.startswith("(N"):
        wanted = wanted[1:]
    if wanted and not _fits(array.shape, wanted):
        return f"its shape is {array.shape}, not {shape}"
    return ""


def _length(part: str, expected: Expected) -> int | None:
    """A part of a shape in the register, such as `4 N`, as a number; None where it is not known."""
    found = re.fullmatch(r"(\d+ )?([NHW])|(\d+)", part)
    if found is None:
        return None
    if found[3]:
        return int(found[3])
    width, height = expected.size or (None, None)
    known = {"N": expected.n_frames, "H": height, "W": width}[found[2]]
    return None if known is None else int(found[1] or 1) * known


def _fits(shape: Sequence[int], wanted: Sequence[int | None]) -> bool:
    return len(shape) == len(wanted) and all(
        want in (None, have) for have, want in zip(shape, wanted, strict=True)
    )


_CHECKS = {
    ".mp4": _film_fault,
    ".wav": _sound_fault,
    ".npy": _array_fault,
    ".npz": _arrays_fault,
    ".pt": _tensor_fault,
    ".png": _picture_fault,
    ".jpg": _picture_fault,
    ".csv": _table_fault,
    ".json": _record_fault,
    ".js": _script_fault,
    ".txt": _text_fault,
    ".lms": _points_fault,
}
