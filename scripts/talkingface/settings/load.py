"""The settings: completed with their defaults and checked before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from talkingface.settings.config_file import MOST_DEPTH, MOST_VALUES
from talkingface.settings.schema import (
    ConfigError,
    explain_error,
    list_faults,
    load_schema,
    open_validator,
    shortened,
)

# No setting has a larger number, nor a longer text.
LARGEST = 10**18
LONGEST = 10_000


def check_config(config: dict[str, Any]) -> dict[str, Any]:
    """Complete `config` with the schema's defaults and check it.

    Raises ConfigError naming the key, its value and what is allowed.
    """
    _refuse_unusable(config)
    schema = load_schema("config")
    completed = _with_defaults(config, schema)
    errors = sorted(open_validator(schema).iter_errors(completed), key=lambda e: list(e.path))
    if errors:
        lines = list_faults(map(explain_error, errors), len(errors))
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


def _refuse_unusable(config: Mapping[Any, Any]) -> None:
    """Raise ConfigError for what YAML knows and no setting can be: not a number, endless numbers,
    dates, names that are none, and data that has no end."""
    walked = _walk(config, (), iter(range(MOST_VALUES)))
    faults = [f"{'.'.join(keys)}: {fault}" for keys, fault in walked]
    if faults:
        raise ConfigError(f"config:\n{list_faults(faults, len(faults))}")


def _walk(
    value: Any, keys: tuple[str, ...], budget: Iterator[int]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """What cannot be used in `value`, with the keys that lead there. `budget` ends after as many
    values as there may be."""
    if len(keys) > MOST_DEPTH:
        raise ConfigError(f"config: {'.'.join(keys)}: nested more than {MOST_DEPTH} deep")
    if next(budget, None) is None:
        raise ConfigError(
            f"config: {'.'.join(keys)}: more than {MOST_VALUES:,} values, with all that aliases "
            "stand for"
        )
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str):
                yield from _walk(inner, (*keys, shortened(key, 50)), budget)
            else:
                yield keys, f"the name {shortened(repr(key), 50)} is no text: put it in quotes"
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _walk(inner, (*keys, str(number)), budget)
    else:
        fault = _value_fault(value)
        if fault:
            yield keys, fault


def _value_fault(value: Any) -> str:
    """Why one value cannot be used; nothing where it can."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "" if abs(value) < LARGEST else "a number of more than 18 digits"
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{value} is no finite number"
    if not isinstance(value, str):
        return f"a {type(value).__name__}, which no setting is: put it in quotes"
    if len(value) > LONGEST:
        return f"a text of {len(value):,} characters"
    odd = (c for c in value if (c < " " and c not in "\t\n\r") or "\ud800" <= c <= "\udfff")
    return "".join(f"has the character {ord(c):#x}" for c in islice(odd, 1))


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
