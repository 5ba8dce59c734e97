"""The settings as they are without a user's config."""

from __future__ import annotations

from typing import Any

from talkingface.settings.load import check_config


def default_settings(section: str) -> dict[str, Any]:
    """A section of the config with its defaults, such as "tracks"."""
    return dict(check_config({})[section])
