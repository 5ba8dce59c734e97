from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from talkingface.networks.frames import FrameBatches, Preprocessing  # noqa: E402

CPU = torch.device("cpu")


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8 with fine and coarse structure."""
    rng = np.random.default_rng(seed)
    coarse = cv2.GaussianBlur(rng.normal(0, 1, (height, width, 3)).astype(np.float32), (0, 0), 5)
    return np.clip(128 + 800 * coarse + rng.normal(0, 20, coarse.shape), 0, 255).astype(np.uint8)


def levels(given: torch.Tensor) -> np.ndarray:
    """Back to (B, H, W, 3) BGR from 0 to 255, for a mean of 0 and a deviation of 1."""
    return given.permute(0, 2, 3, 1).flip(3).numpy() * 255


@pytest.mark.parametrize("resize", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(512, 512), (720, 1280), (300, 256), (518, 700)])
def test_frames_are_resized_as_by_pillow(resize: str, size: tuple[int, int]) -> None:
    frame = picture(*size)
    make = Preprocessing(resize, (0, 0, 0), (1, 1, 1), CPU, torch.float32)
    found = levels(make([frame, frame[::-1]], (518, 504)))
    assert found.shape == (2, 518, 504, 3)
    method = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}[resize]
    for result, given in zip(found, (frame, frame[::-1]), strict=True):
        expected = np.asarray(Image.fromarray(given).resize((504, 518), method))
        difference = np.abs(result - expected)
        assert difference.max() < 3.01 and difference.mean() < 0.05


def test_area_is_opencvs() -> None:
    frame = picture(512, 300)
    make = Preprocessing("area", (0, 0, 0), (1, 1, 1), CPU, torch.float32)
    expected = cv2.resize(frame, (192, 256), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(levels(make([frame], (256, 192)))[0], expected, atol=1e-3)


def test_normalised_rgb_of_the_device_and_dtype() -> None:
    frame = np.zeros((4, 6, 3), np.uint8)
    frame[1, 2] = 255, 102, 51  # blue, green, red
    make = Preprocessing("bilinear", (0.1, 0.2, 0.3), (0.5, 0.25, 0.125), CPU, torch.float32)
    found = make([frame], (4, 6))
    assert found.shape == (1, 3, 4, 6)
    expected = [(0.2 - 0.1) / 0.5, (0.4 - 0.2) / 0.25, (1 - 0.3) / 0.125]
    np.testing.assert_allclose(found[0, :, 1, 2], expected, rtol=1e-5)
    np.testing.assert_allclose(found[0, :, 0, 0], [-0.2, -0.8, -2.4], rtol=1e-5)
    half = Preprocessing("bilinear", (0.1, 0.2, 0.3), (0.5, 0.25, 0.125), CPU, torch.bfloat16)
    assert half([frame], (4, 6)).dtype == torch.bfloat16


def test_a_card_that_is_full_gets_fewer_frames_from_then_on() -> None:
    """Here a card has room for three frames; what runs is the library's own."""
    asked: list[int] = []

    def run(frames: Sequence[np.ndarray]) -> list[np.ndarray]:
        asked.append(len(frames))
        if len(frames) > 3:
            raise torch.OutOfMemoryError
        return [frame + 1 for frame in frames]

    batches = FrameBatches(run, CPU)
    batches.size = 8
    frames = np.arange(8 * 6, dtype=np.uint8).reshape(8, 2, 3)
    np.testing.assert_array_equal(batches(frames), frames + 1)
    assert asked == [8, 4, 2, 2, 2, 2]
    asked.clear()
    np.testing.assert_array_equal(batches(list(frames)), frames + 1)
    assert asked == [2, 2, 2, 2]


def test_a_processor_gets_two_frames_and_a_card_eight() -> None:
    for name, most in (("cpu", 2), ("cuda", 8)):
        asked: list[int] = []

        def run(frames: Sequence[np.ndarray], asked: list[int] = asked) -> Sequence[np.ndarray]:
            asked.append(len(frames))
            return frames

        FrameBatches(run, torch.device(name))(np.zeros((8, 2, 2, 3), np.uint8))
        assert asked == [most] * (8 // most)


def test_a_frame_that_does_not_fit_is_an_error() -> None:
    def run(frames: Sequence[np.ndarray]) -> list[np.ndarray]:
        raise torch.OutOfMemoryError("out of memory")

    batches = FrameBatches(run, CPU)
    batches.size = 4
    with pytest.raises(torch.OutOfMemoryError):
        batches(np.zeros((5, 2, 2, 3), np.uint8))
