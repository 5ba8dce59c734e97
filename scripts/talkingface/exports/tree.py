"""The folder of an export while it is built: links, lists, and what was left out."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from talkingface.exports.conditions import Condition
from talkingface.exports.export_clips import ExportClip, lacking_file, unequal_folders
from talkingface.job.files import DamagedFile
from talkingface.job.tables import table_of_rows, write_table
from talkingface.tables import SKIPPED

logger = logging.getLogger(__name__)

# What a link fails with where a file system has none of its kind, or the target is on another, or
# the file belongs to somebody else.
_NO_LINK = {
    errno.EXDEV, errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS,
    errno.EMLINK, errno.EINVAL,
}  # fmt: skip


class Tree:
    """The folder `folder` of an export, which gets the name `final` when it is done.

    Files of the dataset are hard links, so that they take no space and stay when results are
    deleted. Where the disk cannot have one, they are symbolic links, and where it has none of
    these either, copies. What is written must not be changed in place, as it is the dataset's.
    """

    def __init__(self, folder: str | Path, final: str | Path) -> None:
        self.folder, self._final = Path(folder), Path(os.path.abspath(final))
        self.skipped: list[dict[str, str]] = []
        # Names of the clips that are not in the export.
        self.left_out: set[str] = set()
        # How files came into the tree so far.
        self.linked_by: set[str] = set()
        self._ways: list[tuple[str, Callable[[Path, Path], None]]] = [
            ("hard links", os.link),
            ("symbolic links", self._symlink),
            ("copies", _copy),
        ]
        self._parents: set[Path] = set()

    def path(self, name: str) -> Path:
        """Where to write a file of this name, relative to the export; its folder is made.

        Raises ValueError where the name leads out of the export, or is there already.
        """
        parts = name.split("/")
        if name.startswith("/") or not all(parts) or {".", ".."} & set(parts):
            raise ValueError(f"{name!r}: no path inside an export")
        path = self.folder / name
        if path.parent not in self._parents:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._parents.add(path.parent)
        if os.path.lexists(path):
            raise ValueError(f"{name!r}: two clips of the export have the same name")
        return path

    def absolute(self, name: str) -> str:
        """The absolute path that a file of the export will have."""
        return str(self._final / name)

    def link(self, source: str | Path, name: str) -> None:
        """Put the dataset's file `source` into the export."""
        self._link(Path(source), self.path(name))

    def link_folder(
        self, source: str | Path, name: str, rename: Callable[[str], str] | None = None
    ) -> int:
        """Put all files of a folder, such as the pictures of a clip, into the folder `name`.

        `rename` gives the new name of a file. Gives the number of files.
        """
        names = sorted(os.listdir(source))
        for old in names:
            self.link(Path(source, old), f"{name}/{rename(old) if rename else old}")
        return len(names)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file, in UTF-8 with lines that end with a line feed."""
        with open(self.path(name), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """Write a text file of one line each; without any it is empty."""
        with open(self.path(name), "w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)

    def check(self, clip: ExportClip, *conditions: Condition, stays: bool = False) -> bool:
        """Whether a clip meets all conditions; each that it does not meet is noted. `stays` is as
        in `skip`."""
        unmet = [condition for condition in conditions if not condition.is_met]
        for condition in unmet:
            self.skip(clip, condition.name, condition.measured, condition.needed, stays=stays)
        return not unmet

    def skip(
        self,
        clip: ExportClip,
        condition: str,
        measured: object,
        needed: object,
        *,
        stays: bool = False,
    ) -> None:
        """Note that a clip is left out; `condition` is what was compared, with its unit.

        stays: the clip is in the export, but its reader does not take it everywhere.
        """
        if not stays:
            self.left_out.add(clip.clip_id)
        self.skipped.append(
            {
                "clip_id": clip.clip_id,
                "condition": condition,
                "measured": _shown(measured),
                "needed": _shown(needed),
            }
        )

    def skip_incomplete(self, clip: ExportClip, columns: Iterable[str]) -> bool:
        """Skip a clip of which a product, by its column, is gone, or a folder has not one file a
        frame; whether it is so.

        Readers count the pictures of a folder: where one is missing, all behind it would be of
        another frame. The log says so, too, and how it is made again.
        """
        columns = list(columns)
        gone = lacking_file(clip, columns)
        if gone is not None:
            logger.warning("%s is gone: run snakemake again to have it made", gone)
            self.skip(clip, "file", "gone", gone.relative_to(clip.results))
            return True
        unequal = unequal_folders(clip, columns)
        for column, count in unequal.items():
            logger.warning("%s", DamagedFile(clip.path(column), f"{count} files"))
            self.skip(clip, f"files of {column}", count, clip.n_frames)
        return bool(unequal)

    def write_skipped(self) -> None:
        """Write skipped.csv, also when nothing was."""
        write_table(table_of_rows(SKIPPED, self.skipped), self.path("skipped.csv"), SKIPPED)

    def _link(self, source: Path, path: Path) -> None:
        while True:
            way, link = self._ways[0]
            try:
                link(source, path)
                self.linked_by.add(way)
                return
            except OSError as error:
                if len(self._ways) == 1 or error.errno not in _NO_LINK:
                    raise
                if not os.path.exists(source):
                    raise FileNotFoundError(errno.ENOENT, "No such file", str(source)) from None
                self._ways.pop(0)
                logger.warning(
                    "no %s from %s to %s (%s): %s instead",
                    way, source.parent, self._final, error.strerror, self._ways[0][0],
                )  # fmt: skip

    def _symlink(self, source: Path, path: Path) -> None:
        os.symlink(os.path.abspath(source), path)


def _copy(source: Path, path: Path) -> None:
    shutil.copyfile(source, path)


def _shown(value: object) -> str:
    """A number with at most four digits after the point, anything else as text."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
