from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil  # noqa: E402

from talkingface.faces.landmark_files import Landmarks  # noqa: E402
from talkingface.media.clip_files import Clip  # noqa: E402
from talkingface.media.video import bgr_frames, limited_yuv420p  # noqa: E402
from talkingface.media.writer import VideoWriter  # noqa: E402
from talkingface.pictures.depth import depth, depth_anything  # noqa: E402

ON_CPU = torch.device("cpu"), torch.float32
# config.json and preprocessor_config.json of depth-anything/Depth-Anything-V2-Small-hf.
SMALL: dict[str, Any] = {
    "architectures": ["DepthAnythingForDepthEstimation"],
    "backbone": None,
    "backbone_config": {
        "architectures": ["Dinov2Model"], "hidden_size": 384, "image_size": 518,
        "model_type": "dinov2", "num_attention_heads": 6,
        "out_features": ["stage3", "stage6", "stage9", "stage12"], "out_indices": [3, 6, 9, 12],
        "patch_size": 14, "reshape_hidden_states": False, "torch_dtype": "float32",
    },
    "fusion_hidden_size": 64, "head_hidden_size": 32, "head_in_index": -1,
    "initializer_range": 0.02, "model_type": "depth_anything",
    "neck_hidden_sizes": [48, 96, 192, 384], "patch_size": 14,
    "reassemble_factors": [4, 2, 1, 0.5], "reassemble_hidden_size": 384,
    "torch_dtype": "float32", "transformers_version": None, "use_pretrained_backbone": False,
}  # fmt: skip
TINY = SMALL | {
    "backbone_config": SMALL["backbone_config"]
    | {
        "hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 4,
        "out_features": ["stage1", "stage2", "stage3", "stage4"], "out_indices": [1, 2, 3, 4],
    },
    "fusion_hidden_size": 16, "head_hidden_size": 8, "neck_hidden_sizes": [8, 8, 16, 16],
    "reassemble_hidden_size": 24,
}  # fmt: skip
PREPROCESSOR = {
    "do_normalize": True, "do_pad": False, "do_rescale": True, "do_resize": True,
    "ensure_multiple_of": 14, "image_mean": [0.485, 0.456, 0.406],
    "image_processor_type": "DPTImageProcessor", "image_std": [0.229, 0.224, 0.225],
    "keep_aspect_ratio": True, "resample": 3, "rescale_factor": 0.00392156862745098,
    "size": {"height": 518, "width": 518}, "size_divisor": None,
}  # fmt: skip


def save(folder: Path, config: dict[str, Any] = TINY) -> Any:
    torch.manual_seed(0)
    model = transformers.DepthAnythingForDepthEstimation(
        transformers.DepthAnythingConfig(**config)
    ).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if config is TINY:
                weight += 0.1 * torch.randn_like(weight)
            if name == "head.conv3.bias":
                weight += 20  # far from 0, where the network cuts off
    model.save_pretrained(folder)
    # What transformers writes today has other words for the same.
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return model


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3)).astype(np.float32)
    return np.clip(128 + 700 * cv2.GaussianBlur(noise, (0, 0), 4), 0, 255).astype(np.uint8)


def measured(backend: depth.Backend, *frames: np.ndarray) -> np.ndarray:
    count = len(frames)
    nothing = np.full((count, 478, 3), np.nan, np.float32)
    return backend.run(np.stack(frames), nothing, np.zeros(count, bool))


def published_depth(model: Any, folder: Path, frame: np.ndarray) -> np.ndarray:
    """The model's page: processor, model, `post_process_depth_estimation`, which is a method of
    the processor that needs torchvision; its one line is here."""
    processor = DPTImageProcessorPil.from_pretrained(folder)
    inputs = processor(images=frame[..., ::-1], return_tensors="pt")
    with torch.no_grad():
        found = model(**inputs).predicted_depth
        found = torch.nn.functional.interpolate(
            found.unsqueeze(1), size=frame.shape[:2], mode="bicubic", align_corners=False
        )
    return found.squeeze().numpy()


@pytest.mark.parametrize("size", [(512, 512), (360, 640), (640, 360)])
def test_depth_is_that_of_its_page(size: tuple[int, int], tmp_path: Path) -> None:
    model = save(tmp_path)
    frame = picture(*size)
    expected = published_depth(model, tmp_path, frame)
    found = measured(depth_anything.load(tmp_path, *ON_CPU), frame)
    assert found.dtype == np.float32 and found.shape == (1, *size)
    span = expected.max() - expected.min()
    assert span > 0.1
    difference = np.abs(found[0] - expected) / span
    assert difference.mean() < 1e-3 and difference.max() < 2e-2


def test_the_file_has_the_size_of_the_published_one(tmp_path: Path) -> None:
    save(tmp_path, SMALL)
    assert (tmp_path / "model.safetensors").stat().st_size == 99_173_660
    frame = picture(126, 126)
    settings = PREPROCESSOR | {"size": {"height": 126, "width": 126}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    assert np.isfinite(measured(depth_anything.load(tmp_path, *ON_CPU), frame)).all()


def test_a_batch_gives_what_each_frame_gives(tmp_path: Path) -> None:
    save(tmp_path)
    backend = depth_anything.load(tmp_path, *ON_CPU)
    frames = [picture(256, 256, seed) for seed in range(3)]
    backend.batches.size = 3
    together = measured(backend, *frames)
    for frame, found in zip(frames, together, strict=True):
        np.testing.assert_allclose(measured(backend, frame)[0], found, rtol=1e-4)


def test_a_clips_pictures_give_back_what_was_measured(tmp_path: Path) -> None:
    """On one scale for the clip, which is known only at its end."""
    save(tmp_path)
    settings = PREPROCESSOR | {"size": {"height": 126, "width": 126}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    backend = depth_anything.load(tmp_path, *ON_CPU)
    film = tmp_path / "clip.mp4"
    with VideoWriter(film, 128, 96, preset="superfast", crf=18) as writer:
        for seed in range(9):
            image = av.VideoFrame.from_ndarray(picture(96, 128, seed), "bgr24")
            writer.write(limited_yuv420p(image))
    frames = [image for _, image in bgr_frames(film)]
    count, (height, width) = len(frames), frames[0].shape[:2]
    nobody = Landmarks(
        np.full((count, 478, 3), np.nan, np.float32),
        np.full((count, 68, 2), np.nan, np.float32),
        np.zeros(count, bool),
    )
    folder, record = tmp_path / "clip", tmp_path / "clip.json"
    clip = Clip("clip", count, width, height, tmp_path)
    depth.write_depth(backend, clip, nobody, folder, record)
    values = json.loads(record.read_text())
    assert values["backend"] == "depth_anything" and "larger is nearer" in values["quantity"]
    assert values["scale"] > 0
    expected = np.concatenate([measured(backend, frame) for frame in frames])
    for number, own in enumerate(expected, 1):
        pixels = depth.read_map(folder / f"{number:06d}.png")
        assert pixels.min() >= 1
        found = values["offset"] + values["scale"] * pixels.astype(float)
        assert np.abs(found - own).max() < 3 * values["scale"]
    ends = values["offset"] + values["scale"] * np.array([1, 65535])
    np.testing.assert_allclose(ends, [expected.min(), expected.max()], rtol=1e-3)


def test_metric_depth_is_refused(tmp_path: Path) -> None:
    save(tmp_path, TINY | {"depth_estimation_type": "metric", "max_depth": 80})
    with pytest.raises(ValueError, match=r"config\.json: a model of metric depth"):
        depth_anything.load(tmp_path, *ON_CPU)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    save(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "dpt"}))
    with pytest.raises(ValueError, match=r"config\.json: a model of type dpt"):
        depth_anything.load(tmp_path, *ON_CPU)


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    save(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(TINY | {"fusion_hidden_size": 32}))
    with pytest.raises(ValueError, match=rf"{tmp_path.name}.*fetch it again"):
        depth_anything.load(tmp_path, *ON_CPU)
