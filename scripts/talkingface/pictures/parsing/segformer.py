"""Face parsing backend `segformer`: a SegFormer of transformers (Xie et al., 2021).

Made for jonathandinu/face-parsing (B5, CelebAMask-HQ). As its page says, scores are brought to the
frame's size (bilinear), and the best one is the label. It has the labels of `parsing.LABELS` in
another order: they are known by the names in its config.json.

It labels every face that it sees, whether the landmarks have one or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import SegformerForSemanticSegmentation

from talkingface.models.table import CONFIG
from talkingface.networks.transformers_io import load_pretrained, read_settings
from talkingface.networks.weights import ADVICE
from talkingface.pictures.parsing.network import LabelNetwork
from talkingface.pictures.parsing.parsing import LABELS


def load(
    folder: str | Path,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
) -> LabelNetwork:
    """Load the model in `folder` for `device` (None: the processor), computing in `dtype`.

    Raises ValueError when it is another kind of model, has labels of other names, or its file has
    not all weights.
    """
    device = device or torch.device("cpu")
    settings = read_settings(folder)
    model = load_pretrained(folder, "segformer", SegformerForSemanticSegmentation, device, dtype)
    labels = own_labels(model.config.id2label, Path(folder, CONFIG))
    return LabelNetwork(
        lambda pictures: model(pixel_values=pictures).logits,
        settings.frame_input(device, dtype),
        settings.size,
        align_corners=False,
        labels=labels,
    )


def own_labels(names: Mapping[int, str], source: str | Path) -> list[int]:
    """The number in `parsing.LABELS` of every label of a model, given their names.

    Raises ValueError, which names `source`, for names that are not in LABELS.
    """
    unknown = sorted(set(names.values()) - set(LABELS))
    if unknown:
        raise ValueError(
            f"{source}: labels of another kind, such as {unknown[0]}; id2label must name "
            f"{', '.join(LABELS)}. {ADVICE.capitalize()}"
        )
    return [LABELS.index(names[number]) for number in range(len(names))]
