"""The settings as they are without a user's config."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from talkingface.settings.load import check_config

# For those who only read it.
CONFIG = check_config({})


def default_settings(section: str) -> dict[str, Any]:
    """A section of the config with its defaults, such as "tracks"."""
    return deepcopy(dict(CONFIG[section]))
