"""Batches, of numpy arrays and of tensors, in this process and in others."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import pytest

from helpers.numbered_results import NumberedClip, numbered_results
from talkingface.loader import ITEMS, TalkingFaceDataset, collate

ITEMS_OF_ALL = ["frames", "audio", "landmarks", "hubert", "mfcc", "background", "speech"]


def test_windows(results):
    dataset = TalkingFaceDataset(results, "train", list(ITEMS)[:-1], n_frames=5, layers=[0])
    samples = [dataset[i] for i in (0, 1)]
    batch = collate(samples)
    for name in dataset.items:
        assert batch[name].shape == (2, *samples[0][name].shape)
        assert batch[name].dtype == samples[0][name].dtype
        for element, sample in zip(batch[name], samples, strict=True):
            assert np.array_equal(element, sample[name], equal_nan=element.dtype.kind == "f")
    assert batch["lengths"].tolist() == [5, 5] and batch["mask"].tolist() == [[True] * 5] * 2
    assert batch["clip_id"] == ["a_000100_000160_00", "a_000300_000333_00"]
    assert batch["start"].tolist() == [sample["start"] for sample in samples]


def test_clips_of_unequal_length(results):
    dataset = TalkingFaceDataset(results, "train", ITEMS_OF_ALL, n_frames=None)
    samples = [dataset[i] for i in range(2)]
    for sample in samples:
        sample["hubert"] = sample["hubert"].astype(np.float32)
    batch = collate(samples)
    assert batch["lengths"].tolist() == [60, 33] and batch["lengths"].dtype == np.int64
    assert batch["mask"].shape == (2, 60)
    assert batch["mask"].sum(axis=1).tolist() == [60, 33] and batch["mask"][1, :33].all()
    shapes = {
        "frames": (2, 60, 32, 64, 3), "audio": (2, 38_400), "landmarks": (2, 60, 478, 3),
        "hubert": (2, 3, 120, 5), "mfcc": (2, 240, 39), "background": (2, 32, 64, 3),
        "speech": (2, 60),
    }  # fmt: skip
    assert {name: batch[name].shape for name in shapes} == shapes
    assert np.array_equal(batch["audio"][1, : 640 * 33], samples[1]["audio"])
    assert not batch["audio"][1, 640 * 33 :].any()
    assert np.array_equal(batch["hubert"][1, :, :66], samples[1]["hubert"])
    assert not batch["hubert"][1, :, 66:].any() and not batch["frames"][1, 33:].any()


def test_pictures_of_unequal_size(tmp_path):
    clips = [NumberedClip("a", 10), NumberedClip("b", 10, width=96)]
    folder = numbered_results(tmp_path / "results", clips)
    for name in ("frames", "background"):
        dataset = TalkingFaceDataset(folder, "train", [name], n_frames=5)
        assert dataset[1][name].shape[-2:] == (96, 3)
        with pytest.raises(ValueError, match=rf"{name} of shapes .*`clips.size`"):
            collate([dataset[0], dataset[1]])


def test_files_of_two_precisions(results):
    """In whichever order they come: a batch of float16 would have lost what float32 holds."""
    dataset = TalkingFaceDataset(results, "train", ["hubert"], n_frames=5)
    half, single = dataset[0], dataset[1]
    single["hubert"] = single["hubert"].astype(np.float32) + np.float32(1e5)
    for samples, place in (([half, single], 1), ([single, half], 0)):
        batch = collate(samples)["hubert"]
        assert batch.dtype == np.float32
        assert np.array_equal(batch[place], single["hubert"])
        assert np.array_equal(batch[1 - place], half["hubert"])


def test_two_layouts_of_mel(results):
    """Their rows stand 10 and 12.5 ms apart."""
    dataset = TalkingFaceDataset(results, "train", ["mel"], n_frames=None)
    assert [len(dataset[i]["mel"]) for i in range(3)] == [4 * 60, 4 * 33, 151]
    for pair in ((0, 2), (2, 1)):
        with pytest.raises(ValueError, match=r"mel with 3\.2 and 4 rows a frame.*`mel\.layout`"):
            collate([dataset[i] for i in pair])
    assert collate([dataset[2], dataset[2]])["mel"].shape == (2, 151, 80)
    # What somebody cut is theirs to know.
    cut = [dataset[i] | {"mel": dataset[i]["mel"][:16]} for i in (0, 2)]
    assert collate(cut)["mel"].shape == (2, 16, 80)


def test_a_batch_of_nothing():
    with pytest.raises(ValueError, match="no elements"):
        collate([])


def test_tensors_without_torch_say_what_to_install(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    sample = TalkingFaceDataset(results, "train", ["audio"], n_frames=5)[0]
    with pytest.raises(ImportError, match=r"collate\(tensors=True\).*pip install torch"):
        collate([sample], tensors=True)


def test_tensors(results):
    torch = pytest.importorskip("torch")
    dataset = TalkingFaceDataset(results, "train", ITEMS_OF_ALL, n_frames=None)
    plain, batch = collate([dataset[0]]), collate([dataset[0]], tensors=True)
    assert batch["frames"].dtype == torch.uint8 and batch["mask"].dtype == torch.bool
    assert batch["lengths"].dtype == batch["start"].dtype == torch.int64
    for name in ITEMS_OF_ALL:
        assert np.array_equal(batch[name].numpy(), plain[name], equal_nan=name == "landmarks")


@pytest.mark.parametrize(
    ("method", "number", "persistent"),
    # A process that is spawned imports PyTorch anew, which takes seconds: one of them is enough.
    [("none", 0, False), ("fork", 2, False), ("fork", 2, True), ("spawn", 1, True)],
)
def test_a_loader_of_torch(results, method, number, persistent):
    """With workers of either kind, shuffled, over two epochs: what this process reads itself."""
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader

    items = ["frames", "audio", "mfcc", "landmarks"]
    dataset = TalkingFaceDataset(results, "train", items, n_frames=5)
    workers = {} if method == "none" else {
        "num_workers": number, "multiprocessing_context": method, "persistent_workers": persistent,
    }  # fmt: skip
    loader = DataLoader(
        dataset, batch_size=2, shuffle=True, collate_fn=partial(collate, tensors=True),
        generator=torch.Generator().manual_seed(0), **workers,
    )  # fmt: skip
    starts = []
    for epoch in range(2):
        dataset.set_epoch(epoch)
        truth = {sample["clip_id"]: sample for sample in map(dataset.__getitem__, range(3))}
        seen = []
        for batch in loader:
            for i, name in enumerate(batch["clip_id"]):
                for item in items:
                    expected = truth[name][item]
                    equal = np.array_equal(
                        batch[item][i].numpy(), expected, equal_nan=expected.dtype.kind == "f"
                    )
                    assert equal, (epoch, name, item)
                assert batch["start"][i] == truth[name]["start"]
                seen.append(name)
        assert sorted(seen) == sorted(truth)
        starts.append([truth[name]["start"] for name in sorted(truth)])
    assert starts[0] != starts[1]


def test_torchs_own_collation_takes_windows(results):
    pytest.importorskip("torch")
    from torch.utils.data import default_collate

    dataset = TalkingFaceDataset(results, "train", ["frames", "pose"], n_frames=5)
    batch = default_collate([dataset[0], dataset[1]])
    assert tuple(batch["frames"].shape) == (2, 5, 32, 64, 3)
    assert batch["n_frames"].tolist() == [5, 5]
