"""The settings that are published with a dataset: not where things lie, nor how they came."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from talkingface.settings.schema import load_schema

# Of this machine and its user, or of what is made of a dataset later.
_PRIVATE = (
    "videos", "decisions", "models", "max_model_size", "device", "exports", "card", "report",
)  # fmt: skip
# What of `download` decides which file is had; the rest, such as cookies, is nobody's business.
_OF_DOWNLOAD = ("format", "resolution", "max_duration", "max_size")


def published_settings(
    config: Mapping[str, Any], leave_out: Collection[str] = ()
) -> dict[str, Any]:
    """The settings of a complete config that the data depends on, without the sections `leave_out`.

    They stand in the schema's order, in whatever order the user's file has them. No path, address
    or password of the user's is among them.
    """
    published: dict[str, Any] = {}
    for name, part in load_schema("config")["properties"].items():
        if name == "download":
            published[name] = {key: config[name][key] for key in _OF_DOWNLOAD}
        elif name not in _PRIVATE and name not in leave_out:
            keys = part.get("properties")
            published[name] = {key: config[name][key] for key in keys} if keys else config[name]
    return published


def changed_settings(settings: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Those of some settings that differ from the defaults: value and default by dotted name.

    One that the schema does not know, as another version may have had it, has the default None.
    """
    properties = load_schema("config")["properties"]
    changed = {}
    for name, value in settings.items():
        part = properties.get(name, {})
        pairs = (
            {
                f"{name}.{key}": (cell, part.get("properties", {}).get(key, {}))
                for key, cell in value.items()
            }
            if isinstance(value, Mapping)
            else {name: (value, part)}
        )
        for key, (cell, stated) in pairs.items():
            if cell != stated.get("default"):
                changed[key] = (cell, stated.get("default"))
    return changed
