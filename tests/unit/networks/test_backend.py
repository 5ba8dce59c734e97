from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import SCRIPTS
from helpers.settings import default_settings
from talkingface.job.files import write_json
from talkingface.job.tables import empty_table, read_table, write_table
from talkingface.media.reading import Reading
from talkingface.models.store import StoredModel, model_record, weights_hash
from talkingface.models.table import Digest, ModelError, find_model
from talkingface.networks.backend import load_learned
from talkingface.tables import CLIPS, DEPTH, HUBERT, PARSING, SPEECH, SYNC, TRACKS

ON_CPU = {"device": "cpu", "precision": "float32", "threads": 1}
TABLES = {"parsing": PARSING, "depth": DEPTH, "hubert": HUBERT, "sync": SYNC}
NO_PROXY = {
    **{"status": "no_audio", "reason": "no audio track", "n_frames": 0},
    **dict.fromkeys(["width", "height", "proxy_width", "proxy_height"], 0),
    **{"value": None, "threshold": None, "reading": Reading().to_dict()},
    **{"pictures": [], "cuts": [], "gaps": []},
}


@pytest.mark.parametrize(
    "backend",
    ["parsing.bisenet", "parsing.segformer", "depth.dagan", "depth.depth_anything"],
)
def test_every_backend_has_a_module_a_model_and_a_way_without(backend: str) -> None:
    module, backend = f"talkingface.pictures.{backend}", backend.split(".")[1]
    assert (SCRIPTS / f"{module.replace('.', '/')}.py").exists()
    assert find_model(backend).instead.endswith("backend: mesh")
    with pytest.raises(ModelError, match=rf"{backend} needs the folder.*backend: mesh"):
        load_learned(module, None, **ON_CPU)


def test_it_is_loaded_from_its_folder_in_the_precision_asked_for(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from helpers import random_networks

    encoder, decoder = random_networks.random_dagan(18, 64, 64)
    torch.save(encoder, tmp_path / "encoder.pth")
    torch.save(decoder, tmp_path / "depth.pth")
    import numpy as np

    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    nobody = np.full((2, 478, 3), np.nan), np.zeros(2, bool)
    model = StoredModel("dagan", tmp_path, "")
    backends = [
        load_learned("talkingface.pictures.depth.dagan", model, **ON_CPU | {"precision": precision})
        for precision in ("float32", "bfloat16")
    ]
    exact, rough = (backend.run(frames, *nobody) for backend in backends)
    assert exact.dtype == rough.dtype == np.float32
    assert 0 < np.abs(exact - rough).mean() < 0.05 * exact.mean()
    with pytest.raises(ValueError, match="unknown device"):
        load_learned("talkingface.pictures.depth.dagan", model, **ON_CPU | {"device": "tpu"})


def test_without_torch_it_says_what_to_do(tmp_path: Path) -> None:
    """In a process of its own, which cannot import torch."""
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from talkingface.models.store import StoredModel\n"
        "from talkingface.networks.backend import load_learned\n"
        f"model = StoredModel('bisenet', {str(tmp_path)!r}, '')\n"
        f"load_learned('talkingface.pictures.parsing.bisenet', model, **{ON_CPU})"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True
    )
    last = run.stderr.splitlines()[-1]
    assert "ModelError: bisenet needs the package torch" in last
    assert "pip install" in last and "parsing.backend: mesh" in last


@pytest.mark.parametrize(
    ("stage", "settings"),
    [
        ("hubert", {}),
        ("parsing", {"backend": "bisenet"}),
        ("parsing", {"backend": "mesh"}),
        ("depth", {"backend": "dagan"}),
        ("depth", {"backend": "mesh"}),
        ("sync", {"backend": "syncnet"}),
        ("sync", {"backend": "mesh"}),
    ],
)
def test_a_video_without_a_face_loads_nothing(
    stage: str, settings: dict[str, str], tmp_path: Path
) -> None:
    """The stage's script, on tables without a row; its checkpoint is gone."""
    write_table(empty_table(CLIPS), tmp_path / "clips.csv", CLIPS)
    write_table(empty_table(TRACKS), tmp_path / "tracks.csv", TRACKS)
    files = {"weights.pth": {"size": 10, "sha256": "0" * 64}}
    write_json({"model": "m", "files": files}, tmp_path / "model.json")
    table = tmp_path / "made.csv"
    model = str(tmp_path / "model.json")
    defaults = default_settings(stage)
    if stage == "hubert":  # Its rule says the model in another way.
        del defaults["model"], defaults["revision"]
    job = {
        "input": {
            "folder": str(tmp_path),
            "manifest": str(tmp_path / "clips.csv"),
            "landmarks": str(tmp_path),
            "tracks": str(tmp_path / "tracks.csv"),
            "model": model if stage == "hubert" else [model],
        },
        "output": [str(tmp_path / "made"), str(table)],
        "params": {"settings": defaults | settings, "device": "cpu"},
        "resources": {"gpu": 0},
        "config": {"models": str(tmp_path / "store")},
        "log": [str(tmp_path / "log")],
        "threads": 1,
        "loaded": str(tmp_path / "loaded"),
    }
    if stage == "sync":
        record = tmp_path / "proxy.json"
        write_json(NO_PROXY, record)
        nothing = str(tmp_path / "nothing")
        speech = tmp_path / "speech.csv"
        write_table(empty_table(SPEECH), speech, SPEECH)
        job["input"] |= {"video": nothing, "sound": nothing}
        job["input"] |= {"record": str(record), "speech": str(speech)}
        job["input"]["media"] = nothing if settings["backend"] == "syncnet" else []
    program = (
        "import json, runpy, sys\n"
        "from types import SimpleNamespace as Of\n"
        "class Named(list): pass\n"
        f"job = json.loads({json.dumps(json.dumps(job))})\n"
        "output = Named(job['output'])\n"
        "output.folder, output.manifest = output.frames, output.tracks = output\n"
        "snakemake = Of(**job | {'output': output, 'resources': Of(**job['resources'])})\n"
        "snakemake.input, snakemake.params = Of(**job['input']), Of(**job['params'])\n"
        f"runpy.run_path({str(SCRIPTS / f'{stage}.py')!r}, {{'snakemake': snakemake}})\n"
        "loaded = {'torch', 'transformers', 'mediapipe'} & set(sys.modules)\n"
        "open(job['loaded'], 'w').write(str(sorted(loaded)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "loaded").read_text() == "[]"
    assert len(read_table(table, TABLES[stage])) == 0


def test_the_hash_of_the_weights() -> None:
    found = {
        "config.json": Digest(1, "c" * 64),
        "model.safetensors": Digest(2, "a" * 64),
    }
    assert weights_hash(model_record(find_model("segformer"), found)) == "a" * 64
    found = {"encoder.pth": Digest(1, "e" * 64), "depth.pth": Digest(2, "d" * 64)}
    expected = f"{'d' * 64} {'e' * 64}"
    assert weights_hash(model_record(find_model("dagan"), found)) == expected
