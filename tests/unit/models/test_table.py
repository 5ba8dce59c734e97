from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from talkingface.job.files import write_json
from talkingface.models.store import StoredModel, model_record, open_model
from talkingface.models.table import (
    MODELS,
    Digest,
    Model,
    ModelError,
    ModelFile,
    choose_files,
    digest,
    find_model,
    hub_id,
    models_table,
    store_name,
)

HUBERT = "TencentGameMate/chinese-hubert-large"
COMMIT = "90cb660492214f687e60f5ca509b20edae6e75bd"


def test_what_is_known_of_the_models() -> None:
    """Sizes and hashes as they were published."""
    (syncnet,) = MODELS["syncnet"].files
    assert (syncnet.name, syncnet.size) == ("syncnet_v2.model", 54_573_114)
    assert syncnet.sha256.startswith("961e8696") and syncnet.sha256.endswith("605442")
    assert syncnet.sources[0].startswith("https://www.robots.ox.ac.uk/~vgg/")
    (bisenet,) = MODELS["bisenet"].files
    assert (bisenet.name, bisenet.size) == ("79999_iter.pth", 53_289_463)
    assert bisenet.sha256.startswith("468e13ca") and bisenet.sha256.endswith("b26567")
    assert [file.name for file in MODELS["dagan"].files] == ["encoder.pth", "depth.pth"]
    assert MODELS["depth_anything"].licence == "Apache-2.0"


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_the_table_is_sound(model: Model) -> None:
    assert model.licence and model.page.startswith("https://") and model.instead
    assert len({file.name for file in model.files}) == len(model.files) > 0
    for file in model.files:
        assert re.fullmatch(r"[\w.-]+", file.name)
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
        for source in file.sources:
            assert re.match(r"https://|hf://[\w.-]+/[\w.-]+@[\w.-]+/", source)
        # What is not known by its hash comes from one place, at one commit.
        if file.sha256 is None and file.sources:
            assert len(file.sources) == 1 and re.search("@[0-9a-f]{40}/", file.sources[0])


def test_names_in_the_store() -> None:
    assert store_name("facebook/hubert-base-ls960") == "facebook--hubert-base-ls960"
    assert store_name(HUBERT) == store_name(HUBERT, COMMIT) == HUBERT.replace("/", "--")
    assert store_name(HUBERT, "refs/pr/1") == "TencentGameMate--chinese-hubert-large@refs--pr--1"
    assert store_name("a/b_c.d-1", "v1.0") == "a--b_c.d-1@v1.0"


@pytest.mark.parametrize(
    ("model_id", "revision"),
    [
        ("hubert", None),
        ("a/b/c", None),
        ("../etc/passwd", None),
        ("a/..", None),
        ("a--b/c", None),
        ("a/b c", None),
        ("a/b@c", None),
        ("", None),
        ("a/b", ""),
        ("a/b", "../../x"),
        ("a/b", "/x"),
        ("a/b", "x--y"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(model_id: str, revision: str | None) -> None:
    with pytest.raises(ModelError, match="Hugging Face|revision"):
        store_name(model_id, revision)


def test_finding_models() -> None:
    assert find_model("syncnet") is MODELS["syncnet"]
    assert find_model(store_name(HUBERT)).revision == COMMIT
    for model_id, revision in [("facebook/hubert-base-ls960", None), (HUBERT, "refs/pr/1")]:
        name = store_name(model_id, revision)
        model = find_model(name)
        assert (model.name, hub_id(name)) == (name, model_id)
        assert (model.files, model.revision) == ((), revision or "main")
        assert model.page == f"https://huggingface.co/{model_id}"
    for name in ("wav2lip", "..", "../x", "a--b/c", "syncnet@main", "a--", "a--b@", "a--b--c", ""):
        with pytest.raises(ModelError, match="syncnet, bisenet"):
            find_model(name)


def test_choosing_files() -> None:
    both = ["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5", "README.md"]
    assert choose_files(both) == ["config.json", "model.safetensors"]
    whisper = ["preprocessor_config.json", "config.json", "tokenizer.json", "pytorch_model.bin"]
    assert choose_files(whisper) == [
        "config.json",
        "preprocessor_config.json",
        "pytorch_model.bin",
    ]
    parts = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = "model.safetensors.index.json"
    assert choose_files([*parts, index, "config.json"]) == ["config.json", index, *parts]
    assert choose_files([parts[0], index, "config.json"]) == []
    assert choose_files([*parts, "config.json"]) == []
    assert choose_files(["model.safetensors"]) == []
    assert choose_files(["config.json", "flax_model.msgpack"]) == []


def test_digest(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest(tmp_path / "f") == Digest(3, expected)


def test_what_a_file_accepts() -> None:
    found = Digest(3, "ab" * 32)
    assert ModelFile("f").accepts(found)
    assert ModelFile("f", 3, "ab" * 32).accepts(found)
    assert not ModelFile("f", 4).accepts(found)
    assert not ModelFile("f", 3, "cd" * 32).accepts(found)
    assert str(ModelFile("f", 53_289_463)) == "53,289,463 bytes, sha256 unknown"


def test_a_stage_finds_its_files_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "models" / "syncnet" / "syncnet_v2.model"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"weights")
    found = {own.name: Digest(7, hashlib.sha256(b"weights").hexdigest())}
    record = model_record(MODELS["syncnet"], found)
    assert record["files"] == {own.name: {"size": 7, "sha256": found[own.name].sha256}}
    assert list(record) == ["model", "source", "revision", "licence", "files"]
    monkeypatch.chdir(tmp_path)
    write_json(record, tmp_path / "syncnet.json")
    model = open_model(["syncnet.json"], "models")
    assert model is not None and model.weights_sha256 == found[own.name].sha256
    assert model.checked_folder() == own.parent
    # Those of the record alone are loaded; where there is none, what is there.
    (own.parent / "stray.safetensors").touch()
    assert model.files == (own.name,)
    assert StoredModel("x", own.parent, "").files == ("stray.safetensors", own.name)
    own.write_bytes(b"others")
    with pytest.raises(ModelError, match=f"{own} has 6 bytes, expected 7") as error:
        model.checked_folder()
    assert "--forcerun models" in str(error.value)
    own.unlink()
    with pytest.raises(ModelError, match=f"{own} is not there"):
        model.checked_folder()
    assert open_model([], "models") is None


RECORD = {"model": "syncnet", "files": {"syncnet_v2.model": {"size": 7, "sha256": "ab"}}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        json.dumps(RECORD | {"model": "../x"}).encode(),
        json.dumps(RECORD | {"model": ".."}).encode(),
        json.dumps(RECORD | {"model": ["x"]}).encode(),
        json.dumps(RECORD | {"files": {}}).encode(),
        json.dumps(RECORD | {"files": ["x"]}).encode(),
        json.dumps(RECORD | {"files": {"../x": {"size": 1, "sha256": ""}}}).encode(),
        json.dumps(RECORD | {"files": {"x": {"size": "1", "sha256": ""}}}).encode(),
        json.dumps(RECORD | {"files": {"x": {"size": 1}}}).encode(),
    ],
    ids=lambda content: str(content[:60]),
)
def test_a_record_of_any_shape_is_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{path}: broken .*\n.*--forcerun models"):
        open_model(path, tmp_path)
    path.unlink()
    with pytest.raises(ModelError, match=f"{path}: cannot be read .No such file"):
        open_model(path, tmp_path)


def test_the_table_for_readme() -> None:
    lines = models_table().splitlines()
    assert len(lines) == 2 + len(MODELS)
    assert any("`dagan`" in line and "CC BY-NC 4.0" in line for line in lines)
