"""Networks of transformers with the layout of published ones, random weights and a small size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers

# config.json of depth-anything/Depth-Anything-V2-Small-hf, with smaller numbers.
DEPTH_ANYTHING: dict[str, Any] = {
    "architectures": ["DepthAnythingForDepthEstimation"],
    "backbone": None,
    "backbone_config": {
        "architectures": ["Dinov2Model"], "hidden_size": 24, "image_size": 518,
        "model_type": "dinov2", "num_attention_heads": 2, "num_hidden_layers": 4,
        "out_features": ["stage1", "stage2", "stage3", "stage4"], "out_indices": [1, 2, 3, 4],
        "patch_size": 14, "reshape_hidden_states": False, "torch_dtype": "float32",
    },
    "fusion_hidden_size": 16, "head_hidden_size": 8, "head_in_index": -1,
    "initializer_range": 0.02, "model_type": "depth_anything",
    "neck_hidden_sizes": [8, 8, 16, 16], "patch_size": 14,
    "reassemble_factors": [4, 2, 1, 0.5], "reassemble_hidden_size": 24,
    "torch_dtype": "float32", "transformers_version": None, "use_pretrained_backbone": False,
}  # fmt: skip
# Its preprocessor_config.json.
DEPTH_ANYTHING_PREPROCESSOR = {
    "do_normalize": True, "do_pad": False, "do_rescale": True, "do_resize": True,
    "ensure_multiple_of": 14, "image_mean": [0.485, 0.456, 0.406],
    "image_processor_type": "DPTImageProcessor", "image_std": [0.229, 0.224, 0.225],
    "keep_aspect_ratio": True, "resample": 3, "rescale_factor": 0.00392156862745098,
    "size": {"height": 518, "width": 518}, "size_divisor": None,
}  # fmt: skip
# preprocessor_config.json of chinese-hubert-large, as far as it is looked at.
HUBERT_PREPROCESSOR = {
    "do_normalize": True, "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "feature_size": 1, "padding_value": 0, "return_attention_mask": True, "sampling_rate": 16000,
}  # fmt: skip


def put_depth_anything(folder: Path) -> None:
    """Write config.json, preprocessor_config.json and model.safetensors."""
    torch.manual_seed(0)
    config = transformers.DepthAnythingConfig(**DEPTH_ANYTHING)
    model = transformers.DepthAnythingForDepthEstimation(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight += 0.1 * torch.randn_like(weight)
            if name == "head.conv3.bias":
                weight += 20  # far from 0, where the network cuts off
    model.save_pretrained(folder)
    # What transformers writes today has other words for the same.
    (folder / "config.json").write_text(json.dumps(DEPTH_ANYTHING))
    (folder / "preprocessor_config.json").write_text(json.dumps(DEPTH_ANYTHING_PREPROCESSOR))


def put_hubert(folder: Path, published_size: int) -> None:
    """Write config.json, preprocessor_config.json of the published size in bytes, and
    pytorch_model.bin of a HuBERT of the large kind with 2 layers of width 32."""
    config = transformers.HubertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        conv_dim=[32] * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
        feat_extract_norm="layer", do_stable_layer_norm=True,
    )  # fmt: skip
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(transformers.HubertModel(config).state_dict(), folder / "pytorch_model.bin")
    config.to_json_file(folder / "config.json")
    preprocessor = json.dumps(HUBERT_PREPROCESSOR).ljust(published_size)
    assert len(preprocessor) == published_size
    (folder / "preprocessor_config.json").write_text(preprocessor)
