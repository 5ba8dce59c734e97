"""A model brought into the store: what is there is checked, what is missing is fetched."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from talkingface.job.files import read_json, write_json
from talkingface.models import http
from talkingface.models.http import FetchError, fetch_file
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

# Beside the files of a model: what they are, where each came from and when.
NOTES = "model.json"
BY_HAND = "by hand"


@dataclass(frozen=True)
class FetchOptions:
    """How files are fetched: `endpoint` stands for Hugging Face, and is the only one told `token`.

    For the others see `http.fetch_file`.
    """

    endpoint: str = HUB
    token: str | None = None
    timeout: float = 30.0
    tries: int = 3
    pause: float = 1.0

    @classmethod
    def from_environment(cls) -> FetchOptions:
        """With the mirror and the token that Hugging Face's own programs take, too."""
        return cls(os.environ.get("HF_ENDPOINT") or HUB, os.environ.get("HF_TOKEN"))


def ensure_model(
    name: str, store: str | Path, options: FetchOptions | None = None
) -> dict[str, Any]:
    """Make sure that the model called `name` is whole in the folder `store`; its `model_record`.

    Files that are there, put by hand or by another run, are checked and never replaced. When all
    are, neither a network nor a store that can be written to is needed. The others are fetched
    from their sources in turn. Where several processes want the same model at once, one of them
    fetches it.

    Raises ModelError, one for all files.
    """
    options = options or FetchOptions()
    folder = Path(store, name).absolute()
    model = _with_notes(find_model(name), folder)
    digests = _checked_files(model, folder)
    origins: dict[str, str] = {}
    if not model.files or len(digests) < len(model.files):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _locked(folder):
                # Another process may have fetched it meanwhile.
                model = _with_notes(find_model(name), folder)
                if not model.files:
                    model = _with_hub_files(model, folder, options)
                digests = _checked_files(model, folder)
                for file in model.files:
                    if file.name not in digests:
                        digests[file.name], origins[file.name] = _fetch(
                            model, file, folder, options
                        )
        except OSError as error:
            reason = f"{folder} cannot be written to: {error.strerror}"
            raise _missing_error(model, folder, [reason]) from error
    for file in model.files:
        logger.info("%s: %s", folder / file.name, digests[file.name])
    _write_notes(model, digests, origins, folder)
    return model_record(model, digests)


def _with_notes(model: Model, folder: Path) -> Model:
    """`model` with what its notes know and the table does not: its files and their hashes.

    A model of the Hub without notes has the files that are in `folder`, if they are complete.
    """
    notes = _read_notes(folder)
    noted = notes.get("files", {})
    if model.name in MODELS and notes and notes["revision"] != model.revision:
        raise ModelError(
            f"model {model.name}: {folder} holds revision {notes['revision']}, not "
            f"{model.revision}. Delete that folder to have the other one fetched"
        )
    if not model.files:
        names = noted or choose_files(path.name for path in folder.glob("*"))
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


def _checked_files(model: Model, folder: Path) -> dict[str, Digest]:
    """The files of `model` that are in `folder`; those that are wrong are left for their owner."""
    digests, wrong = {}, []
    for file in model.files:
        path = folder / file.name
        if not path.exists():
            continue
        try:
            digests[file.name] = digest(path)
        except OSError as error:
            wrong.append(f"  {path}\n    cannot be read: {error.strerror}")
            continue
        if not file.accepts(digests[file.name]):
            wrong.append(f"  {path}\n    expected {file}\n    found    {digests[file.name]}")
    if not wrong:
        return digests
    too = "" if _hashes_are_known(model) else f" (and {NOTES} beside it, if the new one is meant)"
    raise ModelError(
        f"model {model.name}: not the file that is expected:\n" + "\n".join(wrong) + "\n"
        f"  Delete it{too} to have it fetched, or put the right one there.\n" + _advice(model)
    )


def _hashes_are_known(model: Model) -> bool:
    table = MODELS.get(model.name)
    return table is not None and all(file.sha256 for file in table.files)


def _missing_error(model: Model, folder: Path, reasons: list[str]) -> ModelError:
    absent = [file for file in model.files if not (folder / file.name).is_file()]
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
    model: Model, file: ModelFile, folder: Path, options: FetchOptions
) -> tuple[Digest, str]:
    """One file from the first of its sources that has it, and which that was."""
    failures = []
    for source in file.sources:
        url = _source_url(source, options.endpoint)
        try:
            fetched = fetch_file(
                url,
                folder / file.name,
                size=file.size,
                sha256=file.sha256,
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


def _with_hub_files(model: Model, folder: Path, options: FetchOptions) -> Model:
    """`model` with the files, commit and licence that the Hub's API names (`model_info`)."""
    repository, revision = hub_id(model.name), quote(model.revision or "main", safe="")
    url = f"{options.endpoint.rstrip('/')}/api/models/{repository}/revision/{revision}?blobs=true"
    try:
        info = http.read_json(url, token=options.token, timeout=options.timeout)
        listed = {entry["rfilename"]: entry for entry in info["siblings"]}
        names = choose_files(listed)
        if not names:
            raise FetchError("has no weights that transformers loads into PyTorch")
    except FetchError as error:
        raise _missing_error(model, folder, [f"{url}: {_with_hint(error)}"]) from error
    # The config comes last: a folder that a killed run left is taken for complete only with it.
    names.sort(key=lambda name: name == CONFIG)
    expected = [
        ModelFile(name, listed[name].get("size"), (listed[name].get("lfs") or {}).get("sha256"))
        for name in names
    ]
    licence = (info.get("cardData") or {}).get("license")
    commit = info["sha"]
    return replace(
        model, files=on_hub(repository, commit, *expected), revision=commit, licence=licence
    )


def _with_hint(error: FetchError) -> str:
    hint = " (no such model, or it wants HF_TOKEN)" if str(error).startswith("HTTP 401") else ""
    return f"{error}{hint}"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the model's lock; another process that has it is waited for."""
    with (folder / ".lock").open("w") as lock:
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.info("%s: waiting for another process that fetches it", folder)
                fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
            logger.warning("%s: its file system has no locks; fetch it once at a time", folder)
        yield


def _read_notes(folder: Path) -> dict[str, Any]:
    try:
        return read_json(folder / NOTES)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ModelError(f"{folder / NOTES}: broken ({error}); delete it") from error


def _write_notes(
    model: Model, digests: Mapping[str, Digest], origins: Mapping[str, str], folder: Path
) -> None:
    """Write down what the files are, and for new ones where they came from."""
    before = _read_notes(folder)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    noted = {}
    for name, file in digests.items():
        old = before.get("files", {}).get(name, {})
        same = (old.get("size"), old.get("sha256")) == (file.size, file.sha256)
        new = {**vars(file), "from": origins.get(name, BY_HAND), "at": now}
        noted[name] = old if same and name not in origins else new
    notes = {
        "model": model.name,
        "revision": model.revision,
        "licence": model.licence,
        "files": noted,
    }
    if notes == before:
        return
    try:
        write_json(notes, folder / NOTES)
    except OSError as error:
        logger.warning("%s: not written: %s", folder / NOTES, error.strerror)
