"""A model in the store: the record written beside results, and the files that it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface.job.files import read_json
from talkingface.models.table import Digest, Model, ModelError

# Suffixes of the files that hold weights; the others say how they are used.
WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pth", ".model")


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
                    f"model {self.name}: {path} {found}, expected {expected:,} bytes.\n"
                    "  To fetch or check it again: "
                    "snakemake --cores 1 --forcerun models --until models"
                )
        return self.folder


def open_model(record: str | Path | Sequence[str], store: str | Path) -> StoredModel | None:
    """The model in `store` that a record says; None for no record.

    record: path of the JSON by `model_record`, or a list with it or with nothing, as rules give it.
    """
    paths = [record] if isinstance(record, str | Path) else list(record)
    if not paths:
        return None
    content = read_json(paths[0])
    folder = Path(store, content["model"]).absolute()
    sizes = {name: file["size"] for name, file in content["files"].items()}
    return StoredModel(content["model"], folder, weights_hash(content), sizes)


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
