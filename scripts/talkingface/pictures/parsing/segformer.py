"""Face parsing backend `segformer`: a SegFormer of transformers (Xie et al., 2021).

Made for jonathandinu/face-parsing (B5, CelebAMask-HQ). As its page says, scores are brought to the
frame's size (bilinear), and the best one is the label. It has the labels of `labels.LABELS` in
another order: they are known by the names in its config.json.

It labels every face that it sees, whether the landmarks have one or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import SegformerForSemanticSegmentation

from talkingface.models.table import CONFIG, file_names
from talkingface.networks.transformers_io import load_pretrained, read_preprocessor_config
from talkingface.networks.weights import ADVICE
from talkingface.pictures.parsing.labels import LABELS
from talkingface.pictures.parsing.network import LabelNetwork


def load(folder: str | Path, device: torch.device, dtype: torch.dtype) -> LabelNetwork:
    """Load the model in `folder` for `device`, computing in `dtype`.

    Raises ValueError when it is another kind of model, has labels of other names, or its file has
    not all weights.
    """
    config = read_preprocessor_config(folder)
    model = load_pretrained(
        folder,
        file_names("segformer"),
        "segformer",
        SegformerForSemanticSegmentation,
        device,
        dtype,
    )
    labels = labels_by_name(model.config.id2label, Path(folder, CONFIG))
    return LabelNetwork(
        lambda pictures: model(pixel_values=pictures).logits,
        config.preprocessing(device, dtype),
        config.size,
        align_corners=False,
        labels=labels,
    )


def labels_by_name(names: Mapping[int, str], source: str | Path) -> list[int]:
    """The number in LABELS of every label of a model, given the names of its labels.

    source: the file that an error names. Raises ValueError for names that are not in LABELS.
    """
    unknown = sorted(set(names.values()) - set(LABELS))
    if unknown:
        raise ValueError(
            f"{source}: labels of another kind, such as {unknown[0]}; id2label must name "
            f"{', '.join(LABELS)}. {ADVICE.capitalize()}"
        )
    return [LABELS.index(names[number]) for number in range(len(names))]
