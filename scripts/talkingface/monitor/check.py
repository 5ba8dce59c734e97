"""Whether the files that the jobs of a video made are there, and as they were written.

What a job noted of a file when it made it (`job.checksums`) is compared with the file; one of which
nothing is noted, as older versions did, is looked into. Links are not followed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path, PurePosixPath

from talkingface.job.checksums import (
    Checksum,
    checksums_path,
    read_checksums,
    take_checksum,
    take_checksums,
    write_checksums,
)
from talkingface.job.files import DamagedFile, read_json
from talkingface.job.tables import OtherColumns, read_table
from talkingface.monitor.content import Expected, content_fault
from talkingface.monitor.missing import names_in, numbered_names, read_clip_lengths
from talkingface.report.files import REPORT_FILES, REPORT_MANIFEST, preview_files
from talkingface.stage import Stage, is_folder
from talkingface.stages import STAGES
from talkingface.tables import CLIPS

_DATASET = tuple(
    f"dataset/{name}"
    for name in ("clips.csv", "train.csv", "eval.csv", "rejected.csv", "summary.json")
)
_CARD = ("dataset/settings.json", "dataset/README.md")
# What it makes Python raise when a record is a record of something else.
_NO_RECORD = (AttributeError, KeyError, TypeError)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file: `path` is relative to the results folder, `missing` says that
    there is none."""

    path: str
    how: str
    missing: bool = False


@dataclass
class Checked:
    """What was found: `faults`, how many `files` there were, how many of them were `unknown`
    (nothing is noted of them) and how many `links` were passed over."""

    faults: list[Fault] = field(default_factory=list)
    files: int = 0
    unknown: int = 0
    links: int = 0

    def add(self, other: Checked) -> None:
        """Count what was found elsewhere, too; its faults are not kept."""
        self.files += other.files
        self.unknown += other.unknown
        self.links += other.links


def check_video(
    results: str | Path, video: str, *, decode: bool = False, record: bool = False
) -> Checked:
    """Check all files of a video.

    decode: whether they are decoded in full, too. record: whether checksums are noted of outputs
    that have none, where nothing is wrong with them; to know that, these are decoded.
    """
    check = _Check(Path(os.path.realpath(results)), decode, record)
    sizes: dict[str, tuple[int, int]] = {}
    with suppress(DamagedFile, OtherColumns, OSError):  # Told where the table itself is checked.
        table = read_table(check.root / STAGES["clips"].manifest.format(video=video), CLIPS)
        sizes = {row.clip_id: (int(row.width), int(row.height)) for row in table}
    for stage in STAGES.values():
        check.stage(stage, video, sizes)
    return check.found


class _Check:
    """The check of some outputs; `found` is what came of it."""

    def __init__(self, root: Path, decode: bool, record: bool) -> None:
        self.root, self.decode, self.record = root, decode, record
        self.found = Checked()
        self._folder = cache(partial(folder_fault, root))
        self._told: set[str] = set()

    def stage(self, stage: Stage, video: str, sizes: Mapping[str, tuple[int, int]]) -> None:
        """Check what a stage made of a video; `sizes` are width and height of its clips."""
        expected = {path.format(video=video): Expected(path) for path in stage.video_files}
        outputs = list(expected)
        manifest, optional = outputs[0], {path.format(video=video) for path in stage.disposable}
        if stage.clip_folder is not None:
            outputs.append(stage.clip_folder.format(video=video))
        if not any(os.path.lexists(self.root / output) for output in outputs) and (
            stage.feature
            or stage.export
            or stage.report
            or not checksums_path(self.root, manifest).exists()
        ):
            return  # It was not at work here, or is not wanted any longer.
        if stage.name == "download":
            self._raw(video, f"raw/{video}.media")
            expected, outputs = {manifest: expected[manifest]}, [manifest]
        if stage.name == "proxy":
            expected = {path: self._of_copy(manifest, path, expected[path]) for path in expected}
        wrong = ""
        if stage.report:
            for name in preview_files(self.root / manifest):
                pattern = f"{stage.clip_folder}/{{clip}}{os.path.splitext(name)[1]}"
                expected[f"{stage.name}/{video}/{name}"] = Expected(pattern)
        elif stage.clip_folder is not None:
            of_clips, strange = self._of_clips(stage, video, sizes)
            expected |= of_clips
            wrong = f"it names {strange}, which is no clip" if strange else ""
        self.outputs(manifest, outputs, expected, optional, wrong)

    def outputs(
        self,
        manifest: str,
        outputs: Sequence[str],
        expected: Mapping[str, Expected],
        optional: Collection[str] = (),
        wrong: str = "",
    ) -> None:
        """Check the files of one job.

        manifest: by which its outputs are known to be whole. outputs: its files and folders.
        expected: what is to be there, by path. optional: what may be missing of it. wrong: what is
        known to be wrong with the manifest.
        """
        faults = len(self.found.faults)
        table = checksums_path(self.root, manifest)
        noted: Mapping[str, Checksum] = {}
        if table.exists():
            try:
                noted = read_checksums(table)
                if not all(_is_below(path, outputs) for path in noted):
                    raise DamagedFile(table, "it names files of others")
            except DamagedFile as error:
                noted = {}
                self._add(str(table.relative_to(self.root)), error.how)
        self._file(manifest, expected[manifest], noted, optional)
        if wrong and len(self.found.faults) == faults:
            self._add(manifest, wrong)
        # One that is damaged says nothing of what else there is.
        damaged = len(self.found.faults) > faults
        if noted and not damaged and self._names_what_no_job_makes(noted, expected):
            self._add(str(table.relative_to(self.root)), "it names a file that is not made")
            noted = {}
        for path in sorted({*noted, *(() if noted and damaged else expected)} - {manifest}):
            self._file(path, expected.get(path, Expected()), noted, optional)
        if self.record and not noted and len(self.found.faults) == faults:
            existing = [path for path in outputs if os.path.lexists(self.root / path)]
            taken = take_checksums(self.root, [self.root / path for path in existing])
            write_checksums(table, taken)

    def _names_what_no_job_makes(
        self, noted: Mapping[str, Checksum], expected: Mapping[str, Expected]
    ) -> bool:
        """Whether a file is noted that is neither there nor to be made: the note is what is wrong,
        and no run could make that file."""
        # Of pictures that are gone nobody can tell the format.
        pictures = {
            os.path.splitext(path)[0] for path, what in expected.items() if is_folder(what.pattern)
        }
        return any(
            path not in expected
            and os.path.splitext(path)[0] not in pictures
            and not os.path.lexists(self.root / path)
            for path in noted
        )

    def _file(
        self,
        path: str,
        expected: Expected,
        noted: Mapping[str, Checksum],
        optional: Collection[str],
    ) -> None:
        how, missing = self._fault(path, expected, noted.get(path))
        if how and not (missing and path in optional):
            self._add(missing or path, how, bool(missing))

    def _fault(self, path: str, expected: Expected, noted: Checksum | None) -> tuple[str, str]:
        """What is wrong with a file, and the path of what is missing, if that is it."""
        how, where = self._folder(os.path.dirname(path))
        if how:
            self.found.links += how == "link"
            return ("missing", where) if how == "missing" else ("", "")
        place = self.root / path
        try:
            status = os.lstat(place)
        except FileNotFoundError:
            return "missing", path
        if stat.S_ISLNK(status.st_mode):
            self.found.links += 1
            return "", ""
        if not stat.S_ISREG(status.st_mode):
            return "no file, but something else", path
        self.found.files += 1
        self.found.unknown += noted is None
        if noted is not None and status.st_size != noted.size:
            return f"{status.st_size} bytes, {noted.size} were written", ""
        try:
            if noted is not None and take_checksum(place) != noted:
                return "its checksum is another than when it was written", ""
        except OSError as error:
            return f"it cannot be read: {error.strerror}", ""
        if noted is not None and not self.decode or expected.empty and not status.st_size:
            return "", ""
        return content_fault(place, expected, full=self.decode or self.record), ""

    def _add(self, path: str, how: str, missing: bool = False) -> None:
        if path not in self._told:
            self._told.add(path)
            self.found.faults.append(Fault(path, how, missing))

    def _raw(self, video: str, path: str) -> None:
        """Check a download against its record; a link to a source is left alone."""
        place = self.root / path
        if place.is_symlink() or not place.is_file():
            self.found.links += place.is_symlink()
            return
        self.found.files += 1
        with suppress(DamagedFile, OSError, *_NO_RECORD):  # Told where the record is checked.
            record = read_json(self.root / STAGES["download"].manifest.format(video=video))
            size, sha256 = map(record["provenance"].get, ("size", "sha256"))
            if size is not None and place.stat().st_size != size:
                self._add(path, f"{place.stat().st_size} bytes, {size} were downloaded")
            elif sha256 is not None:
                with place.open("rb") as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                        self._add(path, "its checksum is another than when it was downloaded")

    def _of_copy(self, record: str, path: str, expected: Expected) -> Expected:
        """What a file of the small copy is to hold."""
        with suppress(DamagedFile, OSError):
            names = ("status", "n_frames", "proxy_width", "proxy_height")
            status, n_frames, *size = map(read_json(self.root / record, *names).get, names)
            if status != "ok":
                return replace(expected, empty=True)
            return replace(expected, n_frames=n_frames, size=tuple(size))
        return expected

    def _of_clips(
        self, stage: Stage, video: str, sizes: Mapping[str, tuple[int, int]]
    ) -> tuple[dict[str, Expected], str]:
        """What a stage is to have made of the clips that its manifest lists, by path; and the first
        that is no clip of the video's, nor is anything there of it: no run would make it."""
        found: dict[str, Expected] = {}
        clips = read_clip_lengths(self.root / stage.manifest.format(video=video))
        strange = [
            clip
            for clip, _ in clips
            if sizes
            and clip not in sizes
            and not any(
                os.path.lexists(self.root / pattern.format(video=video, clip=clip))
                for pattern in stage.clip_files
            )
        ]
        clips = [(clip, n_frames) for clip, n_frames in clips if clip not in strange]
        for pattern in stage.clip_files:
            for clip, n_frames in clips:
                path = pattern.format(video=video, clip=clip)
                expected = Expected(pattern, n_frames, sizes.get(clip))
                if is_folder(pattern) and self._folder(path)[0] != "link":
                    names = names_in(str(self.root / path))
                    for name in numbered_names(names, n_frames):
                        found[f"{path}/{name}"] = expected
                else:
                    found[path] = expected
        return found, next(iter(strange), "")


def check_others(results: str | Path, *, decode: bool = False, record: bool = False) -> Checked:
    """Check what is of no single video: dataset, card and report, and the records of models."""
    root = Path(os.path.realpath(results))
    check = _Check(root, decode, record)
    for made in (_DATASET, _CARD):
        if any((root / path).exists() for path in made):
            check.outputs(made[-1], made, dict.fromkeys(made, Expected()))
    if (root / "report").exists():
        check.outputs(REPORT_MANIFEST, ["report"], dict.fromkeys(REPORT_FILES, Expected()))
    for name in sorted(names_in(str(root / "models"))):
        if name.endswith(".json") and not name.startswith("."):
            path = f"models/{name}"
            check.outputs(path, [path], {path: Expected()})
    return check.found


def folder_fault(root: Path, folder: str) -> tuple[str, str]:
    """Whether a folder below `root` is "missing", or reached by a "link", and where that begins."""
    place = root
    for part in PurePosixPath(folder).parts:
        place = place / part
        where = str(place.relative_to(root))
        if place.is_symlink():
            return "link", where
        if not place.is_dir():
            return "missing", where
    return "", ""


def _is_below(path: str, outputs: Iterable[str]) -> bool:
    """Whether a path is one of `outputs` or lies in one of them."""
    inside = any(path == output or path.startswith(f"{output}/") for output in outputs)
    return inside and ".." not in PurePosixPath(path).parts
