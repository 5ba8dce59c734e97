from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from helpers import random_syncnet  # noqa: E402
from talkingface.networks.devices import number_format  # noqa: E402
from talkingface.sync.syncnet.network import Embedder, SyncNet, load_embedder, read_network  # noqa: E402


def crops(count: int, seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, 224, 224, 3), np.uint8))


def mfcc(rows: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10, (rows, 13))


def windows(pictures: list[np.ndarray]) -> torch.Tensor:
    """Windows as syncnet_python stacks them."""
    video = torch.from_numpy(np.stack(pictures).astype(np.float32)).permute(3, 0, 1, 2)
    return torch.stack([video[:, f : f + 5] for f in range(len(pictures) - 4)])


@pytest.fixture(scope="module")
def state() -> random_syncnet.State:
    return random_syncnet.random_state()


def test_names_and_shapes_are_the_published_ones(state: random_syncnet.State) -> None:
    own = SyncNet().state_dict()
    own = {name: value for name, value in own.items() if "num_batches_tracked" not in name}
    assert {n: v.shape for n, v in own.items()} == {n: v.shape for n, v in state.items()}


def test_the_file_is_as_large_as_the_published_one(tmp_path: Path) -> None:
    """In the format of its time, whose overhead differs by a few hundred bytes by version."""
    own = SyncNet().state_dict()
    own = OrderedDict((n, v) for n, v in own.items() if "num_batches_tracked" not in n)
    torch.save(own, tmp_path / "m.model", _use_new_zipfile_serialization=False)
    assert abs((tmp_path / "m.model").stat().st_size - 54_573_114) < 1000


def test_the_network_is_the_published_one(state: random_syncnet.State) -> None:
    network = read_network(state, "memory")
    lips = windows(crops(6))
    sounds = torch.from_numpy(mfcc(28).astype(np.float32)).T.unfold(1, 20, 4).transpose(0, 1)
    sounds = sounds[:, None]
    with torch.inference_mode():
        for branch, ours, given in (
            ("lip", network.forward_lip, lips),
            ("aud", network.forward_aud, sounds),
        ):
            expected = random_syncnet.embedding(state, branch, given)
            assert expected.abs().mean() > 0.05
            torch.testing.assert_close(ours(given), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("zip_format", [True, False])
def test_a_loaded_checkpoint_embeds_as_published(
    state: random_syncnet.State, zip_format: bool, tmp_path: Path
) -> None:
    path = tmp_path / "syncnet_v2.model"
    torch.save(OrderedDict(state), path, _use_new_zipfile_serialization=zip_format)
    network = load_embedder(path, torch.device("cpu"), torch.float32)
    pictures = crops(7)
    rows = mfcc(16 + 4 * 3)
    with torch.inference_mode():
        lips = random_syncnet.embedding(state, "lip", windows(pictures)).numpy()
        given = np.stack([rows[4 * f : 4 * f + 20].T for f in range(3)]).astype(np.float32)
        sounds = random_syncnet.embedding(state, "aud", torch.from_numpy(given)[:, None]).numpy()
    ours = network.lips([pictures[f : f + 5] for f in range(3)])
    assert ours.dtype == np.float32 and ours.shape == (3, 1024)
    np.testing.assert_allclose(ours, lips, atol=5e-6)
    np.testing.assert_allclose(network.sounds(rows), sounds, atol=5e-6)


def test_batches_do_not_mix(state: random_syncnet.State) -> None:
    network = Embedder(read_network(state, "memory"), torch.device("cpu"), torch.float32)
    pictures = crops(8)
    batch = [pictures[f : f + 5] for f in range(4)]
    alone = [network.lips([window]) for window in batch]
    together = network.lips(batch)
    np.testing.assert_allclose(together, np.concatenate(alone), atol=5e-6)
    np.testing.assert_allclose(network.lips(batch[2:]), together[2:], atol=5e-6)


def test_bfloat16_is_near(state: random_syncnet.State) -> None:
    network = read_network(state, "memory")
    exact, rough = (
        Embedder(network, torch.device("cpu"), number_format(name))
        for name in ("float32", "bfloat16")
    )
    part = [crops(5)]
    difference = np.linalg.norm(exact.lips(part) - rough.lips(part))
    assert 0 < difference < 0.05 * np.linalg.norm(exact.lips(part))


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("netfclip.3.bias"),
        lambda state: state.update(extra=torch.zeros(1)),
        lambda state: state.update({"netcnnaud.0.weight": torch.zeros(64, 1, 5, 5)}),
        lambda state: state.update({"netfcaud.0.bias": 3}),
    ],
    ids=["missing", "unknown", "shape", "no tensor"],
)
def test_another_checkpoint_is_refused(state: random_syncnet.State, change, tmp_path: Path) -> None:
    other = dict(state)
    change(other)
    torch.save(other, tmp_path / "other.model")
    # 88 published ones, and the counters of 14 batch normalisations.
    message = r"other\.model: not the weights of SyncNet: 1 of 102"
    with pytest.raises(ValueError, match=message):
        load_embedder(tmp_path / "other.model", torch.device("cpu"), torch.float32)
