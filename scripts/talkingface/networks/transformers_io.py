"""Models of transformers that look at pictures, loaded from a folder as Hugging Face has them.

Nothing is fetched, and no code of the folder is run. Importing this takes seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from talkingface.job.files import read_json
from talkingface.models.table import CONFIG
from talkingface.networks.frames import Preprocessing
from talkingface.networks.weights import ADVICE

PREPROCESSOR = "preprocessor_config.json"
# `resample` is one of Pillow's numbers.
RESIZES = {2: "bilinear", 3: "bicubic"}


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
    values = read_json(path)
    size = values.get("size")
    switches = [values.get(name, True) for name in ("do_resize", "do_rescale", "do_normalize")]
    if (
        not (isinstance(size, dict) and {"height", "width"} <= set(size))
        or values.get("resample") not in RESIZES
        or not all(switches)
        or values.get("do_pad")
        or not math.isclose(values.get("rescale_factor", 1 / 255), 1 / 255)
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
    folder: str | Path, model_type: str, model_class: Any, device: torch.device, dtype: torch.dtype
) -> Any:
    """The model in `folder`, ready to run on `device` in `dtype`.

    model_type: what its config.json must call it. model_class: transformers' class for it.
    Raises ValueError when it is another kind of model, or its file has not all weights or others.
    """
    folder = Path(folder)
    transformers.utils.logging.disable_progress_bar()
    local = {"local_files_only": True, "trust_remote_code": False}
    stated = read_json(folder / CONFIG).get("model_type")
    if stated != model_type:
        raise ValueError(f"{folder / CONFIG}: a model of type {stated}, not {model_type}; {ADVICE}")
    try:
        model, info = model_class.from_pretrained(
            folder, dtype=dtype, output_loading_info=True, weights_only=True, **local
        )
    except MemoryError:
        raise
    except Exception as error:  # What a broken file or another's raises depends on its format.
        first = (str(error).splitlines() or [""])[0]
        raise ValueError(
            f"{folder}: its weights cannot be loaded ({type(error).__name__}: {first}); {ADVICE}"
        ) from error
    groups = ("missing_keys", "unexpected_keys", "mismatched_keys")
    misfits = sorted(str(name) for group in groups for name in info.get(group, ()))
    if misfits:
        raise ValueError(
            f"{folder}: {len(misfits)} of its weights are missing, unknown or of another shape, "
            f"such as {misfits[0]}; {ADVICE}"
        )
    return model.eval().requires_grad_(False).to(device)
