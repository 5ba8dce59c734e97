from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from talkingface.networks.checkpoints import (  # noqa: E402
    CheckpointError,
    CheckpointRefused,
    load_state_dict,
)


@pytest.fixture
def weights() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    return {
        "netcnnlip.0.weight": torch.rand(4, 3, 2, generator=generator),
        "netcnnlip.1.running_mean": torch.rand(4, generator=generator).half(),
        "netcnnlip.1.num_batches_tracked": torch.tensor(7),
    }


def assert_same(loaded: dict[str, Any], weights: dict[str, Any]) -> None:
    assert list(loaded) == list(weights)
    for name, tensor in weights.items():
        assert loaded[name].dtype == tensor.dtype and loaded[name].device.type == "cpu"
        assert torch.equal(loaded[name], tensor), name


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_torch_formats(tmp_path: Path, weights: dict[str, Any], zipped: bool) -> None:
    path = tmp_path / "w.pth"
    torch.save(OrderedDict(weights), path, _use_new_zipfile_serialization=zipped)
    assert path.read_bytes().startswith(b"PK") == zipped
    assert_same(load_state_dict(path), weights)


def test_safetensors(tmp_path: Path, weights: dict[str, Any]) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    path = tmp_path / "model.safetensors"
    safetensors.save_file(weights, path)
    loaded = load_state_dict(path)
    assert_same({name: loaded[name] for name in weights}, weights)


def test_numbers_beside_tensors_stay(tmp_path: Path, weights: dict[str, Any]) -> None:
    """monodepth2's encoders carry the size of their pictures."""
    torch.save({**weights, "height": 256, "width": 256, "use_stereo": False}, tmp_path / "e.pth")
    loaded = load_state_dict(tmp_path / "e.pth")
    assert (loaded["height"], loaded["width"], loaded["use_stereo"]) == (256, 256, False)


def test_zip_files_are_mapped_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.pth"
    torch.save({"w": torch.ones(8 << 20)}, path)  # 32 MiB
    loaded = load_state_dict(path)
    maps = Path("/proc/self/maps").read_text()
    assert str(path) in maps and loaded["w"][5] == 1


def test_a_checkpoint_of_2017(
    tmp_path: Path, weights: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As torch 0.3 wrote it under Python 2 on a GPU: syncnet_v2.model and sfd_face.pth are such."""

    def rebuilt_as_then(tensor: Any, protocol: int) -> tuple:
        own = (tensor.storage(), tensor.storage_offset(), tuple(tensor.size()), tensor.stride())
        return torch._utils._rebuild_tensor, own

    path = tmp_path / "syncnet_v2.model"
    with monkeypatch.context() as then:
        then.setattr(torch.Tensor, "__reduce_ex__", rebuilt_as_then)
        then.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
        torch.save(OrderedDict(weights), path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    for kind in (b"FloatStorage", b"HalfStorage", b"LongStorage"):
        assert b"ctorch\n" + kind in data
        data = data.replace(b"ctorch\n" + kind, b"ctorch.cuda\n" + kind)
    for text in ("storage", "cuda:0", *weights):
        unicode = b"X" + struct.pack("<I", len(text)) + text.encode()
        assert unicode in data
        data = data.replace(unicode, b"U" + bytes([len(text)]) + text.encode())
    assert b"_rebuild_tensor\n" in data
    path.write_bytes(data)
    assert_same(load_state_dict(path), weights)


class Malicious:
    """Makes a file when it is unpickled."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple:
        return shutil.copy, ("/proc/self/status", str(self.victim))


@pytest.mark.parametrize("how", ["pickle2", "pickle5", "zip", "legacy"])
def test_a_malicious_file_is_refused_and_runs_nothing(
    tmp_path: Path, weights: dict[str, Any], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not even where this variable asks for it.
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    path, victim = tmp_path / "79999_iter.pth", tmp_path / "victim"
    content = {**weights, "bias": Malicious(victim)}
    if how.startswith("pickle"):
        path.write_bytes(pickle.dumps({"bias": Malicious(victim)}, protocol=int(how[-1])))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "zip")
    with pytest.raises(CheckpointRefused, match="could run a program") as refused:
        load_state_dict(path)
    assert not victim.exists()
    assert str(path) in str(refused.value) and "Delete it" in str(refused.value)
    if how != "pickle5":
        assert "shutil.copy" in str(refused.value)
    # It is as malicious as it looks.
    if how.startswith("pickle"):
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert victim.exists()


def test_pickled_modules_are_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "m.pth")
    with pytest.raises(CheckpointRefused, match="torch.nn.modules.linear.Linear"):
        load_state_dict(tmp_path / "m.pth")


@pytest.mark.parametrize("name", ["zip.pth", "legacy.pth", "w.safetensors"])
def test_broken_files_are_named(tmp_path: Path, weights: dict[str, Any], name: str) -> None:
    path = tmp_path / name
    if name == "w.safetensors":
        pytest.importorskip("safetensors.torch").save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=name == "zip.pth")
    whole = path.read_bytes()
    page = b"<!DOCTYPE html>not found"
    for broken in (b"", whole[:20], whole[: len(whole) // 2], whole[:-3], page):
        path.write_bytes(broken)
        with pytest.raises(CheckpointError, match=str(path)):
            load_state_dict(path)
    path.unlink()
    with pytest.raises(CheckpointError, match="no such file"):
        load_state_dict(path)


def test_a_packed_file_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """Of a few kB 16 MB could come, and of some MB all memory."""
    torch.save({"w": torch.zeros(4 << 20)}, tmp_path / "whole.pth")
    path = tmp_path / "packed.pth"
    with (
        zipfile.ZipFile(tmp_path / "whole.pth") as whole,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in whole.namelist():
            packed.writestr(name, whole.read(name))
    assert path.stat().st_size < 1 << 16
    with pytest.raises(CheckpointError, match=f"{path}: .*larger than the file"):
        load_state_dict(path)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(CheckpointError, match=f"{name}: .*a pipe or a device"):
        load_state_dict(tmp_path / name)


def test_something_else_than_weights_by_name(tmp_path: Path) -> None:
    torch.save([torch.ones(2)], tmp_path / "l.pth")
    with pytest.raises(CheckpointError, match="holds a list"):
        load_state_dict(tmp_path / "l.pth")


@pytest.mark.parametrize("malicious", [False, True])
def test_transformers_unpickles_nothing_either(tmp_path: Path, malicious: bool) -> None:
    """Models of the Hub are read by from_pretrained: pytorch_model.bin, too, as weights only."""
    transformers = pytest.importorskip("transformers")
    config = transformers.HubertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_stride=(5, 2),
        conv_kernel=(10, 3),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
    )
    model = transformers.HubertModel(config).eval()
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict(), default=str))
    weights = model.state_dict()
    if malicious:
        weights["malicious"] = Malicious(tmp_path / "victim")
    torch.save(weights, tmp_path / "pytorch_model.bin")
    if malicious:
        with pytest.raises(pickle.UnpicklingError):
            transformers.AutoModel.from_pretrained(tmp_path, local_files_only=True)
        assert not (tmp_path / "victim").exists()
        return
    loaded = transformers.AutoModel.from_pretrained(tmp_path, local_files_only=True).eval()
    sound = torch.linspace(-1, 1, 800)[None]
    with torch.no_grad():
        there, back = (m(sound).last_hidden_state for m in (model, loaded))
    assert torch.allclose(there, back)
