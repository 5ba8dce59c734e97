"""A map-style dataset of windows of clips, or of whole clips."""

from __future__ import annotations

import hashlib
import logging
import multiprocessing.context
import operator
from collections.abc import Callable, Sequence
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from typing import Any, Literal

import numpy as np

from talkingface.loader.items import ITEMS, Window
from talkingface.loader.tables import dataset_table, read_clip_list

logger = logging.getLogger(__name__)

Sample = dict[str, Any]
# Epochs that can be told apart.
_EPOCHS = 1 << 63


class TalkingFaceDataset:
    """Clips of one side of one or several datasets, as PyTorch's DataLoader and plain loops take
    them: `len(dataset)`, `dataset[i]`.

    An element is a dict: the `items` asked for as numpy arrays (names, shapes and units in ITEMS
    and docs/loader.md), and `clip_id`, `video_id`, `identity` (text), `start`, the first frame of
    the window in its clip, and `n_frames`, the window's length. Frame k of everything is the same
    40 ms: sound has samples 640 k to 640 k + 639, `hubert` rows 2 k and 2 k + 1, `mfcc` and `mel`
    rows 4 k to 4 k + 3; of a `mel` of the layout wav2lip, 3.2 rows a frame, a window begins with
    row floor(3.2 x start) and has ceil(3.2 x n_frames) rows.

    Nothing is held open between two elements, so it may be forked, pickled and shared by threads.
    """

    def __init__(
        self,
        results: str | Path | Sequence[str | Path],
        side: Literal["train", "eval"],
        items: Sequence[str],
        *,
        n_frames: int | None,
        windows: Literal["random", "all"] = "random",
        stride: int | None = None,
        seed: int = 0,
        where: Callable[[np.record], bool] | None = None,
        layers: Sequence[int] | None = None,
    ) -> None:
        """
        results: the `results` folder of a finished run, or several.
        items: names of ITEMS.
        n_frames: length of the windows; None gives whole clips. Shorter clips are left out.
        windows: `random` is one window of every clip, another in every epoch (`set_epoch`), which
            depends on `seed`, epoch and clip_id alone: not on workers, order or the other clips.
            `all` are those that begin every `stride` frames from the clip's first on; stride None
            is `n_frames`, windows side by side. What is left at the end is in none.
        where: says of a row of the dataset's tables whether its clip is wanted, as in
            `lambda row: row.n_frames >= 75 and row.identity != "ann"`.
        layers: the hidden states of `hubert` that are wanted, numbers in the file's first axis;
            negative ones count from its end, None is all.

        Raises FileNotFoundError where a folder holds no dataset, and ValueError where an item was
        not made (naming the setting), the tables are another version's
        (`job.tables.OtherColumns`), `where` asks for a column that they do not have, no clip is
        left, or an argument makes no sense.
        """
        folders = [results] if isinstance(results, str | Path) else list(results)
        self.results = tuple(Path(folder).absolute() for folder in folders)
        self.side = _one_of("side", side, ("train", "eval"))
        self.items = _items(items)
        self.windows = _one_of("windows", windows, ("random", "all"))
        _check_numbers(n_frames, stride, seed, windows)
        # Numbers of numpy would be rounded or overflow beside those that windows are drawn by.
        self.n_frames = None if n_frames is None else int(n_frames)
        self.seed = int(seed)
        self.stride = int(stride) if stride else self.n_frames
        self.layers = None if layers is None else tuple(map(operator.index, layers))
        if not self.results:
            raise ValueError("no results folder was given")
        _refuse_twice(self.results)
        wanted = [ITEMS[name] for name in self.items]
        clips = read_clip_list(self.results, side, wanted, where)
        lengths = clips["n_frames"]
        counts = np.ones(len(clips), np.int64)
        if self.n_frames is not None and self.stride is not None:
            room = lengths - self.n_frames
            counts = room // self.stride + 1 if windows == "all" else counts
            counts = np.where(room < 0, 0, counts)
        self._clips = clips
        self._chosen = np.flatnonzero(counts)
        # Number of the element with which the windows of each chosen clip begin.
        self._first = np.concatenate([[0], np.cumsum(counts[self._chosen])])
        self._refuse_nothing(len(clips), clips.listed)
        self._epoch = RawValue("q", 0)

    def _refuse_nothing(self, passed: int, listed: int) -> None:
        if len(self._chosen) < passed:
            left_out = passed - len(self._chosen)
            logger.info("%d clips have less than %s frames", left_out, self.n_frames)
        if len(self._chosen):
            return
        tables = ", ".join(str(dataset_table(folder, self.side)) for folder in self.results)
        if not listed:
            raise ValueError(
                f"{tables}: no clip is listed. `split.eval_fraction` and the column `split` of "
                "videos.csv say which side clips are on, and dataset/rejected.csv why others were "
                "left out"
            )
        if not passed:
            raise ValueError(f"{tables}: `where` is true of none of the {listed} clips")
        longest = int(self._clips["n_frames"].max())
        raise ValueError(
            f"{tables}: no clip has {self.n_frames} frames; the longest of {passed} has {longest}"
        )

    def __len__(self) -> int:
        return int(self._first[-1])

    def __getitem__(self, index: int) -> Sample:
        """An element; raises IndexError beyond the last, TypeError for what is no whole number,
        FileNotFoundError where a file is gone, and DamagedFile where one is damaged."""
        window = self.window(index)
        sample: Sample = {}
        for name in self.items:
            try:
                sample[name] = ITEMS[name].read(window)
            except FileNotFoundError as error:
                raise FileNotFoundError(self._gone(error.filename or str(error))) from error
        place = self._place(index)[0]
        sample |= {name: str(self._clips[name][place]) for name in ("clip_id", "video_id")}
        sample["identity"] = str(self._clips["identity"][place])
        return sample | {"start": window.start, "n_frames": window.stop - window.start}

    def window(self, index: int) -> Window:
        """Which frames of which clip an element holds, without reading them."""
        place, number = self._place(index)
        clips = self._clips
        clip_id, length = str(clips["clip_id"][place]), int(clips["n_frames"][place])
        n_frames = length if self.n_frames is None else self.n_frames
        if self.windows == "all":
            start = number * (self.stride or 0)
        else:
            start = _draw(f"{self.seed}:{self.epoch}:{clip_id}", length - n_frames + 1)
        numbers = ("width", "height", "start_frame", "audio_shift")
        width, height, start_frame, audio_shift = (int(clips[name][place]) for name in numbers)
        return Window(
            self.results[clips["folder"][place]],
            str(clips["video_id"][place]),
            clip_id,
            length,
            width,
            height,
            start_frame,
            audio_shift,
            start,
            start + n_frames,
            self.layers,
        )

    @property
    def epoch(self) -> int:
        """The epoch that `set_epoch` set, 0 at first."""
        return self._epoch.value

    def set_epoch(self, epoch: int) -> None:
        """Choose the random windows of an epoch, before one begins to go through the dataset.

        Workers that a DataLoader keeps (`persistent_workers`) learn of it, too.
        """
        if not 0 <= epoch < _EPOCHS:
            raise ValueError(f"epoch {epoch} is not 0 or more")
        self._epoch.value = epoch

    def __getstate__(self) -> dict[str, Any]:
        # Shared memory can be handed over to a process that is just being started, and to nothing
        # else; a copy for anything else has an epoch of its own.
        starting = multiprocessing.context.get_spawning_popen() is not None
        return self.__dict__ | {"_epoch": self._epoch if starting else self.epoch}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        if isinstance(self._epoch, int):
            self._epoch = RawValue("q", self._epoch)

    def _place(self, index: int) -> tuple[int, int]:
        """The clip of an element, and which of the clip's windows it is."""
        length, number = len(self), operator.index(index)
        if not -length <= number < length:
            raise IndexError(f"element {number} of {length}")
        number %= length
        chosen = int(np.searchsorted(self._first, number, side="right")) - 1
        return int(self._chosen[chosen]), number - int(self._first[chosen])

    def _gone(self, path: str) -> str:
        return (
            f"{path} is gone, though the dataset's tables list its clip. Run the workflow again, "
            "which makes what is missing and the tables anew; of a copy, copy it again"
        )


def _items(items: Sequence[str]) -> tuple[str, ...]:
    names = (items,) if isinstance(items, str) else tuple(items)
    for name in names:
        if name not in ITEMS:
            raise ValueError(f"unknown item {name!r}: choose from {', '.join(ITEMS)}")
    if not names:
        raise ValueError(f"no item was asked for: choose from {', '.join(ITEMS)}")
    return tuple(dict.fromkeys(names))


def _refuse_twice(folders: Sequence[Path]) -> None:
    """Its clips would count twice, with the same windows both times."""
    places: dict[Path, Path] = {}
    for folder in folders:
        first = places.setdefault(folder.resolve(), folder)
        if first is not folder:
            raise ValueError(f"one results folder was given twice: {first} and {folder}")


def _one_of(name: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise ValueError(f"{name} is {value!r}, not one of {', '.join(choices)}")
    return value


def _check_numbers(n_frames: int | None, stride: int | None, seed: int, windows: str) -> None:
    for name, value in (("n_frames", n_frames), ("stride", stride), ("seed", seed)):
        if value is not None and not isinstance(value, int | np.integer):
            raise ValueError(f"{name} is {value!r}: a whole number is needed")
        if value is not None and name != "seed" and value < 1:
            raise ValueError(f"{name} is {value}: at least 1 is needed")
    if stride is not None and (n_frames is None or windows != "all"):
        raise ValueError("a stride goes with windows='all' and n_frames")


def _draw(key: str, count: int) -> int:
    """A number below `count` that depends on `key` alone, the same on every machine and with every
    version of everything."""
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % count
