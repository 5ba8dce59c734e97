"""Models of transformers, loaded from a folder as Hugging Face has them.

Nothing is fetched, no code of the folder is run, and nothing is read but the files that are named:
transformers itself takes what it finds in a folder, such as safetensors before what was hashed.
Importing this takes seconds.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from talkingface.models.table import CONFIG, INDEX_SUFFIX
from talkingface.models.untrusted import quoted, read_object
from talkingface.networks.frames import Preprocessing
from talkingface.networks.weights import ADVICE

PREPROCESSOR = "preprocessor_config.json"
# `resample` is one of Pillow's numbers.
RESIZES = {2: "bilinear", 3: "bicubic"}
# Neither fetch a file nor run one.
LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


@dataclass(frozen=True)
class PreprocessorConfig:
    """What preprocessor_config.json asks for; see transformers' image processors.

    size: height and width of the network's input. resize, mean, std: see Preprocessing.
    keep_aspect_ratio, multiple: see `input_size`.
    """

    size: tuple[int, int]
    resize: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    keep_aspect_ratio: bool = False
    multiple: int = 1

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that a frame of `height` x `width` is given, as DPTImageProcessor does.

        Where the aspect ratio is kept, the side that changes less decides; then both sides are
        rounded to multiples of `multiple`.
        """
        scales = self.size[0] / height, self.size[1] / width
        if self.keep_aspect_ratio:
            scales = (min(scales, key=lambda scale: abs(1 - scale)),) * 2
        sides = (side * scale for side, scale in zip((height, width), scales, strict=True))
        chosen = [max(1, round(side / self.multiple)) * self.multiple for side in sides]
        return chosen[0], chosen[1]

    def preprocessing(self, device: torch.device, dtype: torch.dtype) -> Preprocessing:
        """What makes the network's input of frames."""
        return Preprocessing(self.resize, self.mean, self.std, device, dtype)


def read_preprocessor_config(folder: str | Path) -> PreprocessorConfig:
    """How the model in `folder` wants its pictures.

    Raises ValueError where it wants what `Preprocessing` does not do.
    """
    path = Path(folder, PREPROCESSOR)
    values = _read_config(path)
    size = values.get("size")
    switches = [values.get(name, True) for name in ("do_resize", "do_rescale", "do_normalize")]
    if (
        not (isinstance(size, dict) and all(_is_count(size.get(s)) for s in ("height", "width")))
        or not any(values.get("resample") == number for number in RESIZES)
        or not all(switches)
        or values.get("do_pad")
        or not _is_number(values.get("rescale_factor", 1 / 255))
        or not math.isclose(values.get("rescale_factor", 1 / 255), 1 / 255)
        or not all(_are_channels(values.get(name)) for name in ("image_mean", "image_std"))
        or not _is_count(values.get("ensure_multiple_of") or 1)
    ):
        raise ValueError(
            f"{path}: pictures are to be prepared in a way that is not supported; {ADVICE}"
        )
    return PreprocessorConfig(
        (size["height"], size["width"]),
        RESIZES[values["resample"]],
        tuple(values["image_mean"]),
        tuple(values["image_std"]),
        bool(values.get("keep_aspect_ratio")),
        values.get("ensure_multiple_of") or 1,
    )


def load_pretrained(
    folder: str | Path,
    names: Collection[str],
    model_type: str,
    model_class: Any,
    device: torch.device,
    dtype: torch.dtype,
) -> Any:
    """The model in `folder`, ready to run on `device` in `dtype`.

    names: its files there. model_type: what its config.json must call it. model_class:
    transformers' class for it.
    Raises ValueError when it is another kind of model, or its file has not all weights or others.
    """
    model, info = read_pretrained(folder, names, [model_type], model_class, dtype)
    groups = ("missing_keys", "unexpected_keys", "mismatched_keys")
    misfits = sorted(str(name) for group in groups for name in info.get(group, ()))
    if misfits:
        raise ValueError(
            f"{folder}: {len(misfits)} of its weights are missing, unknown or of another shape, "
            f"such as {misfits[0]}; {ADVICE}"
        )
    return model.eval().requires_grad_(False).to(device)


def read_pretrained(
    folder: str | Path,
    names: Collection[str],
    model_types: Collection[str],
    model_class: Any,
    dtype: torch.dtype,
) -> tuple[Any, dict[str, Any]]:
    """The model in `folder`, and what transformers says of how its weights fit.

    names, model_class: see `load_pretrained`. model_types: those that it may be of.
    Raises ValueError when it is another kind of model or cannot be read.
    """
    folder = Path(folder)
    transformers.utils.logging.disable_progress_bar()
    stated = _read_config(folder / CONFIG).get("model_type")
    if not isinstance(stated, str) or stated not in model_types:
        allowed = " or ".join(model_types)
        raise ValueError(
            f"{folder / CONFIG}: a model of type {quoted(stated)}, not {allowed}; {ADVICE}"
        )
    for name in names:
        if name.endswith(INDEX_SUFFIX):
            _check_index(folder / name, names)
    with reading(folder, names) as private:
        return model_class.from_pretrained(
            private, dtype=dtype, output_loading_info=True, weights_only=True, **LOCAL
        )


@contextmanager
def reading(folder: Path, names: Collection[str]) -> Iterator[Path]:
    """A folder with links to the files of `folder` that are named, and with nothing else.

    What transformers raises over what is in it becomes a ValueError, which names `folder`.
    """
    with tempfile.TemporaryDirectory(prefix="talkingface-") as private:
        for name in names:
            Path(private, name).symlink_to((folder / name).absolute())
        try:
            yield Path(private)
        except Exception as error:  # What a broken file or another's raises depends on its format.
            # Of the machine, not of the file.
            if isinstance(error, MemoryError) or "allocate memory" in str(error):
                raise
            reason = quoted((str(error).splitlines() or [""])[0].replace(private, str(folder)))
            raise ValueError(
                f"{folder}: cannot be loaded ({type(error).__name__}: {reason}); {ADVICE}"
            ) from error


def _read_config(path: Path) -> dict[str, Any]:
    try:
        return read_object(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); {ADVICE}") from error
    except ValueError as error:
        raise ValueError(f"{path}: broken ({error}); {ADVICE}") from error


def _check_index(path: Path, names: Collection[str]) -> None:
    """That an index of several files of weights leads to no other file."""
    weights = _read_config(path).get("weight_map")
    parts = set(map(str, weights.values())) if isinstance(weights, dict) else {"nothing"}
    if not parts <= set(names):
        raise ValueError(
            f"{path}: leads to another file ({quoted(min(parts - set(names)))}); {ADVICE}"
        )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1 << 16


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 < value < 1 << 16


def _are_channels(values: Any) -> bool:
    return isinstance(values, list) and len(values) == 3 and all(map(_is_number, values))
