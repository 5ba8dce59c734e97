"""A model brought into the store: what is there is checked, what is missing is fetched."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from talkingface.models.http import FetchError, fetch_file
from talkingface.models.hub import info_url, with_hub_files
from talkingface.models.notes import NOTES, read_notes, write_notes
from talkingface.models.store import model_record
from talkingface.models.table import (
    CONFIG,
    HUB,
    MODELS,
    Digest,
    Model,
    ModelError,
    ModelFile,
    choose_files,
    digest,
    find_model,
    hub_id,
    on_hub,
)

logger = logging.getLogger(__name__)

LOCK = ".lock"
# Seconds between two looks at a lock that another process holds.
LOOK_EVERY = 0.5


@dataclass(frozen=True)
class FetchOptions:
    """How files are fetched: `endpoint` stands for Hugging Face, and is the only one told `token`.

    `most` is how many bytes a model may have; None is any. `lock_patience` is for how many seconds
    another process may hold the model's lock while nothing changes in its folder. For the others
    see `http.fetch_file`.
    """

    endpoint: str = HUB
    token: str | None = None
    most: float | None = None
    timeout: float = 30.0
    tries: int = 3
    pause: float = 1.0
    lock_patience: float = 600.0

    @classmethod
    def from_environment(cls, most: float | None = None) -> FetchOptions:
        """With the mirror and the token that Hugging Face's own programs take, too."""
        return cls(os.environ.get("HF_ENDPOINT") or HUB, os.environ.get("HF_TOKEN"), most)


def ensure_model(
    name: str,
    store: str | Path,
    options: FetchOptions | None = None,
    own: Collection[Model] = (),
) -> dict[str, Any]:
    """Make sure that the model called `name` is whole in the folder `store`; its `model_record`.

    Files that are there, put by hand or by another run, are checked and never replaced. When all
    are, neither a network nor a store that can be written to is needed. The others are fetched
    from their sources in turn. Where several processes want the same model at once, one of them
    fetches it. `own` are models of the user's own files, see `own_models`.

    Raises ModelError, one for all files.
    """
    options = options or FetchOptions()
    folder = Path(store, name).absolute()
    wanted = find_model(name, own)
    trusted_first = not wanted.files or not all(file.sha256 for file in wanted.files)
    model = _with_notes(wanted, folder)
    digests = _checked_files(model, folder, trusted_first)
    origins: dict[str, str] = {}
    if not model.files or len(digests) < len(model.files):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _locked(folder, options.lock_patience):
                # Another process may have fetched it meanwhile.
                model = _with_notes(wanted, folder)
                if not model.files:
                    model = _ask_hub(model, folder, options)
                digests = _checked_files(model, folder, trusted_first)
                for file in model.files:
                    if file.name not in digests:
                        so_far = sum(found.size for found in digests.values())
                        digests[file.name], origins[file.name] = _fetch(
                            model, file, folder, options, so_far
                        )
        except OSError as error:
            reason = f"{folder} cannot be written to: {error.strerror}"
            raise _missing_error(model, folder, [reason]) from error
    for file in model.files:
        logger.info("%s: %s", folder / file.name, digests[file.name])
    write_notes(model, digests, origins, folder)
    return model_record(model, digests)


def _with_notes(model: Model, folder: Path) -> Model:
    """`model` with what its notes know and the table does not: its files and their hashes.

    A model of the Hub without notes has the files that are in `folder`, if they are complete.
    """
    notes = read_notes(folder)
    noted = notes.get("files", {})
    if model.name in MODELS and notes and notes["revision"] != model.revision:
        raise ModelError(
            f"model {model.name}: {folder} holds revision {notes['revision']}, not "
            f"{model.revision}. Delete that folder to have the other one fetched"
        )
    if not model.files:
        # Of the notes only names that a model can have: others might lead out of the folder.
        names = choose_files(noted)
        if sorted(names) != sorted(noted):
            raise ModelError(
                f"{folder / NOTES}: broken (its files are none that a model is loaded from); "
                "delete it"
            )
        names = names or choose_files(path.name for path in folder.glob("*"))
        if names:
            revision = notes.get("revision")
            files = on_hub(
                hub_id(model.name), revision or model.revision or "main", *map(ModelFile, names)
            )
            model = replace(model, files=files, revision=revision, licence=notes.get("licence"))
    files = tuple(
        replace(file, size=noted[file.name]["size"], sha256=noted[file.name]["sha256"])
        if file.sha256 is None and file.name in noted
        else file
        for file in model.files
    )
    return replace(model, files=files)


def _checked_files(model: Model, folder: Path, trusted_first: bool) -> dict[str, Digest]:
    """The files of `model` that are in `folder`; those that are wrong are left for their owner.

    trusted_first: whether some hashes are those of the files that were found first.
    """
    digests, wrong = {}, []
    for file in model.files:
        path = folder / file.name
        try:
            digests[file.name] = digest(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            wrong.append(f"  {path}\n    cannot be read: {error.strerror}")
            continue
        if not file.accepts(digests[file.name]):
            wrong.append(f"  {path}\n    expected {file}\n    found    {digests[file.name]}")
    if not wrong:
        return digests
    notes = f" (and {NOTES} beside it, if the new one is meant)" if trusted_first else ""
    fetched = all(file.sources for file in model.files)
    then = (
        " to have it fetched, or put the right one there" if fetched else " and put another there"
    )
    raise ModelError(
        f"model {model.name}: not the file that is expected:\n" + "\n".join(wrong) + "\n"
        f"  Delete it{notes}{then}.\n" + _advice(model)
    )


def _missing_error(model: Model, folder: Path, reasons: list[str]) -> ModelError:
    absent = [file for file in model.files if not os.path.isfile(folder / file.name)]
    lines = [f"  {folder / file.name}: {file}" for file in absent] or [
        f"  {folder}: {CONFIG}, its preprocessor_config.json, model.safetensors (or "
        "pytorch_model.bin)"
    ]
    lines += [f"  {reason}" for reason in reasons]
    or_retry = ", or try again" if all(file.sources for file in absent) else ""
    lines.append(f"  Put what is missing there by hand{or_retry}.")
    return ModelError(
        f"model {model.name} is missing:\n" + "\n".join(lines) + "\n" + _advice(model)
    )


def _advice(model: Model) -> str:
    licence = f" (licence: {model.licence})" if model.licence else ""
    return f"  It comes from {model.page}{licence}\n  To do without it: {model.instead}"


def _fetch(
    model: Model, file: ModelFile, folder: Path, options: FetchOptions, so_far: int
) -> tuple[Digest, str]:
    """One file from the first of its sources that has it, and which that was.

    so_far: the bytes that the model has already.
    """
    most = None if options.most is None else max(0, int(options.most) - so_far)
    failures = []
    for source in file.sources:
        url = _source_url(source, options.endpoint)
        try:
            fetched = fetch_file(
                url,
                folder / file.name,
                size=file.size,
                sha256=file.sha256,
                most=most,
                token=options.token if source != url else None,
                timeout=options.timeout,
                tries=options.tries,
                pause=options.pause,
            )
            return fetched, url
        except FetchError as error:
            logger.warning("%s: %s", url, error)
            failures.append(f"{url}: {_with_hint(error)}")
    raise _missing_error(model, folder, failures or ["It is not to be had by a program."])


def _source_url(source: str, endpoint: str) -> str:
    """The URL of a source; `hf://owner/name@revision/file` lies under `endpoint`."""
    if not source.startswith("hf://"):
        return source
    repository, _, rest = source.removeprefix("hf://").partition("@")
    return f"{endpoint.rstrip('/')}/{repository}/resolve/{rest}"


def _ask_hub(model: Model, folder: Path, options: FetchOptions) -> Model:
    """`model` with the files, commit and licence that the Hub says."""
    url = info_url(model, options.endpoint)
    try:
        return with_hub_files(model, url, token=options.token, timeout=options.timeout)
    except FetchError as error:
        raise _missing_error(model, folder, [f"{url}: {_with_hint(error)}"]) from error


def _with_hint(error: FetchError) -> str:
    hint = " (no such model, or it wants HF_TOKEN)" if str(error).startswith("HTTP 401") else ""
    return f"{error}{hint}"


@contextmanager
def _locked(folder: Path, patience: float) -> Iterator[None]:
    """Hold the model's lock; another process that has it is waited for while it gets on.

    Raises ModelError when nothing has changed in the folder for `patience` seconds.
    """
    path = folder / LOCK
    # Not to be emptied: where it is a link, or more than a lock, it is somebody's.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with open(descriptor, "rb", buffering=0):
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ModelError(f"{path}: a pipe or a device, not a file; delete it")
        try:
            _wait_for(descriptor, folder, patience)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
            logger.warning("%s: its file system has no locks; fetch it once at a time", folder)
        yield


def _wait_for(descriptor: int, folder: Path, patience: float) -> None:
    before, since = None, time.monotonic()
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = _state_of(folder)
        if before is None:
            logger.info("%s: waiting for another process that fetches it", folder)
        if now != before:
            before, since = now, time.monotonic()
        elif time.monotonic() - since >= patience:
            raise ModelError(
                f"{folder / LOCK}: another process has held this lock for {patience:.0f} s without "
                "fetching anything. End it (lsof or fuser name it), or delete the lock if it is "
                "on a machine that is gone"
            )
        time.sleep(min(LOOK_EVERY, patience))


def _state_of(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of what is in a folder."""
    with os.scandir(folder) as entries:
        found = ((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
        return sorted((name, state.st_size, state.st_mtime_ns) for name, state in found)
