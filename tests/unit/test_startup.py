"""Law 12, a lean start: what is heavy is imported where it is used, not with the modules."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import SCRIPTS

HEAVY = {
    "jsonschema",
    "librosa",
    "matplotlib",
    "mediapipe",
    "onnxruntime",
    "pandas",
    "scipy",
    "torch",
    "transformers",
    "yt_dlp",
}
# Script -> what it may import before it does anything.
EXCEPTIONS = {
    "mel": {"librosa"},  # the package alone, which imports its modules when they are used
}


def module_imports(script: Path) -> str:
    """The import statements that a script executes first, as it has them."""
    statements = [
        node
        for node in ast.parse(script.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return "\n".join(map(ast.unparse, statements))


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_a_script_imports_nothing_heavy_before_it_works(script: Path) -> None:
    code = module_imports(script)
    assert "talkingface" in code
    code += f"\nimport sys\nprint(*sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == EXCEPTIONS.get(script.stem, set())


def test_exceptions_are_of_scripts_that_there_are() -> None:
    assert EXCEPTIONS.keys() <= {path.stem for path in SCRIPTS.glob("*.py")}


def test_the_loader_imports_nothing_of_the_workflow() -> None:
    code = "import sys, talkingface.loader; print(*(name.split('.')[0] for name in sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    imported = set(done.stdout.split()) - set(sys.stdlib_module_names)
    # What is installed in a way of its own may be imported by Python itself.
    assert {"av", "numpy", "talkingface"} <= imported
    assert imported.isdisjoint(HEAVY | {"cv2", "snakemake", "soundfile", "soxr", "yaml", "PIL"})
