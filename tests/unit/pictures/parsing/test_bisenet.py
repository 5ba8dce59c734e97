from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import cv2  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from PIL import Image  # noqa: E402

from helpers import random_networks  # noqa: E402
from talkingface.networks.checkpoints import CheckpointError  # noqa: E402
from talkingface.pictures.parsing import bisenet  # noqa: E402

ON_CPU = torch.device("cpu"), torch.float32
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def state() -> random_networks.State:
    return random_networks.random_bisenet()


@pytest.fixture(scope="module")
def folder(state: random_networks.State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As of 2019: torch's format before 1.6."""
    folder = tmp_path_factory.mktemp("bisenet")
    torch.save(state, folder / "79999_iter.pth", _use_new_zipfile_serialization=False)
    return folder


@pytest.fixture(scope="module")
def parser(folder: Path) -> Any:
    return bisenet.load(folder, *ON_CPU)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Blurred noise of high contrast, every channel its own."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3)).astype(np.float32)
    return np.clip(128 + 700 * cv2.GaussianBlur(noise, (0, 0), 4), 0, 255).astype(np.uint8)


def published_labels(state: random_networks.State, frame: np.ndarray) -> np.ndarray:
    """test.py of face-parsing.PyTorch, whose labels are 512 x 512, but of the frame's size."""
    image = Image.fromarray(frame[..., ::-1]).resize((512, 512), Image.BILINEAR)
    given = random_networks.pictures_of([np.asarray(image)], *IMAGENET)
    with torch.inference_mode():
        scores = random_networks.bisenet_scores(state, given)
        scores = F.interpolate(scores, frame.shape[:2], mode="bilinear", align_corners=True)
    return scores.squeeze(0).numpy().argmax(0)


def labels(parser: Any, *frames: np.ndarray) -> np.ndarray:
    count = len(frames)
    with parser:
        return parser.run(list(frames), np.full((count, 478, 3), np.nan), np.zeros(count, bool))


def test_names_and_shapes_are_the_published_ones(state: random_networks.State) -> None:
    own = bisenet.BiSeNet().state_dict()
    assert len(own) == 191
    assert {n: v.shape for n, v in own.items()} == {n: v.shape for n, v in state.items()}


def test_the_file_is_as_large_as_the_published_one(tmp_path: Path) -> None:
    """In the format of its time, whose overhead for 191 tensors differs by some bytes each; the
    smallest convolution has 16 kB."""
    own = bisenet.BiSeNet().state_dict()
    torch.save(own, tmp_path / "m.pth", _use_new_zipfile_serialization=False)
    assert abs((tmp_path / "m.pth").stat().st_size - 53_289_463) < 5000


@pytest.mark.parametrize("size", [(512, 512), (320, 480), (720, 600)])
def test_labels_are_those_of_the_published_script(
    state: random_networks.State, parser: Any, size: tuple[int, int]
) -> None:
    frame = picture(*size)
    expected = published_labels(state, frame)
    assert len(np.unique(expected)) > 6
    found = labels(parser, frame)
    assert found.dtype == np.uint8 and found.shape == (1, *size)
    # Made smaller, a picture may differ by a level from Pillow's.
    assert (found[0] == expected).mean() > (0.9999 if size == (512, 512) else 0.995)


def test_a_batch_gives_what_each_frame_gives(folder: Path, parser: Any) -> None:
    batched = bisenet.load(folder, *ON_CPU)
    batched.batches.size = 2
    frames = [picture(512, 512, seed) for seed in (1, 2)]
    each = np.concatenate([labels(parser, frame) for frame in frames])
    assert (each[0] != each[1]).mean() > 0.2
    assert (labels(batched, *frames) == each).mean() > 0.9999


def test_zip_format_without_counters(
    state: random_networks.State, parser: Any, tmp_path: Path
) -> None:
    given = OrderedDict((n, v) for n, v in state.items() if "num_batches_tracked" not in n)
    torch.save(given, tmp_path / "79999_iter.pth")
    frame = picture(512, 512)
    found = labels(bisenet.load(tmp_path, *ON_CPU), frame)
    np.testing.assert_array_equal(found, labels(parser, frame))


def test_bfloat16_is_near(folder: Path, parser: Any) -> None:
    frame = picture(512, 512)
    rough = labels(bisenet.load(folder, torch.device("cpu"), torch.bfloat16), frame)
    assert 0.9 < (rough == labels(parser, frame)).mean() < 1


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("ffm.conv1.weight"),
        lambda state: state.update(extra=torch.zeros(1)),
        lambda state: state.update({"cp.arm16.conv.conv.weight": torch.zeros(128, 256, 1, 1)}),
        lambda state: state.update({"cp.resnet.bn1.bias": 3}),
    ],
    ids=["missing", "unknown", "shape", "no tensor"],
)
def test_another_checkpoint_is_refused(
    state: random_networks.State, change: Callable[[Any], Any], tmp_path: Path
) -> None:
    other = dict(state)
    change(other)
    torch.save(other, tmp_path / "79999_iter.pth")
    with pytest.raises(ValueError, match=r"79999_iter\.pth: not the weights of BiSeNet: 1 of 191"):
        bisenet.load(tmp_path, *ON_CPU)


def test_no_checkpoint_at_all(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"79999_iter\.pth: no such file"):
        bisenet.load(tmp_path, *ON_CPU)
    (tmp_path / "79999_iter.pth").write_text("<html>Sign in</html>")
    with pytest.raises(CheckpointError, match=r"79999_iter\.pth"):
        bisenet.load(tmp_path, *ON_CPU)
