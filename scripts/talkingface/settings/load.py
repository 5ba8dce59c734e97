"""The settings: completed with their defaults and checked before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from talkingface.settings.schema import ConfigError, explain_error, load_schema, open_validator


def check_config(config: dict[str, Any]) -> dict[str, Any]:
    """Complete `config` with the schema's defaults and check it.

    Raises ConfigError naming the key, its value and what is allowed.
    """
    schema = load_schema("config")
    completed = _with_defaults(config, schema)
    errors = sorted(open_validator(schema).iter_errors(completed), key=lambda e: list(e.path))
    if errors:
        lines = "\n".join(f"  {explain_error(error, 'the setting')}" for error in errors)
        raise ConfigError(f"config:\n{lines}\nEvery setting is described in config.yaml.")
    segments = completed["segments"]
    if segments["max_frames"] < segments["min_frames"]:
        raise ConfigError("config: segments.max_frames must not be less than segments.min_frames")
    if 2 * segments["trim_frames"] >= segments["min_frames"]:
        raise ConfigError("config: segments.trim_frames must be less than half of min_frames")
    if segments["cut"] == "speaking" and completed["sync"]["backend"] == "none":
        raise ConfigError(
            "config: segments.cut: speaking needs to know who speaks: set sync.backend to mesh "
            "or syncnet"
        )
    if completed["tracks"]["max_gap"] < completed["tracks"]["every"]:
        raise ConfigError("config: tracks.max_gap must not be less than tracks.every")
    cookies = completed["download"]["cookies"]
    if cookies is not None and not Path(cookies).is_file():
        raise ConfigError(f"config: download.cookies: no such file: {Path(cookies).absolute()}")
    return completed


def _with_defaults(config: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    completed = dict(config)
    for name, part in schema["properties"].items():
        if "properties" in part:
            given = completed.get(name)
            if given is None:
                given = {}
            completed[name] = _with_defaults(given, part) if isinstance(given, dict) else given
        elif name not in completed:
            completed[name] = part["default"]
    return completed
