"""What the Hub of Hugging Face says of a model: its files, its commit and its licence."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from talkingface.models.http import FetchError, read_json
from talkingface.models.notes import licence_text
from talkingface.models.table import CONFIG, Model, ModelFile, choose_files, hub_id, on_hub
from talkingface.models.untrusted import quoted

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


def info_url(model: Model, endpoint: str) -> str:
    """Where the Hub's API at `endpoint` tells of a model (`model_info`)."""
    repository, revision = hub_id(model.name), quote(model.revision or "main", safe="")
    return f"{endpoint.rstrip('/')}/api/models/{repository}/revision/{revision}?blobs=true"


def with_hub_files(model: Model, url: str, *, token: str | None, timeout: float) -> Model:
    """`model` with the files, commit and licence that the API says at `url`.

    Raises FetchError where it says nothing of them, or nothing that can be.
    """
    info = read_json(url, token=token, timeout=timeout)
    try:
        commit = _commit(info)
        files = _files(info)
    except ValueError as error:
        raise FetchError(f"answered what cannot be ({error})") from error
    card = info.get("cardData")
    # Names are one of a few patterns by this, so that none leads out of the model's folder.
    names = choose_files(files)
    if not names:
        raise FetchError("has no weights that transformers loads into PyTorch")
    # The config comes last: a folder that a killed run left is taken for complete only with it.
    names.sort(key=lambda name: name == CONFIG)
    return replace(
        model,
        files=on_hub(hub_id(model.name), commit, *(files[name] for name in names)),
        revision=commit,
        licence=licence_text(card.get("license")) if isinstance(card, dict) else None,
    )


def _commit(info: dict[str, Any]) -> str:
    commit = info.get("sha")
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise ValueError("`sha` is no commit")
    return commit


def _files(info: dict[str, Any]) -> dict[str, ModelFile]:
    siblings = info.get("siblings")
    if not isinstance(siblings, list):
        raise ValueError("`siblings` is no list of files")
    files = {}
    for entry in siblings:
        name = entry.get("rfilename") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            raise ValueError("`siblings` has something without a name")
        size, lfs = entry.get("size"), entry.get("lfs")
        sha256 = lfs.get("sha256") if isinstance(lfs, dict) else None
        if size is not None and (type(size) is not int or size < 0):
            raise ValueError(f"a size that is none: {quoted(size)}")
        if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
            raise ValueError(f"a sha256 that is none: {quoted(sha256)}")
        files[name] = ModelFile(name, size, sha256)
    return files
