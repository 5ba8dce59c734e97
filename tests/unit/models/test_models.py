"""Models fetched from a server on 127.0.0.1, or put there by hand."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.loopback import Loopback
from talkingface.job.files import read_json, write_json
from talkingface.models.models import FetchOptions, ensure_model
from talkingface.models.notes import NOTES
from talkingface.models.store import open_model
from talkingface.models.table import MODELS, Model, ModelError, ModelFile, on_hub, own_models

BODY = random.Random(1).randbytes(200_000)
CONFIG = b'{"model_type": "hubert"}'
COMMIT = "4f3e" * 10


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = Loopback()
    yield server
    server.close()


@pytest.fixture
def get(server: Loopback, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Provide a model in the store tmp_path/models; Hugging Face is the server."""

    def get(name: str, **options: Any) -> dict[str, Any]:
        options = {"endpoint": server.url, "timeout": 5, "tries": 1, "pause": 0} | options
        return ensure_model(name, tmp_path / "models", FetchOptions(**options))

    return get


@pytest.fixture
def toy(server: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A model of two known files, one of them with mirrors; its folder."""
    urls = tuple(f"{server.url}/{name}/toy.pth" for name in ("first", "second"))
    files = (
        ModelFile("toy.pth", len(BODY), sha256(BODY), (*urls, "hf://own/er@v1/dir/toy.pth")),
        ModelFile("toy.json", None, sha256(CONFIG), (f"{server.url}/toy.json",)),
    )
    model = Model("toy", files, "MIT", "https://example.org/toy", "toys.backend: none")
    monkeypatch.setitem(MODELS, "toy", model)
    for url in urls:
        server.files[url.removeprefix(server.url)] = BODY
    server.files["/toy.json"] = CONFIG
    return tmp_path / "models" / "toy"


def paths(server: Loopback) -> list[str]:
    return [seen.path for seen in server.seen]


def test_fetched_once(server, get, toy) -> None:
    record = get("toy")
    assert record == {
        "model": "toy",
        "source": "https://example.org/toy",
        "revision": None,
        "licence": "MIT",
        "files": {
            "toy.json": {"size": len(CONFIG), "sha256": sha256(CONFIG)},
            "toy.pth": {"size": len(BODY), "sha256": sha256(BODY)},
        },
    }
    assert (toy / "toy.pth").read_bytes() == BODY and (toy / "toy.json").read_bytes() == CONFIG
    assert sorted(path.name for path in toy.iterdir()) == [".lock", NOTES, "toy.json", "toy.pth"]
    notes = read_json(toy / NOTES)
    assert notes["files"]["toy.pth"]["from"] == f"{server.url}/first/toy.pth"
    assert notes["files"]["toy.pth"]["at"].startswith("20")
    before = (toy / NOTES).stat().st_mtime_ns
    assert get("toy") == record and paths(server) == ["/first/toy.pth", "/toy.json"]
    assert (toy / NOTES).stat().st_mtime_ns == before


@pytest.mark.parametrize("fault", ["missing", "cut", "other", "slow", "page"])
def test_the_next_source_is_tried(server, get, toy, fault) -> None:
    path = "/first/toy.pth"
    match fault:
        case "missing":
            del server.files[path]
        case "cut":
            server.ignores_range.add(path)
            server.cut[path] = [1000] * 5
        case "other":
            server.files[path] = bytes(len(BODY))
        case "slow":
            server.stall[path] = [0]
        case "page":
            server.types[path] = "text/html"
    get("toy", timeout=0.5)
    assert (toy / "toy.pth").read_bytes() == BODY
    notes = read_json(toy / NOTES)
    assert notes["files"]["toy.pth"]["from"] == f"{server.url}/second/toy.pth"


def test_the_hub_stands_in_the_table_by_its_name(server, get, toy) -> None:
    for name in ("first", "second"):
        del server.files[f"/{name}/toy.pth"]
    server.files["/own/er/resolve/v1/dir/toy.pth"] = BODY
    get("toy", token="secret")
    asked = {seen.path: seen.authorization for seen in server.seen}
    assert asked["/own/er/resolve/v1/dir/toy.pth"] == "Bearer secret"
    assert asked["/first/toy.pth"] is None and asked["/toy.json"] is None


def test_interrupted_and_resumed_by_the_next_try(server, get, toy) -> None:
    for name in ("first", "second"):
        server.cut[f"/{name}/toy.pth"] = [0] * 9
    server.cut["/first/toy.pth"] = [150_000, 0]
    server.files["/second/toy.pth"] = b"gone"
    with pytest.raises(ModelError, match="ended after 150,000 of 200,000 bytes"):
        get("toy")
    server.cut.clear()
    get("toy")
    assert (toy / "toy.pth").read_bytes() == BODY
    assert server.asked("/first/toy.pth")[-1].range == "bytes=150000-"


def test_one_error_says_everything(server, get, toy) -> None:
    server.status["/first/toy.pth"] = [503] * 9
    del server.files["/second/toy.pth"]
    with pytest.raises(ModelError) as error:
        get("toy")
    text = str(error.value)
    assert "model toy is missing" in text
    assert f"{toy}/toy.pth: 200,000 bytes, sha256 {sha256(BODY)}" in text
    assert f"{toy}/toy.json: size unknown, sha256 {sha256(CONFIG)}" in text
    assert f"{server.url}/first/toy.pth: HTTP 503 Service Unavailable" in text
    assert f"{server.url}/second/toy.pth: HTTP 404 Not Found" in text
    assert f"{server.url}/own/er/resolve/v1/dir/toy.pth: HTTP 404" in text
    assert "https://example.org/toy (licence: MIT)" in text
    assert "toys.backend: none" in text
    assert len(text.splitlines()) <= 12  # as many as the end of a log shows


# By hand


def put(folder: Path, **content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name.replace("__", ".")).write_bytes(data)


def test_by_hand_without_network(server, get, toy) -> None:
    put(toy, toy__pth=BODY, toy__json=CONFIG)
    record = get("toy", endpoint="http://nowhere.invalid")
    assert record["files"]["toy.pth"] == {"size": len(BODY), "sha256": sha256(BODY)}
    notes = read_json(toy / NOTES)["files"]
    assert notes["toy.pth"]["from"] == "by hand" and server.seen == []


def test_links_into_another_folder(server, get, toy, tmp_path) -> None:
    put(tmp_path / "shared", toy__pth=BODY)
    put(toy, toy__json=CONFIG)
    (toy / "toy.pth").symlink_to(tmp_path / "shared" / "toy.pth")
    get("toy")
    assert (toy / "toy.pth").is_symlink() and server.seen == []


def test_another_file_by_hand_is_refused_and_kept(server, get, toy) -> None:
    put(toy, toy__pth=b"something else")
    with pytest.raises(ModelError) as error:
        get("toy")
    text = str(error.value)
    assert f"{toy}/toy.pth" in text and "toys.backend: none" in text
    assert f"expected 200,000 bytes, sha256 {sha256(BODY)}" in text
    assert f"found    14 bytes, sha256 {sha256(b'something else')}" in text
    assert "Delete it to have it fetched" in text and "https://example.org/toy" in text
    assert (toy / "toy.pth").read_bytes() == b"something else" and server.seen == []
    (toy / "toy.pth").unlink()
    (toy / "toy.pth").mkdir()
    with pytest.raises(ModelError, match="toy.pth\n    cannot be read: a folder, not a file"):
        get("toy")


def test_dagan_is_put_there_by_hand(server, get, tmp_path) -> None:
    folder = tmp_path / "models" / "dagan"
    with pytest.raises(ModelError) as error:
        get("dagan")
    text = str(error.value)
    assert f"{folder}/encoder.pth" in text and f"{folder}/depth.pth" in text
    assert "https://github.com/harlanhong/CVPR2022-DaGAN#pre-trained-checkpoint" in text
    assert "depth_face_model_Voxceleb2_10w" in text and "depth.backend: mesh" in text
    put(folder, encoder__pth=b"encoder", depth__pth=b"depth")
    record = get("dagan")
    assert record["files"]["depth.pth"] == {"size": 5, "sha256": sha256(b"depth")}
    assert server.seen == []


def test_a_checkpoint_of_ones_own(server, get, tmp_path) -> None:
    """Its hash is given, and it lies beside the published one, not in its place."""
    own = own_models({"syncnet": sha256(b"mine"), "bisenet": None})
    assert list(own) == ["syncnet"]
    name = f"syncnet@{sha256(b'mine')[:12]}"
    path = tmp_path / "models" / name / "syncnet_v2.model"
    with pytest.raises(ModelError) as error:
        ensure_model(name, tmp_path / "models", FetchOptions(server.url), own.values())
    assert f"{path}: size unknown, sha256 {sha256(b'mine')}" in str(error.value)
    assert "Put what is missing there by hand.\n" in str(error.value)
    assert "checkpoints.syncnet: null" in str(error.value)
    put(path.parent, syncnet_v2__model=b"other")
    with pytest.raises(ModelError, match=r"Delete it and put another there\.\n") as error:
        ensure_model(name, tmp_path / "models", FetchOptions(server.url), own.values())
    assert f"found    5 bytes, sha256 {sha256(b'other')}" in str(error.value)
    put(path.parent, syncnet_v2__model=b"mine")
    record = ensure_model(name, tmp_path / "models", FetchOptions(server.url), own.values())
    assert record["model"] == name and server.seen == []
    assert record["files"] == {"syncnet_v2.model": {"size": 4, "sha256": sha256(b"mine")}}
    write_json(record, tmp_path / "record.json")
    model = open_model(tmp_path / "record.json", tmp_path / "models")
    assert model is not None and model.checked_folder() == path.parent
    with pytest.raises(ModelError, match="no model is called"):
        ensure_model(name, tmp_path / "models", FetchOptions(server.url))


def test_several_checkpoints_of_ones_own(get, tmp_path) -> None:
    hashes = [sha256(b"encoder"), sha256(b"depth")]
    own = own_models({"dagan": hashes})
    name = f"dagan@{hashes[0][:12]}-{hashes[1][:12]}"
    put(tmp_path / "models" / name, encoder__pth=b"encoder", depth__pth=b"depth")
    record = ensure_model(name, tmp_path / "models", None, own.values())
    assert [record["files"][f]["sha256"] for f in ("encoder.pth", "depth.pth")] == hashes
    assert own_models({"dagan": hashes[::-1]})["dagan"].name != name
    with pytest.raises(ValueError, match="shorter|longer"):
        own_models({"dagan": hashes[:1]})


def test_what_was_trusted_first_may_not_change(get, tmp_path) -> None:
    folder = tmp_path / "models" / "dagan"
    put(folder, encoder__pth=b"encoder", depth__pth=b"depth")
    first = get("dagan")
    since = read_json(folder / NOTES)
    put(folder, depth__pth=b"Depth")
    with pytest.raises(ModelError) as error:
        get("dagan")
    assert f"expected 5 bytes, sha256 {sha256(b'depth')}" in str(error.value)
    assert f"Delete it (and {NOTES} beside it, if the new one is meant) and" in str(error.value)
    put(folder, depth__pth=b"depth")
    assert get("dagan") == first and read_json(folder / NOTES) == since
    put(folder, depth__pth=b"Depth")
    (folder / NOTES).unlink()
    assert get("dagan")["files"]["depth.pth"]["sha256"] == sha256(b"Depth")


def test_broken_notes_and_another_revision(server, get, toy, monkeypatch) -> None:
    get("toy")
    old = read_json(toy / NOTES)
    (toy / NOTES).write_text("{")
    with pytest.raises(ModelError, match=f"{toy}/{NOTES}: broken .*; delete it"):
        get("toy")
    (toy / NOTES).write_text(json.dumps(old | {"revision": "old"}))
    with pytest.raises(ModelError, match="holds revision old, not None. Delete that folder"):
        get("toy")


# Notes and files of any shape

GOOD = {"size": 1, "sha256": "ab" * 32}
NOTES_OF_ANY_SHAPE = [
    b"",
    b"[]",
    b"null",
    b"\xff",
    b"[" * 100_000,
    b'{"files": ' + b"9" * 5000 + b"}",
    b'{"files": []}',
    b'{"files": {"config.json": []}}',
    b'{"files": {"config.json": {"size": 1}}}',
    b'{"files": {"config.json": {"size": -1, "sha256": ""}}}',
    b'{"files": {"config.json": {"size": true, "sha256": "%s"}}}' % (b"ab" * 32),
    b'{"files": {"config.json": {"size": 1, "sha256": ["%s"]}}}' % (b"ab" * 32),
    b'{"files": {"toy.pth": {"size": 1, "sha256": "AB"}}}',
    b'{"revision": 3}',
    b" " * (9 << 20),
]


@pytest.mark.parametrize("name", ["toy", "own--er"])
@pytest.mark.parametrize("notes", NOTES_OF_ANY_SHAPE, ids=lambda notes: str(notes[:40]))
def test_notes_of_any_shape(server, get, toy, name: str, notes: bytes) -> None:
    folder = toy.parent / name
    folder.mkdir(parents=True)
    (folder / NOTES).write_bytes(notes)
    with pytest.raises(ModelError, match=f"{folder}/{NOTES}: broken .*; delete it") as error:
        get(name)
    assert len(str(error.value)) < 500 and server.seen == []


def test_notes_of_several_licences_are_no_fault(get, tmp_path) -> None:
    """As the Hub has them, and as they were noted."""
    files = {"config.json": CONFIG, "model.safetensors": BODY}
    noted = {name: {"size": len(data), "sha256": sha256(data)} for name, data in files.items()}
    notes = {"model": "own--er", "revision": COMMIT, "licence": ["mit", "gpl-3.0"], "files": noted}
    folder = tmp_path / "models" / "own--er"
    put(
        folder, config__json=CONFIG, model__safetensors=BODY, model__json=json.dumps(notes).encode()
    )
    record = get("own--er")
    assert (record["licence"], record["revision"]) == ("mit, gpl-3.0", COMMIT)


NAMES = ["../../evil", "/tmp/evil", "..", "config.json/x", "evil.pth", "config.json\0", ""]


@pytest.mark.parametrize("name", NAMES)
def test_names_in_notes_lead_nowhere(server, get, hub, tmp_path, name: str) -> None:
    """Not to a file outside of the store, neither read nor written."""
    hub("own/er", **WAV2VEC)
    (tmp_path / "evil").write_text("precious")
    server.files[f"/own/er/resolve/main/{name}"] = b"new"
    folder = tmp_path / "models" / "own--er"
    for more in ({}, {"config.json": GOOD}, {"config.json": GOOD, "model.safetensors": GOOD}):
        put(folder, model__json=json.dumps({"files": more | {name: GOOD}}).encode())
        with pytest.raises(ModelError, match=f"{NOTES}: broken .*delete it"):
            get("own--er")
    assert server.seen == [] and (tmp_path / "evil").read_text() == "precious"


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
@pytest.mark.parametrize("name", ["toy.pth", NOTES, ".lock"])
def test_something_else_in_the_place_of_a_file(server, get, toy, kind: str, name: str) -> None:
    toy.mkdir(parents=True)
    match kind:
        case "pipe":
            os.mkfifo(toy / name)
        case "folder":
            (toy / name).mkdir()
        case "device":
            (toy / name).symlink_to("/dev/zero")
    with pytest.raises(ModelError) as error:
        get("toy")
    assert name in str(error.value) or (name == ".lock" and str(toy) in str(error.value))
    assert len(str(error.value).splitlines()) <= 12 and server.seen == []


def test_a_folder_that_is_none(server, get, toy) -> None:
    toy.parent.mkdir()
    toy.write_text("")
    with pytest.raises(ModelError, match=f"{toy} cannot be written to"):
        get("toy")
    toy.unlink()
    toy.parent.rmdir()
    os.mkfifo(toy.parent)
    with pytest.raises(ModelError, match=f"{toy} cannot be written to"):
        get("toy")


def test_a_lock_that_is_never_released(server, get, toy) -> None:
    toy.mkdir(parents=True)
    with (toy / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match=f"{toy}/.lock: another process has held") as error:
            get("toy", lock_patience=0.05)
        assert "End it" in str(error.value) and server.seen == []
    get("toy", lock_patience=0.05)


def test_a_lock_is_waited_for_while_something_comes(server, get, toy, monkeypatch) -> None:
    """Three times as long as nothing may change, while a file grows."""
    toy.mkdir(parents=True)
    clock, waits = [0.0], []
    with (toy / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        def sleep(seconds: float) -> None:
            clock[0] += 100
            waits.append(seconds)
            if len(waits) == 20:
                fcntl.flock(lock, fcntl.LOCK_UN)
            (toy / ".fetch-toy.pth.part").write_bytes(bytes(len(waits)))

        monkeypatch.setattr("talkingface.models.models.time.sleep", sleep)
        monkeypatch.setattr("talkingface.models.models.time.monotonic", lambda: clock[0])
        get("toy")
    assert len(waits) == 20


def test_a_lock_that_is_a_link_empties_nothing(server, get, toy, tmp_path) -> None:
    toy.mkdir(parents=True)
    (tmp_path / "victim").write_text("precious")
    (toy / ".lock").symlink_to(tmp_path / "victim")
    with pytest.raises(ModelError, match=f"{toy} cannot be written to"):
        get("toy")
    assert (tmp_path / "victim").read_text() == "precious"


# Stores that cannot be written to


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder that nobody else may write to; root becomes somebody else for the test."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield folder
        if user == 0:
            os.seteuid(user)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)


def lock_up(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        os.seteuid(65534)


def test_a_read_only_store_that_has_everything(server, toy, as_nobody, caplog) -> None:
    put(as_nobody / "toy", toy__pth=BODY, toy__json=CONFIG)
    lock_up(as_nobody)
    with caplog.at_level(logging.WARNING):
        record = ensure_model("toy", as_nobody, FetchOptions("http://nowhere.invalid", tries=1))
    assert record["files"]["toy.pth"]["sha256"] == sha256(BODY)
    assert sorted(path.name for path in (as_nobody / "toy").iterdir()) == ["toy.json", "toy.pth"]
    assert f"{NOTES}: not written: Permission denied" in caplog.text


def test_a_read_only_store_that_lacks_something(server, toy, as_nobody) -> None:
    put(as_nobody / "toy", toy__json=CONFIG)
    lock_up(as_nobody)
    with pytest.raises(ModelError) as error:
        ensure_model("toy", as_nobody, FetchOptions(server.url))
    assert f"{as_nobody}/toy cannot be written to: Permission denied" in str(error.value)
    assert f"{as_nobody}/toy/toy.pth: 200,000 bytes" in str(error.value)
    assert "toys.backend: none" in str(error.value) and server.seen == []
    with pytest.raises(ModelError, match="cannot be written to"):
        ensure_model("syncnet", as_nobody, FetchOptions(server.url))


# Any model of Hugging Face


@pytest.fixture
def hub(server: Loopback) -> Callable[..., None]:
    """Makes the server know a repository, in the form of the Hub's API."""

    def hub(name: str, revision: str = "main", small: bytes = CONFIG, **content: bytes) -> None:
        files = {key.replace("__", "."): data for key, data in content.items()}
        siblings = []
        for key, data in files.items():
            entry: dict[str, Any] = {"rfilename": key, "size": len(data), "blobId": "0" * 40}
            if not key.endswith(".json"):
                entry["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 134}
            siblings.append(entry)
            server.files[f"/{name}/resolve/{COMMIT}/{key}"] = data
        info = {
            "_id": "1",
            "id": name,
            "sha": COMMIT,
            "siblings": siblings,
            "cardData": {"license": "apache-2.0"},
            "tags": [],
        }
        path = f"/api/models/{name}/revision/{revision}"
        server.files[f"{path}?blobs=true"] = server.files[path] = json.dumps(info).encode()

    return hub


WAV2VEC = {
    "config__json": CONFIG,
    "preprocessor_config__json": b"{}",
    "pytorch_model__bin": BODY,
    "README__md": b"#",
    "vocab__json": b"{}",
}


def test_any_model_of_the_hub(server, get, hub, tmp_path) -> None:
    hub("facebook/hubert-base-ls960", **WAV2VEC, model__safetensors=BODY[::-1])
    record = get("facebook--hubert-base-ls960")
    assert record["revision"] == COMMIT and record["licence"] == "apache-2.0"
    assert record["source"] == "https://huggingface.co/facebook/hubert-base-ls960"
    assert sorted(record["files"]) == [
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
    ]
    folder = tmp_path / "models" / "facebook--hubert-base-ls960"
    assert (folder / "model.safetensors").read_bytes() == BODY[::-1]
    # All of one commit, whatever `main` is in the meantime; and known from then on.
    assert all(f"/resolve/{COMMIT}/" in path for path in paths(server)[1:])
    assert get("facebook--hubert-base-ls960", endpoint="http://nowhere.invalid") == record
    (folder / "config.json").unlink()
    assert get("facebook--hubert-base-ls960") == record
    assert paths(server)[-1] == f"/facebook/hubert-base-ls960/resolve/{COMMIT}/config.json"


def test_the_client_of_the_hub_reads_the_same(server, hub) -> None:
    """That the server of these tests speaks as the real one does."""
    hub_client = pytest.importorskip("huggingface_hub")
    hub("openai/whisper-tiny", **WAV2VEC)
    info = hub_client.HfApi(endpoint=server.url, token=False).model_info(
        "openai/whisper-tiny", revision="main", files_metadata=True
    )
    assert paths(server)[0].startswith("/api/models/openai/whisper-tiny/revision/main?")
    assert info.sha == COMMIT and info.card_data.license == "apache-2.0"
    sizes = {
        entry.rfilename: (entry.size, entry.lfs and entry.lfs.sha256) for entry in info.siblings
    }
    assert sizes["pytorch_model.bin"] == (len(BODY), sha256(BODY))
    assert sizes["config.json"] == (len(CONFIG), None)
    url = hub_client.hf_hub_url("openai/whisper-tiny", "config.json", revision="refs/pr/1")
    assert url.endswith("/openai/whisper-tiny/resolve/refs%2Fpr%2F1/config.json")


def test_another_revision_lies_in_another_folder(server, get, hub, tmp_path) -> None:
    hub("own/er", revision="refs%2Fpr%2F1", **WAV2VEC)
    assert get("own--er@refs--pr--1")["revision"] == COMMIT
    assert (tmp_path / "models" / "own--er@refs--pr--1" / "config.json").exists()


def test_a_file_of_the_hub_is_checked_by_what_the_hub_says(server, get, hub) -> None:
    hub("own/er", **WAV2VEC)
    server.files[f"/own/er/resolve/{COMMIT}/pytorch_model.bin"] = bytes(len(BODY))
    with pytest.raises(ModelError, match="another file") as error:
        get("own--er")
    assert "leave hubert out of `features`" in str(error.value)


def test_killed_between_two_files(server, get, hub, tmp_path) -> None:
    hub("own/er", **WAV2VEC)
    server.status[f"/own/er/resolve/{COMMIT}/config.json"] = [404]
    with pytest.raises(ModelError):
        get("own--er")
    whole = server.asked(f"/own/er/resolve/{COMMIT}/pytorch_model.bin")
    assert get("own--er")["revision"] == COMMIT  # and not taken for put there by hand
    assert server.asked(f"/own/er/resolve/{COMMIT}/pytorch_model.bin") == whole


def test_a_model_of_the_hub_by_hand(server, get, tmp_path) -> None:
    folder = tmp_path / "models" / "own--er"
    put(folder, config__json=CONFIG, model__safetensors=BODY, vocab__json=b"{}")
    record = get("own--er", endpoint="http://nowhere.invalid")
    assert sorted(record["files"]) == ["config.json", "model.safetensors"]
    assert record["revision"] is None and server.seen == []
    put(folder, model__safetensors=b"another")
    with pytest.raises(ModelError, match="not the file that is expected"):
        get("own--er")


def test_models_that_the_hub_does_not_give(server, get, hub, tmp_path) -> None:
    with pytest.raises(ModelError, match="HTTP 404 Not Found") as error:
        get("own--er")
    assert f"{tmp_path}/models/own--er: config.json, its preprocessor" in str(error.value)
    server.status["/api/models/own/er/revision/main"] = [401]
    with pytest.raises(ModelError, match="HTTP 401 Unauthorized .no such model, or it wants HF"):
        get("own--er")
    hub("own/er", config__json=CONFIG, tf_model__h5=BODY)
    with pytest.raises(ModelError, match="no weights that transformers loads"):
        get("own--er")
    with pytest.raises(ModelError, match="no model is called 'wav2lip'"):
        get("wav2lip")


def info(**changes: Any) -> bytes:
    """An answer of the Hub's API with something else in it."""
    siblings = [{"rfilename": "config.json"}, {"rfilename": "model.safetensors"}]
    return json.dumps({"sha": COMMIT, "siblings": siblings} | changes).encode()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"[]", "holds a list"),
        (b"{}", "`sha` is no commit"),
        (info(sha=3), "`sha` is no commit"),
        (info(sha="../../main"), "`sha` is no commit"),
        (info(siblings=None), "`siblings` is no list"),
        (info(siblings=["config.json"]), "something without a name"),
        (info(siblings=[{"rfilename": 3}]), "something without a name"),
        (info(siblings=[{"rfilename": "config.json", "size": -1}]), "a size that is none: -1"),
        (info(siblings=[{"rfilename": "x", "size": "9"}]), "a size that is none: 9"),
        (info(siblings=[{"rfilename": "x", "lfs": {"sha256": "../x"}}]), "a sha256 that is none"),
        (info(siblings=[{"rfilename": "../config.json"}]), "no weights"),
        (info(siblings=[{"rfilename": f"model-1-of-{'9' * 5000}.safetensors"}]), "no weights"),
        (b'{"sha": ' + b"[" * 100_000, "nested too deeply"),
    ],
    ids=lambda part: str(part[:50]),
)
def test_answers_of_the_hub_of_any_shape(server, get, answer: bytes, words: str) -> None:
    server.files["/api/models/own/er/revision/main"] = answer
    with pytest.raises(ModelError, match=words) as error:
        get("own--er")
    assert len(str(error.value)) < 1500 and "leave hubert out of `features`" in str(error.value)


def test_what_the_hub_says_of_files_is_taken_where_it_can_be(server, get, hub, tmp_path) -> None:
    hub("own/er", **WAV2VEC)
    path = "/api/models/own/er/revision/main"
    answer = json.loads(server.files[path])
    answer["siblings"].append({"rfilename": "../../evil", "size": 3})
    answer["cardData"] = {"license": ["mit", "\x1b[2Jother", 3]}
    server.files[path] = json.dumps(answer).encode()
    del server.files[f"{path}?blobs=true"]
    record = get("own--er")
    assert record["licence"] == "mit, [2Jother"
    assert not (tmp_path / "evil").exists() and "../../evil" not in record["files"]


def test_a_model_is_no_longer_than_it_may_be(server, get, hub, tmp_path) -> None:
    """Of what the Hub names no length for, all files together."""
    hub("own/er", **WAV2VEC)
    path = "/api/models/own/er/revision/main"
    del server.files[f"{path}?blobs=true"]
    server.files[path] = info(siblings=[{"rfilename": name} for name in (
        "config.json", "preprocessor_config.json", "pytorch_model.bin"
    )])  # fmt: skip
    whole = sum(len(WAV2VEC[name]) for name in WAV2VEC if name not in ("README__md", "vocab__json"))
    folder = tmp_path / "models" / "own--er"
    with pytest.raises(ModelError, match="config.json: has 24 bytes, more than `max_model_size`"):
        get("own--er", most=whole - 1)
    server.endless.add(f"/own/er/resolve/{COMMIT}/pytorch_model.bin")
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ModelError, match="sends more than the 1,000,000 bytes that `max_model"):
        get("own--er", most=1_000_002)
    assert not [file for file in folder.iterdir() if file.stat().st_size > 100]
    server.endless.clear()
    assert get("own--er", most=whole)["revision"] == COMMIT


def test_a_token_opens_a_gated_model(server, get, hub) -> None:
    hub("own/er", **WAV2VEC)
    get("own--er", token="secret")
    assert {seen.authorization for seen in server.seen} == {"Bearer secret"}


def test_a_pinned_model_of_the_hub_needs_no_api(server, get, monkeypatch, tmp_path) -> None:
    files = on_hub("own/er", COMMIT, ModelFile("config.json"), ModelFile("pytorch_model.bin"))
    model = Model("own--er", files, "MIT", "https://x", "none", COMMIT)
    monkeypatch.setitem(MODELS, "own--er", model)
    server.files[f"/own/er/resolve/{COMMIT}/config.json"] = CONFIG
    server.files[f"/own/er/resolve/{COMMIT}/pytorch_model.bin"] = BODY
    get("own--er", endpoint=f"{server.url}/")
    assert paths(server) == [
        f"/own/er/resolve/{COMMIT}/{name}" for name in ("config.json", "pytorch_model.bin")
    ]
    # Its hash was trusted first: what comes later must be the same.
    shutil.rmtree(tmp_path / "models" / "own--er", ignore_errors=False)
    get("own--er")
    (tmp_path / "models" / "own--er" / "pytorch_model.bin").unlink()
    server.files[f"/own/er/resolve/{COMMIT}/pytorch_model.bin"] = BODY[::-1]
    with pytest.raises(ModelError, match=f"sent another file .*{sha256(BODY[::-1])}"):
        get("own--er")


def test_several_at_once_fetch_it_once(server, get, toy, caplog) -> None:
    server.stall["/first/toy.pth"] = [100_000]
    done = []
    with caplog.at_level(logging.INFO):
        threads = [threading.Thread(target=lambda: done.append(get("toy"))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(500):
            if caplog.text.count("waiting for another process") == 2:
                break
            time.sleep(0.01)
        server.over.set()  # the first one's connection ends in the middle
        for thread in threads:
            thread.join(20)
    assert caplog.text.count("waiting for another process") == 2
    assert len(done) == 3 and done[0] == done[1] == done[2]
    asked = [seen.range for seen in server.asked("/first/toy.pth")]
    assert asked == [None, "bytes=100000-"] and len(server.asked("/toy.json")) == 1


def test_a_mirror_and_a_token_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example.org")
    monkeypatch.setenv("HF_TOKEN", "secret")
    options = FetchOptions.from_environment()
    assert (options.endpoint, options.token) == ("https://mirror.example.org", "secret")
    monkeypatch.setenv("HF_ENDPOINT", "")
    monkeypatch.delenv("HF_TOKEN")
    assert FetchOptions.from_environment() == FetchOptions()
