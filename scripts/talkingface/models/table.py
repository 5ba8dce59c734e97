"""The models of the learned backends: their files, where these come from, and their hashes.

The store is a folder with one folder a model. A model is called as its backend is (`syncnet`), or,
where the config names any model of Hugging Face, as that one with `--` for `/`
(`facebook--hubert-base-ls960`), or where the files are the user's own, by their hash
(`syncnet@0a1b2c3d4e5f`). Every file is known by its sha256. Where the table has none, the
one found first is noted in `model.json` beside the files, and another is refused from then on.
Light: the Snakefile imports this.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from talkingface.models.untrusted import open_plain

HUB = "https://huggingface.co"
# By so many digits of its sha256 the folder of a file of one's own is called.
OWN_DIGITS = 12
# What a model of the Hub is loaded from: one of these sets of weights, the first that is there.
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
# Where these are several files, which weight is in which.
INDEX_SUFFIX = ".index.json"
CONFIG = "config.json"
OPTIONAL_FILES = ("preprocessor_config.json", "processor_config.json")

_ID = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_REVISION = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


class ModelError(Exception):
    """A model cannot be used; the message says which file goes where, and how to do without."""


@dataclass(frozen=True)
class Digest:
    """What a file is: its size in bytes and its sha256."""

    size: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.size:,} bytes, sha256 {self.sha256}"


@dataclass(frozen=True)
class ModelFile:
    """One file of a model, and what it must be; None where that is not known.

    `sources` are tried in turn: `https://...`, or `hf://owner/name@revision/path` for a file on
    Hugging Face (a `/` in the revision is `%2F`). Without any, the file must be put there by hand.
    """

    name: str
    size: int | None = None
    sha256: str | None = None
    sources: tuple[str, ...] = ()

    def accepts(self, found: Digest) -> bool:
        """Whether `found` is this file, as far as is known."""
        return self.size in (None, found.size) and self.sha256 in (None, found.sha256)

    def __str__(self) -> str:
        size = f"{self.size:,} bytes" if self.size is not None else "size unknown"
        return f"{size}, sha256 {self.sha256 or 'unknown'}"


@dataclass(frozen=True)
class Model:
    """A model: `files` is empty where only its repository on Hugging Face knows them.

    `page` is where a person finds it, `revision` the commit of its repository, `instead` what to
    set in the config to do without it.
    """

    name: str
    files: tuple[ModelFile, ...]
    licence: str | None
    page: str
    instead: str
    revision: str | None = None


def on_hub(repository: str, revision: str, *files: ModelFile) -> tuple[ModelFile, ...]:
    """`files` with a repository of Hugging Face as their source."""
    place = f"hf://{repository}@{quote(revision, safe='')}"
    return tuple(replace(file, sources=(f"{place}/{file.name}",)) for file in files)


def _hub_model(
    name: str, repository: str, revision: str, licence: str, instead: str, *files: ModelFile
) -> Model:
    page = f"{HUB}/{repository}"
    return Model(name, on_hub(repository, revision, *files), licence, page, instead, revision)


_WITHOUT_HUBERT = "leave hubert out of `features`"
_WITHOUT_HALLO = "leave hallo out of `exports`"
# Sizes, hashes and revisions are those that the Hub shows or that several public projects pin.
# A file has mirrors only where its hash is known.
_TABLE = (
    Model(
        "syncnet",
        (
            ModelFile(
                "syncnet_v2.model",
                54_573_114,
                "961e8696f888fce4f3f3a6c3d5b3267cf5b343100b238e79b2659bff2c605442",
                (
                    "https://www.robots.ox.ac.uk/~vgg/software/lipsync/data/syncnet_v2.model",
                    "hf://lithiumice/syncnet@main/syncnet_v2.model",
                ),
            ),
        ),
        "MIT (its code; nothing is said of the weights)",
        "https://github.com/joonson/syncnet_python",
        "sync.backend: mesh",
    ),
    Model(
        "bisenet",
        (
            ModelFile(
                "79999_iter.pth",
                53_289_463,
                "468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567",
                (
                    "hf://vivym/face-parsing-bisenet@main/79999_iter.pth",
                    "hf://ManyOtherFunctions/face-parse-bisent"
                    "@0073b233a5a3c4b1377d4dbf49245017938a72b5/79999_iter.pth",
                    "https://github.com/clibdev/face-parsing.PyTorch/releases/latest/download/"
                    "face-parsing-bisenet.pth",
                ),
            ),
        ),
        "MIT (its code); trained on CelebAMask-HQ, which is for non-commercial research",
        "https://github.com/zllrunning/face-parsing.PyTorch",
        "parsing.backend: mesh",
    ),
    _hub_model(
        "segformer",
        "jonathandinu/face-parsing",
        "1f7e152e1efbfe03ce6c2637944a1f6a41bfcd0a",
        "none stated; made from nvidia/mit-b5 and CelebAMask-HQ, both for non-commercial use",
        "parsing.backend: mesh",
        ModelFile("config.json"),
        ModelFile("preprocessor_config.json", 374),
        ModelFile("model.safetensors"),
    ),
    Model(
        "dagan",
        (ModelFile("encoder.pth"), ModelFile("depth.pth")),
        "CC BY-NC 4.0",
        "https://github.com/harlanhong/CVPR2022-DaGAN#pre-trained-checkpoint "
        "(folder depth_face_model_Voxceleb2_10w)",
        "depth.backend: mesh",
    ),
    _hub_model(
        "depth_anything",
        "depth-anything/Depth-Anything-V2-Small-hf",
        "5426e4f0f36572d16453bbda7a8389317b1bef99",
        "Apache-2.0",
        "depth.backend: mesh",
        ModelFile(
            "config.json", 950, "c56698d3643dde1f83ea2212759e6b31a22b8f827246a36dd007ee8a22b3ff75"
        ),
        ModelFile(
            "preprocessor_config.json",
            775,
            "d41175c0d889477ca8fc67191e540faef14baf6275157b3fdecf78469e6bbf84",
        ),
        ModelFile(
            "model.safetensors",
            99_173_660,
            "3152477ce0d8d6978d76b995120de97cb5b928701fd0f817769f59e249a16b70",
        ),
    ),
    _hub_model(
        "TencentGameMate--chinese-hubert-large",
        "TencentGameMate/chinese-hubert-large",
        "90cb660492214f687e60f5ca509b20edae6e75bd",
        "MIT",
        _WITHOUT_HUBERT,
        ModelFile("config.json"),
        ModelFile("preprocessor_config.json", 211),
        ModelFile("pytorch_model.bin"),
    ),
    _hub_model(
        "facebook--wav2vec2-base-960h",
        "facebook/wav2vec2-base-960h",
        "22aad52d435eb6dbaf354bdad9b0da84ce7d6156",
        "Apache-2.0",
        _WITHOUT_HALLO,
        ModelFile(
            "config.json", 1_596, "d3ec255c063d9f95057b553b19c20135b259875834a4fe9deb218a6be25b4cf3"
        ),
        ModelFile(
            "preprocessor_config.json",
            159,
            "b225d617c025463b9e157e06afea8b90dc7078fc70b013c533328423e0486b4a",
        ),
        ModelFile(
            "model.safetensors",
            377_607_901,
            "8aa76ab2243c81747a1f832954586bc566090c83a0ac167df6f31f0fa917d74a",
        ),
    ),
    Model(
        "glintr100",
        (
            ModelFile(
                "glintr100.onnx",
                260_665_334,
                "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
                (
                    "hf://fudan-generative-ai/hallo@main/face_analysis/models/glintr100.onnx",
                    "hf://DIAMONIK7777/antelopev2@main/glintr100.onnx",
                ),
            ),
        ),
        "none stated for the file; InsightFace's models are for non-commercial research only",
        "https://github.com/deepinsight/insightface/tree/master/python-package#model-zoo "
        "(antelopev2)",
        _WITHOUT_HALLO,
    ),
)
MODELS = {model.name: model for model in _TABLE}


def store_name(model_id: str, revision: str | None = None) -> str:
    """The name in the store of a model of Hugging Face, at a revision other than its usual one.

    Without `revision` it is the commit of the table, or for other models `main`. Raises ModelError
    where `model_id` is not `owner/name`.
    """
    if not _ID.fullmatch(model_id) or "--" in model_id or ".." in model_id:
        raise ModelError(f"not the name of a model of Hugging Face (owner/name): {model_id!r}")
    name = model_id.replace("/", "--")
    if revision is None or (name in MODELS and MODELS[name].revision == revision):
        return name
    if not _REVISION.fullmatch(revision) or "--" in revision or ".." in revision:
        raise ModelError(f"not a revision (branch, tag or commit) of {model_id}: {revision!r}")
    return f"{name}@{revision.replace('/', '--')}"


def own_model(name: str, sha256s: str | Sequence[str]) -> Model:
    """A model of the table whose files are the user's own, known by their `sha256s`.

    It lies in a folder of its own, so that a store has both, and what was made with one is not
    taken for the other's.
    """
    hashes = [sha256s] if isinstance(sha256s, str) else list(sha256s)
    published = MODELS[name].files
    files = (ModelFile(file.name, None, sha) for file, sha in zip(published, hashes, strict=True))
    key = f"checkpoints.{name}"
    called = f"{name}@{'-'.join(sha256[:OWN_DIGITS] for sha256 in hashes)}"
    return Model(called, tuple(files), None, f"you, by `{key}` of the settings", f"{key}: null")


def own_models(checkpoints: Mapping[str, str | Sequence[str] | None]) -> dict[str, Model]:
    """The models that have files of the user's own, by the backend that they are of.

    checkpoints: by backend the hashes of its files in the table's order, or None.
    """
    return {name: own_model(name, hashes) for name, hashes in checkpoints.items() if hashes}


def find_model(name: str, own: Iterable[Model] = ()) -> Model:
    """The model called `name` in the store: of the table, of `own`, or any of Hugging Face.

    Raises ModelError for a name that is none of these.
    """
    if name in MODELS:
        return MODELS[name]
    for model in own:
        if model.name == name:
            return model
    base, _, revision = name.partition("@")
    revision = revision.replace("--", "/")
    try:
        known = "--" in base and store_name(hub_id(name), revision or None) == name
    except ModelError:
        known = False
    if not known:
        raise ModelError(
            f"no model is called {name!r}; there are {', '.join(MODELS)}, and owner--name for any "
            "other of Hugging Face"
        )
    return Model(name, (), None, f"{HUB}/{hub_id(name)}", _WITHOUT_HUBERT, revision or "main")


def hub_id(name: str) -> str:
    """`owner/name` of a model called `owner--name` or `owner--name@revision` in the store."""
    return name.partition("@")[0].replace("--", "/", 1)


def choose_files(names: Iterable[str]) -> list[str]:
    """Of the files of a repository, those that the model is loaded from; none if some lack.

    Safetensors are preferred, one file to several, and what is for other frameworks is left.
    """
    present = set(names)
    if CONFIG not in present:
        return []
    configs = [CONFIG, *(name for name in OPTIONAL_FILES if name in present)]
    for whole in WEIGHT_FILES:
        if whole in present:
            return [*configs, whole]
        stem, suffix = whole.rsplit(".", 1)
        shards = [
            re.fullmatch(rf"{stem}-(\d{{1,5}})-of-(\d{{1,5}})\.{suffix}", name, re.ASCII)
            for name in sorted(present)
        ]
        parts = [shard for shard in shards if shard]
        complete = parts and len(parts) == int(parts[0][2])
        if f"{whole}{INDEX_SUFFIX}" in present and complete:
            return [*configs, f"{whole}{INDEX_SUFFIX}", *(part[0] for part in parts)]
    return []


def file_names(name: str) -> tuple[str, ...]:
    """The files of a model of the table."""
    return tuple(file.name for file in MODELS[name].files)


def digest(path: str | Path) -> Digest:
    """Size and sha256 of a plain file; OSError for anything else."""
    with open_plain(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Digest(file.tell(), sha256)


def models_table() -> str:
    """The models as a table in Markdown, for the docs."""
    lines = ["| model | files | from | licence |", "|---|---|---|---|"]
    for model in MODELS.values():
        files = ", ".join(f"`{file.name}`" for file in model.files)
        lines.append(f"| `{model.name}` | {files} | {model.page} | {model.licence} |")
    return "\n".join(lines) + "\n"
