from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers.image_utils import SizeDict  # noqa: E402
from transformers.models.dpt import image_processing_pil_dpt as dpt  # noqa: E402

from talkingface.networks.transformers_io import (  # noqa: E402
    read_preprocessor_config,
    read_pretrained,
    reading,
)

# Of depth-anything/Depth-Anything-V2-Small-hf and jonathandinu/face-parsing.
DEPTH: dict[str, Any] = {
    "do_normalize": True, "do_pad": False, "do_rescale": True, "do_resize": True,
    "ensure_multiple_of": 14, "image_mean": [0.485, 0.456, 0.406],
    "image_processor_type": "DPTImageProcessor", "image_std": [0.229, 0.224, 0.225],
    "keep_aspect_ratio": True, "resample": 3, "rescale_factor": 0.00392156862745098,
    "size": {"height": 518, "width": 518}, "size_divisor": None,
}  # fmt: skip
PARSING: dict[str, Any] = {
    "do_normalize": True, "do_reduce_labels": False, "do_rescale": True, "do_resize": True,
    "image_mean": [0.485, 0.456, 0.406], "image_processor_type": "SegformerFeatureExtractor",
    "image_std": [0.229, 0.224, 0.225], "resample": 2, "rescale_factor": 0.00392156862745098,
    "size": {"height": 512, "width": 512},
}  # fmt: skip


def write(folder: Path, values: dict[str, Any]) -> Path:
    (folder / "preprocessor_config.json").write_text(json.dumps(values))
    return folder


def test_settings_of_the_published_models(tmp_path: Path) -> None:
    found = read_preprocessor_config(write(tmp_path, DEPTH))
    assert (found.size, found.resize, found.multiple) == ((518, 518), "bicubic", 14)
    assert found.keep_aspect_ratio and found.mean == (0.485, 0.456, 0.406)
    found = read_preprocessor_config(write(tmp_path, PARSING))
    assert (found.size, found.resize, found.std) == ((512, 512), "bilinear", (0.229, 0.224, 0.225))
    for height, width in ((512, 512), (360, 640), (1, 9)):
        assert found.input_size(height, width) == (512, 512)


@pytest.mark.parametrize("keep", [True, False])
def test_sizes_are_those_of_transformers(keep: bool, tmp_path: Path) -> None:
    config = read_preprocessor_config(write(tmp_path, DEPTH | {"keep_aspect_ratio": keep}))
    rng = np.random.default_rng(0)
    sides = [(512, 512), (1920, 1080), (1080, 1920), (518, 518), (256, 1036), (1036, 259)]
    sides += [tuple(row) for row in rng.integers(60, 2500, (300, 2)).tolist()]
    for height, width in sides:
        image = np.empty((3, height, width), bool)
        chosen = dpt.get_resize_output_image_size(image, (518, 518), keep, 14)
        assert isinstance(chosen, SizeDict)
        assert config.input_size(height, width) == (chosen.height, chosen.width)


@pytest.mark.parametrize(
    "change",
    [
        {"resample": 0},
        {"do_normalize": False},
        {"do_pad": True},
        {"rescale_factor": 1.0},
        {"size": {"shortest_edge": 384}},
        {"size": 512},
        {"size": {"height": -1, "width": 512}},
        {"size": {"height": 10**30, "width": 512}},
        {"size": {"height": "512", "width": 512}},
        {"resample": [3]},
        {"rescale_factor": "1/255"},
        {"rescale_factor": 10**400},
        {"image_mean": [math.nan, 0.5, 0.5]},
        {"image_mean": None},
        {"image_mean": [0.5]},
        {"image_std": ["a", "b", "c"]},
        {"ensure_multiple_of": -14},
    ],
)
def test_what_is_not_done_here_is_an_error(change: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, DEPTH | change)
    with pytest.raises(ValueError, match=r"preprocessor_config\.json.*not supported"):
        read_preprocessor_config(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"size": ' + "9" * 5000 + "}"])
def test_a_config_of_any_shape_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(ValueError, match=r"preprocessor_config\.json: broken .*fetch it again"):
        read_preprocessor_config(tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(ValueError, match=r"preprocessor_config\.json: cannot be read .No such"):
        read_preprocessor_config(tmp_path)


@pytest.mark.parametrize("content", [{}, {"model_type": ["hubert"]}, {"model_type": "x" * 999}])
def test_a_model_type_of_any_shape_is_refused(content: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"config\.json: a model of type .*, not hubert") as error:
        read_pretrained(tmp_path, ["config.json"], ["hubert"], None, torch.float32)
    assert len(str(error.value)) < 500


def test_a_lack_of_memory_is_no_fault_of_the_file(tmp_path: Path) -> None:
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you")):
        with pytest.raises(type(error)), reading(tmp_path, []):
            raise error
    words = f"{tmp_path}: cannot be loaded .KeyError"
    with pytest.raises(ValueError, match=words), reading(tmp_path, []):
        raise KeyError("x")
