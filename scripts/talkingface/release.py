"""Which release of this project the library is of."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def release() -> str:
    """The version in the pyproject.toml that the library lies beside; where it is installed alone,
    that of the package."""
    if _PROJECT.is_file():
        project = tomllib.loads(_PROJECT.read_text("utf-8"))["project"]
        if project["name"] == "talkingface":
            return str(project["version"])
    return importlib.metadata.version("talkingface")
