from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from helpers import random_networks  # noqa: E402
from talkingface.networks.checkpoints import CheckpointError  # noqa: E402
from talkingface.pictures.depth import dagan, depth  # noqa: E402

HEIGHT, WIDTH = 128, 192
ON_CPU = torch.device("cpu"), torch.float32


def save(folder: Path, layers: int = 18, height: int = HEIGHT, width: int = WIDTH) -> tuple:
    encoder, decoder = random_networks.random_dagan(layers, height, width)
    torch.save(encoder, folder / "encoder.pth")
    torch.save(decoder, folder / "depth.pth")
    return encoder, decoder


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3)).astype(np.float32)
    return np.clip(128 + 700 * cv2.GaussianBlur(noise, (0, 0), 4), 0, 255).astype(np.uint8)


def measured(backend: depth.Backend, *frames: np.ndarray) -> np.ndarray:
    count = len(frames)
    nothing = np.full((count, 478, 3), np.nan, np.float32)
    return backend.run(np.stack(frames), nothing, np.zeros(count, bool))


def published_depth(
    encoder: dict, decoder: random_networks.State, layers: int, frame: np.ndarray
) -> np.ndarray:
    """dataprocess-talkingface's extract_face_depth, line by line; monodepth2's disp_to_depth."""
    rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    feed = encoder["width"], encoder["height"]
    rgb = cv2.resize(rgb, feed, interpolation=cv2.INTER_AREA)
    given = random_networks.pictures_of([rgb], (0, 0, 0), (1, 1, 1))
    with torch.inference_mode():
        disparity = random_networks.dagan_disparity(encoder, decoder, layers, given)
        disparity = F.interpolate(
            disparity, size=frame.shape[:2], mode="bilinear", align_corners=False
        )
    least, most = 1 / 100, 1 / 0.1
    return (1 / (least + (most - least) * disparity)).squeeze().numpy()


@pytest.mark.parametrize("layers", [18, 50])
def test_depth_is_that_of_dataprocess_talkingface(layers: int, tmp_path: Path) -> None:
    encoder, decoder = save(tmp_path, layers)
    frame = picture(300, 256)
    expected = published_depth(encoder, decoder, layers, frame)
    assert expected.max() > 1.3 * expected.min() and 0.1 < expected.min() < expected.max() < 100
    found = measured(dagan.load(tmp_path, *ON_CPU), frame)
    assert found.dtype == np.float32 and found.shape == (1, 300, 256)
    np.testing.assert_allclose(1 / found[0], expected, rtol=1e-3)


def test_names_and_shapes_are_monodepth2s(tmp_path: Path) -> None:
    encoder, decoder = random_networks.random_dagan(50, 256, 256)
    own = dagan.DepthDecoder([64, 256, 512, 1024, 2048]).state_dict()
    assert {n: v.shape for n, v in own.items()} == {n: v.shape for n, v in decoder.items()}
    assert len(own) == 28
    # monodepth2's ResNet-50 has 320 entries with its classifier, as torchvision's.
    assert len(encoder) - 3 == 320


def test_a_batch_and_limits(tmp_path: Path) -> None:
    save(tmp_path, height=64, width=64)
    backend = dagan.load(tmp_path, *ON_CPU)
    frames = [picture(96, 80, seed) for seed in range(3)]
    backend.batches.size = 3
    together = measured(backend, *frames)
    for frame, found in zip(frames, together, strict=True):
        np.testing.assert_allclose(measured(backend, frame)[0], found, rtol=1e-4)
    limits = backend.limits(np.empty((0, 478, 3)), np.zeros(0, bool))
    assert limits == pytest.approx((0.01, 10))
    assert limits[0] <= together.min() < together.max() <= limits[1]


def test_pictures_and_their_record_give_the_depth_back(tmp_path: Path) -> None:
    save(tmp_path, height=64, width=64)
    backend = dagan.load(tmp_path, *ON_CPU)
    found = measured(backend, *(picture(96, 80, seed) for seed in range(2)))
    limits = backend.limits(np.empty((0, 478, 3)), np.zeros(0, bool))
    scale = depth.write_maps(found, tmp_path / "c", limits, nearer_is_smaller=False)
    for number, own in enumerate(found, 1):
        values = depth.read_map(tmp_path / "c" / f"{number:06d}.png")
        assert (values > 0).all()
        order = np.argsort(own, axis=None)
        assert (np.diff(values.ravel()[order].astype(int)) >= 0).all()  # nearer is larger
        inverse = scale.offset + scale.scale * values.astype(float)
        np.testing.assert_allclose(1 / inverse, 1 / own, rtol=1e-3)


def test_it_says_what_its_numbers_are(tmp_path: Path) -> None:
    save(tmp_path, height=64, width=64)
    backend = dagan.load(tmp_path, *ON_CPU)
    assert (backend.name, backend.nearer_is_smaller, backend.needs_frames) == ("dagan", False, True)
    assert "1 / quantity" in backend.quantity


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda e, d: e.pop("height"), r"encoder\.pth: height None and width 192"),
        (lambda e, d: e.update(width=100), r"encoder\.pth: height 128 and width 100.*32"),
        (lambda e, d: e.pop("encoder.layer2.0.bn1.bias"), r"encoder\.pth: not the weights of"),
        (lambda e, d: e.update(more=torch.ones(1)), r"encoder\.pth: not the weights.*among.*more"),
        (lambda e, d: [e.pop(n) for n in list(e) if "layer4" in n], r"encoder\.pth: no ResNet"),
        (lambda e, d: d.pop("decoder.3.conv.conv.bias"), r"depth\.pth: not the weights of Dep"),
        (
            lambda e, d: d.update({"decoder.0.conv.conv.weight": torch.zeros(256, 2048, 3, 3)}),
            r"depth\.pth: not the weights of DepthDecoder: 1 of 28",
        ),
    ],
)
def test_other_files_are_refused(
    change: Callable[[dict, dict], Any], message: str, tmp_path: Path
) -> None:
    encoder, decoder = random_networks.random_dagan(18, HEIGHT, WIDTH)
    change(encoder, decoder)
    torch.save(encoder, tmp_path / "encoder.pth")
    torch.save(decoder, tmp_path / "depth.pth")
    with pytest.raises(ValueError, match=message + r".*fetch it again"):
        dagan.load(tmp_path, *ON_CPU)


def test_no_file(tmp_path: Path) -> None:
    save(tmp_path)
    (tmp_path / "depth.pth").unlink()
    with pytest.raises(CheckpointError, match=r"depth\.pth: no such file"):
        dagan.load(tmp_path, *ON_CPU)
