"""What can be asked for of a clip, and how it is read out of the files of its window.

Files, shapes and units are those of the register of stages, but for what is given in another form
than it is stored in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import numpy as np

from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.loader import files
from talkingface.media.clip_boxes import boxes_in_clip
from talkingface.media.own_window import window_frames
from talkingface.pictures.depth.scale import read_scale
from talkingface.stages import PRODUCTS, Product
from talkingface.tables import CLIP_FRAMES, EXPRESSION_FRAMES, SPEECH, Table

# The columns of the item `expression`.
EXPRESSION = tuple(name for name in EXPRESSION_FRAMES.names if name not in ("frame", "present"))
_BOX = ("x", "y", "w", "h", "crop_x", "crop_y", "crop_w", "crop_h")


@dataclass(frozen=True)
class Window:
    """Frames `start` to `stop` (exclusive) of a clip of `n_frames` frames of `width` x `height`.

    results: the folder that holds it. start_frame: where it begins on its video's grid.
    audio_shift: by how many samples its sound was delayed. layers: the hidden states of `hubert`
    that are wanted, None for all.
    """

    results: Path
    video_id: str
    clip_id: str
    n_frames: int
    width: int
    height: int
    start_frame: int
    audio_shift: int
    start: int
    stop: int
    layers: tuple[int, ...] | None = None

    def path(self, column: str) -> Path:
        """The file or folder to which a column of the dataset's tables leads."""
        _, product = PRODUCTS[column]
        return self.results / product.path.format(video=self.video_id, clip=self.clip_id)


Reader = Callable[[Window], np.ndarray]


@dataclass(frozen=True)
class Item:
    """Something to be asked for. columns: of the dataset's tables, which have to be there.

    The others are as in `stages.Product`: what is given of a window, whose N frames are its own.
    """

    name: str
    columns: tuple[str, ...]
    read: Reader
    content: str
    shape: str
    dtype: str
    unit: str

    @property
    def feature(self) -> str:
        """The feature that makes it; "" of what every run makes."""
        stage, _ = PRODUCTS[self.columns[0]]
        return stage.name if stage.feature else ""

    @property
    def axis(self) -> int | None:
        """The axis of its array that is time; None where it has none."""
        return _time_axis(self.shape)

    def rates_of(self, shape: Sequence[int], n_frames: int) -> set[Fraction]:
        """The rows a frame, of those there are, that an array of this shape may have, read of a
        window of `n_frames` frames: several of a short one, none where it has been changed."""
        axis = self.axis
        if axis is None or len(shape) != len(_parts(self.shape)):
            return set()
        return {rate for rate in _factors(self.shape) if ceil(rate * n_frames) == shape[axis]}


def _parts(shape: str) -> list[str]:
    return [part.strip() for part in shape.strip("()").split(",")]


def _time_axis(shape: str) -> int | None:
    """The axis that has N by a shape of the register; None where none has."""
    return next((i for i, part in enumerate(_parts(shape)) if "N" in part.split()), None)


def _factors(shape: str) -> list[Fraction]:
    """Rows a frame by a shape of the register: `(layers, 2 N, channels)` has 2."""
    (time,) = (part for part in _parts(shape) if "N" in part.split())
    return [Fraction(number or 1) for number in re.findall(r"([\d.]*) ?\bN\b", time)]


def _sizes(shape: str) -> list[int | None]:
    """Lengths of the axes by a shape of the register, None of those that are not the same in every
    file: `(N, 478, 3)` has None, 478 and 3."""
    return [int(part) if part.isdigit() else None for part in _parts(shape)]


def _product(column: str) -> Product:
    return PRODUCTS[column][1]


def _item(
    name: str,
    read: Reader,
    *,
    column: str = "",
    columns: Sequence[str] = (),
    content: str = "",
    shape: str = "",
    dtype: str = "",
    unit: str = "",
) -> Item:
    """An item of the product `column`, called like it where none is given, whose form is the
    register's where none is given; `columns` are of others that it needs."""
    product = _product(column or name)
    return Item(
        name,
        (product.column, *columns),
        read,
        content or product.content,
        shape or product.shape,
        dtype or product.dtype,
        unit or product.unit,
    )


def _array_reader(
    column: str, factors: Sequence[Fraction], axis: int, sizes: Sequence[int | None]
) -> Reader:
    """Reads the rows of an npy that belong to a window.

    Where rows do not come in whole numbers a frame, as of Wav2Lip's mel of 80 a second, the first
    one of frame f is floor(rows a frame x f), and n frames have ceil(rows a frame x n) of them.
    Such a file has a last row more, which is centred on the end of the sound.
    """

    def read(window: Window) -> np.ndarray:
        path = window.path(column)

        def rows_of(length: int) -> slice:
            # By the file's length one knows which of several rates it has.
            for factor in factors:
                whole = factor.denominator == 1
                if length == floor(factor * window.n_frames) + (not whole):
                    first = floor(factor * window.start)
                    return slice(first, first + ceil(factor * (window.stop - window.start)))
            raise files.wrong_length(path, length, window.n_frames)

        return files.read_rows(path, rows_of, axis, sizes, window.layers if axis else None)

    return read


def _array_item(name: str, content: str = "") -> Item:
    """An item that is an npy with a time axis, cut to the window."""
    shape = _product(name).shape
    axis = _time_axis(shape)
    assert axis is not None
    return _item(name, _array_reader(name, _factors(shape), axis, _sizes(shape)), content=content)


def _frames(window: Window) -> np.ndarray:
    pictures = window_frames(window.path("video"), window.start, window.stop)
    expected = (window.height, window.width)
    return files.of_size(pictures, expected, window.path("video"))


def _audio(window: Window) -> np.ndarray:
    first, last = window.start * SAMPLES_PER_FRAME, window.stop * SAMPLES_PER_FRAME
    length = window.n_frames * SAMPLES_PER_FRAME
    return files.read_samples(window.path("audio"), first, last, length)


def _member(name: str, shape: str) -> Reader:
    def read(window: Window) -> np.ndarray:
        path = window.path("landmarks")
        sizes = [window.n_frames, *_sizes(shape)[1:]]
        return files.read_member(path, name, window.start, window.stop, sizes)

    return read


def _table(window: Window, column: str, definition: Table, names: Sequence[str]) -> np.ndarray:
    path = window.path(column)
    rows = files.read_table_rows(path, definition, names, window.start, window.stop)
    if len(rows) != window.stop - window.start:
        raise files.wrong_length(path, window.start + len(rows), window.n_frames)
    return rows


def _expression(window: Window) -> np.ndarray:
    rows = _table(window, "expression", EXPRESSION_FRAMES, EXPRESSION)
    return rows.astype(np.float32)


def _boxes(window: Window) -> np.ndarray:
    rows = _table(window, "boxes", CLIP_FRAMES, _BOX)
    table = rows.view([(name, float) for name in _BOX])[:, 0].view(np.recarray)
    return boxes_in_clip(table, window.width, window.height).astype(np.float32)


def _speech(window: Window) -> np.ndarray:
    """Frame k of a clip has the sound of grid frame start_frame + k less the shift; what is before
    or after the video's sound is silence."""
    path = window.results / SPEECH.path.format(video=window.video_id)
    moved = window.start_frame - window.audio_shift // SAMPLES_PER_FRAME
    first, last = window.start + moved, window.stop + moved
    found = np.zeros(last - first, np.float32)
    rows = files.read_table_rows(path, SPEECH, ("probability",), max(0, first), max(0, last))
    if len(rows) < min(last, window.start_frame + window.n_frames) - max(0, first):
        raise files.wrong_length(path, max(0, first) + len(rows), window.n_frames)
    before = max(0, -first)
    found[before : before + len(rows)] = rows[:, 0]
    return found


def _pictures(column: str, channels: int, dtype: type = np.uint8) -> Reader:
    def read(window: Window) -> np.ndarray:
        size = (window.height, window.width)
        folder = window.path(column)
        return files.read_numbered(folder, window.start, window.stop, size, channels, dtype)

    return read


def _depth(window: Window) -> np.ndarray:
    values = _pictures("depth", 0, np.uint16)(window)
    return read_scale(window.path("depth_scale")).decode(values)


def _background(window: Window) -> np.ndarray:
    path, size = window.path("background"), (window.height, window.width)
    return files.read_picture(path, size, 3, np.uint8)


_REGISTER = (
    _item("frames", _frames, column="video", content="pictures of the clip, RGB"),
    _item("audio", _audio, content="16 kHz mono"),
    _item(
        "landmarks",
        _member("points", _product("landmarks").shape),
        content="mediapipe's mesh; NaN without a face",
    ),
    _item(
        "landmarks68",
        _member("points68", "(N, 68, 2)"),
        column="landmarks",
        content="the 68 points of 300-W; NaN without a face",
        shape="(N, 68, 2)",
    ),
    _array_item("pose", "yaw, pitch, roll; NaN without a face"),
    _item(
        "expression",
        _expression,
        content=f"{', '.join(f'`{name}`' for name in EXPRESSION)}; NaN without a face",
        shape=f"(N, {len(EXPRESSION)})",
        dtype="float32",
    ),
    _array_item("hubert"),
    _array_item("mfcc"),
    _array_item("mel"),
    _item(
        "parsing",
        _pictures("parsing", 0),
        content="labels 0 to 18 in the order of CelebAMask-HQ",
    ),
    _item(
        "depth",
        _depth,
        columns=("depth_scale",),
        content="the quantity that the clip's json names; NaN where there is no depth",
        dtype="float32",
        unit="the json's",
    ),
    _item("torso", _pictures("torso", 4), content="RGBA, the person without the head"),
    _item("background", _background, content="RGB, the room without the person"),
    _item(
        "boxes",
        _boxes,
        content="the face: x, y of the top left corner, width, height",
        shape="(N, 4)",
        dtype="float32",
        unit="clip pixels",
    ),
    _item(
        "speech",
        _speech,
        column="audio",
        content="how probable it is that somebody is heard to speak",
        shape="(N)",
        dtype="float32",
    ),
)
ITEMS = {item.name: item for item in _REGISTER}
