"""A model in the store: the record written beside results, and the files that it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface.models.table import Digest, Model, ModelError
from talkingface.models.untrusted import quoted, read_object

# Suffixes of the files that hold weights; the others say how they are used.
WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pth", ".model", ".onnx")
MAKE_AGAIN = (
    "  To fetch or check it again: snakemake --cores 1 --forcerun models --until models, with the "
    "settings that you use"
)

_NAME = re.compile(r"[A-Za-z0-9_.@-]+")


@dataclass(frozen=True)
class StoredModel:
    """A model that a job was given.

    `name` is that in the store, `folder` where its files lie, `weights_sha256` the hash of its
    weights, of several with a space between, `sizes` the bytes that each of its files has.
    """

    name: str
    folder: Path
    weights_sha256: str
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of its files; where no record says them, of all that are in its folder."""
        return tuple(self.sizes) or tuple(sorted(path.name for path in self.folder.iterdir()))

    def checked_folder(self) -> Path:
        """Where its files lie, which are looked at now: a video without clips needs none of them.

        Raises ModelError where a file is gone or has another size; hashes were checked when the
        model came into the store.
        """
        for name, expected in self.sizes.items():
            path = self.folder / name
            size = path.stat().st_size if path.is_file() else None
            if size != expected:
                found = "is not there" if size is None else f"has {size:,} bytes"
                raise ModelError(
                    f"model {self.name}: {path} {found}, expected {expected:,} bytes.\n{MAKE_AGAIN}"
                )
        return self.folder


def open_model(record: str | Path | Sequence[str], store: str | Path) -> StoredModel | None:
    """The model in `store` that a record says; None for no record.

    record: path of the JSON by `model_record`, or a list with it or with nothing, as rules give it.
    Raises ModelError where that is broken.
    """
    paths = [record] if isinstance(record, str | Path) else list(record)
    if not paths:
        return None
    try:
        content = read_object(paths[0])
        name = _plain_name(content.get("model"))
        files = content.get("files")
        if not isinstance(files, dict) or not files:
            raise ValueError("`files` is no object with files in it")
        sizes = {_plain_name(file): _size(file, stated) for file, stated in files.items()}
        return StoredModel(name, Path(store, name).absolute(), weights_hash(content), sizes)
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    except ValueError as error:
        reason = f"broken ({error})"
    raise ModelError(f"{paths[0]}: {reason}.\n{MAKE_AGAIN}")


def model_record(model: Model, digests: Mapping[str, Digest]) -> dict[str, Any]:
    """What a model is, to be written beside results: the same wherever its files lie.

    digests: of every one of its files, by name.
    """
    return {
        "model": model.name,
        "source": model.page,
        "revision": model.revision,
        "licence": model.licence,
        "files": {name: vars(digests[name]) for name in sorted(digests)},
    }


def weights_hash(record: Mapping[str, Any]) -> str:
    """sha256 of a model's weights, of several with a space between."""
    files = record["files"]
    return " ".join(files[name]["sha256"] for name in files if name.endswith(WEIGHT_SUFFIXES))


def _plain_name(name: Any) -> str:
    """A name that leads out of no folder."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in (".", ".."):
        raise ValueError(f"no name of a model or a file: {quoted(repr(name))}")
    return name


def _size(name: str, stated: Any) -> int:
    size = stated.get("size") if isinstance(stated, dict) else None
    if type(size) is not int or not isinstance(stated.get("sha256"), str):
        raise ValueError(f"size or sha256 of {name} are missing")
    return size
