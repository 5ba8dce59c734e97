"""Networks of transformers for pictures, from a folder as Hugging Face has them.

Without a network and without running code from the folder. Importing this takes seconds.
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
from talkingface.networks.frames import FrameInput
from talkingface.networks.weights import ADVICE

PREPROCESSOR = "preprocessor_config.json"
# Pillow's numbers, which `resample` is one of.
RESIZES = {2: "bilinear", 3: "bicubic"}


@dataclass(frozen=True)
class PictureSettings:
    """What preprocessor_config.json asks for; see transformers' image processors."""

    size: tuple[int, int]
    resize: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    keep_aspect_ratio: bool = False
    multiple: int = 1

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """The height and width that a frame is given: DPTImageProcessor's choice.

        Where the ratio is kept, the side that changes less decides; then both are made multiples.
        """
        scales = self.size[0] / height, self.size[1] / width
        if self.keep_aspect_ratio:
            scales = (min(scales, key=lambda scale: abs(1 - scale)),) * 2
        sides = (side * scale for side, scale in zip((height, width), scales, strict=True))
        chosen = [max(1, round(side / self.multiple)) * self.multiple for side in sides]
        return chosen[0], chosen[1]

    def frame_input(self, device: torch.device, dtype: torch.dtype) -> FrameInput:
        """What makes the network's input."""
        return FrameInput(self.resize, self.mean, self.std, device, dtype)


def read_settings(folder: str | Path) -> PictureSettings:
    """The picture settings of a model; ValueError for what is not done here."""
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
    return PictureSettings(
        (size["height"], size["width"]),
        RESIZES[values["resample"]],
        tuple(values["image_mean"]),
        tuple(values["image_std"]),
        bool(values.get("keep_aspect_ratio")),
        values.get("ensure_multiple_of") or 1,
    )


def load_pretrained(
    folder: str | Path, kind: str, model_class: Any, device: torch.device, dtype: torch.dtype
) -> Any:
    """The model in `folder`, of transformers' `model_class` and model type `kind`.

    Raises ValueError when it is another kind of model, or its file has not all weights or others.
    """
    folder = Path(folder)
    transformers.utils.logging.disable_progress_bar()
    local = {"local_files_only": True, "trust_remote_code": False}
    found = read_json(folder / CONFIG).get("model_type")
    if found != kind:
        raise ValueError(f"{folder / CONFIG}: a model of type {found}, not {kind}; {ADVICE}")
    try:
        model, info = model_class.from_pretrained(
            folder, dtype=dtype, output_loading_info=True, weights_only=True, **local
        )
    except MemoryError:
        raise
    except Exception as error:  # what a broken or other file raises depends on its format
        first = (str(error).splitlines() or [""])[0]
        raise ValueError(
            f"{folder}: its weights cannot be loaded ({type(error).__name__}: {first}); {ADVICE}"
        ) from error
    names = ("missing_keys", "unexpected_keys", "mismatched_keys")
    wrong = sorted(str(name) for group in names for name in info.get(group, ()))
    if wrong:
        raise ValueError(
            f"{folder}: {len(wrong)} of its weights are missing, unknown or of another shape, "
            f"such as {wrong[0]}; {ADVICE}"
        )
    return model.eval().requires_grad_(False).to(device)
