from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import torch.nn.functional as F  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from transformers.models.segformer.image_processing_pil_segformer import (  # noqa: E402
    SegformerImageProcessorPil,
)

from talkingface.pictures.parsing import segformer  # noqa: E402
from talkingface.pictures.parsing.labels import LABELS  # noqa: E402

ON_CPU = torch.device("cpu"), torch.float32
# id2label of jonathandinu/face-parsing.
PUBLISHED = (
    "background", "skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear",
    "mouth", "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth",
)  # fmt: skip
PREPROCESSOR = {
    "do_normalize": True, "do_reduce_labels": False, "do_rescale": True, "do_resize": True,
    "image_mean": [0.485, 0.456, 0.406], "image_processor_type": "SegformerFeatureExtractor",
    "image_std": [0.229, 0.224, 0.225], "resample": 2, "rescale_factor": 0.00392156862745098,
    "size": {"height": 512, "width": 512},
}  # fmt: skip


def save(folder: Path, names: tuple[str, ...] = PUBLISHED) -> Any:
    """The published model in small, its classifier telling classes apart."""
    torch.manual_seed(0)
    config = transformers.SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[16, 16, 20, 32], decoder_hidden_size=32,
        num_attention_heads=[1, 2, 5, 8], id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )  # fmt: skip
    model = transformers.SegformerForSemanticSegmentation(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.1 * torch.randn_like(weight)
        model.decode_head.classifier.bias.zero_()
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return model


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3)).astype(np.float32)
    return np.clip(128 + 900 * cv2.GaussianBlur(noise, (0, 0), 6), 0, 255).astype(np.uint8)


def labels(parser: Any, *frames: np.ndarray) -> np.ndarray:
    count = len(frames)
    with parser:
        return parser.run(list(frames), np.full((count, 478, 3), np.nan), np.zeros(count, bool))


def published_labels(model: Any, folder: Path, frame: np.ndarray) -> np.ndarray:
    """The model's page: processor, model, scores to the picture's size, the best one."""
    processor = SegformerImageProcessorPil.from_pretrained(folder)
    inputs = processor(images=frame[..., ::-1], return_tensors="pt")
    with torch.no_grad():
        scores = model(**inputs).logits
        scores = F.interpolate(scores, size=frame.shape[:2], mode="bilinear", align_corners=False)
    return scores.argmax(dim=1)[0].numpy()


@pytest.mark.parametrize("size", [(512, 512), (360, 640), (700, 600)])
def test_labels_are_those_of_its_page_by_name(tmp_path: Path, size: tuple[int, int]) -> None:
    model = save(tmp_path)
    frame = picture(*size)
    expected = np.array(PUBLISHED)[published_labels(model, tmp_path, frame)]
    assert len(np.unique(expected)) > 4
    found = labels(segformer.load(tmp_path, *ON_CPU), frame)
    assert found.dtype == np.uint8 and found.shape == (1, *size)
    assert (np.array(LABELS)[found[0]] == expected).mean() > 0.995


def test_a_batch_gives_what_each_frame_gives(tmp_path: Path) -> None:
    save(tmp_path)
    parser = segformer.load(tmp_path, *ON_CPU)
    frames = [picture(512, 512, seed) for seed in range(3)]
    parser.batches.size = 3
    together = labels(parser, *frames)
    for frame, found in zip(frames, together, strict=True):
        assert (labels(parser, frame)[0] == found).mean() > 0.9999


def test_the_published_order() -> None:
    """As both projects list them."""
    names = dict(enumerate(PUBLISHED))
    assert segformer.labels_by_name(names, "config.json") == [
        0, 1, 10, 6, 4, 5, 2, 3, 7, 8, 11, 12, 13, 17, 18, 9, 15, 14, 16,
    ]  # fmt: skip
    assert segformer.labels_by_name(dict(enumerate(LABELS)), "config.json") == list(range(19))


def test_the_order_of_the_file_does_not_matter(tmp_path: Path) -> None:
    """The same network with its classes in another order, named so."""
    save(tmp_path / "a")
    save(tmp_path / "b", PUBLISHED[::-1])
    state = load_file(tmp_path / "b" / "model.safetensors")
    for name in ("decode_head.classifier.weight", "decode_head.classifier.bias"):
        state[name] = state[name].flip(0).contiguous()
    save_file(state, tmp_path / "b" / "model.safetensors", {"format": "pt"})
    frame = picture(512, 512)
    first, second = (labels(segformer.load(tmp_path / name, *ON_CPU), frame) for name in "ab")
    assert (first == second).mean() > 0.9999


def test_labels_of_other_names_are_refused(tmp_path: Path) -> None:
    save(tmp_path, (*PUBLISHED[:5], "left shoe", *PUBLISHED[6:]))
    with pytest.raises(ValueError, match=r"config\.json.*left shoe.*u_lip"):
        segformer.load(tmp_path, *ON_CPU)


def test_weights_that_are_missing_are_an_error_not_noise(tmp_path: Path) -> None:
    save(tmp_path)
    path = tmp_path / "model.safetensors"
    state = load_file(path)
    del state["decode_head.linear_fuse.weight"]
    save_file(state, path, {"format": "pt"})
    with pytest.raises(ValueError, match=r"1 of its weights.*decode_head\.linear_fuse.*fetch it"):
        segformer.load(tmp_path, *ON_CPU)
    state["decode_head.linear_fuse.weight"] = torch.zeros(2, 2, 1, 1)
    save_file(state, path, {"format": "pt"})
    with pytest.raises(ValueError, match=rf"{tmp_path.name}.*fetch it"):
        segformer.load(tmp_path, *ON_CPU)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=rf"{tmp_path.name}.*cannot be loaded.*fetch it"):
        segformer.load(tmp_path, *ON_CPU)
    path.unlink()
    with pytest.raises(ValueError, match=rf"{tmp_path.name}.*cannot be loaded"):
        segformer.load(tmp_path, *ON_CPU)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    save(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "dpt"}))
    with pytest.raises(ValueError, match=r"config\.json: a model of type dpt, not segformer"):
        segformer.load(tmp_path, *ON_CPU)
