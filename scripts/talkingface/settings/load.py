"""The settings and the list of videos: completed with defaults, checked before anything runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from talkingface.settings.sources import local_path

SCHEMAS = Path(__file__).parents[3] / "schemas"


class ConfigError(ValueError):
    """A setting or a row that cannot be used; the message names it and what is allowed."""


def load_schema(name: str) -> dict[str, Any]:
    """Read `schemas/{name}.schema.yaml`."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text("utf-8"))


def check_config(config: dict[str, Any]) -> dict[str, Any]:
    """Complete `config` with the schema's defaults and check it.

    Raises ConfigError naming the key, its value and what is allowed.
    """
    schema = load_schema("config")
    completed = _with_defaults(config, schema)
    errors = sorted(Draft202012Validator(schema).iter_errors(completed), key=lambda e: list(e.path))
    if errors:
        lines = "\n".join(f"  {_explain(error, 'the setting')}" for error in errors)
        raise ConfigError(f"config:\n{lines}\nEvery setting is described in config.yaml.")
    segments = completed["segments"]
    if segments["max_frames"] < segments["min_frames"]:
        raise ConfigError("config: segments.max_frames must not be less than segments.min_frames")
    if 2 * segments["trim_frames"] >= segments["min_frames"]:
        raise ConfigError("config: segments.trim_frames must be less than half of min_frames")
    if segments["cut"] == "speaking" and completed["sync"]["backend"] == "none":
        raise ConfigError(
            "config: segments.cut: speaking needs to know who speaks: set sync.backend to motion "
            "or syncnet"
        )
    if completed["tracks"]["max_gap"] < completed["tracks"]["every"]:
        raise ConfigError("config: tracks.max_gap must not be less than tracks.every")
    cookies = completed["download"]["cookies"]
    if cookies is not None and not Path(cookies).is_file():
        raise ConfigError(f"config: download.cookies: no such file: {Path(cookies).absolute()}")
    return completed


def read_videos(path: str | Path) -> list[dict[str, str | None]]:
    """Read videos.csv: one dict a row with `video_id`, `source`, `identity`, `split`.

    The last two are None where they are not given. Raises ConfigError naming the file, the row
    (its line in the file) and what is allowed; all faults are listed at once.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(
            f"{path}: no such file. It lists the videos: video_id,source[,identity,split]"
        )
    schema = load_schema("videos")
    columns = schema["properties"]
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text; save it as 'CSV UTF-8'") from error
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(
            file, restkey="more cells than the header has", skipinitialspace=True
        )
        header = reader.fieldnames or []
        missing = [name for name in schema["required"] if name not in header]
        unknown = [name for name in header if name not in columns]
        if missing or unknown or len(set(header)) != len(header):
            raise ConfigError(
                f"{path}: line 1: the header must have {', '.join(schema['required'])} and may "
                f"have {', '.join(n for n in columns if n not in schema['required'])}, each once; "
                f"got {', '.join(header) or 'nothing'}"
            )
        rows = [(reader.line_num, row) for row in reader]
    validator = Draft202012Validator(schema)
    faults: list[str] = []
    seen: dict[str, int] = {}
    videos = []
    for line, row in rows:
        given = {
            key: value.strip() if isinstance(value, str) else value for key, value in row.items()
        }
        given = {key: value for key, value in given.items() if value not in ("", None)}
        faults += [
            f"line {line}: {_explain(e, 'the column')}" for e in validator.iter_errors(given)
        ]
        # File systems that fold case would write both to the same file.
        key = str(given.get("video_id", "")).casefold()
        if key and key in seen:
            faults.append(
                f"line {line}: video_id {given['video_id']!r} was already given on line "
                f"{seen[key]} (upper and lower case are one): each must be used once"
            )
        seen.setdefault(key, line)
        videos.append({name: given.get(name) for name in columns})
    if faults:
        raise ConfigError(f"{path}:\n" + "\n".join(f"  {fault}" for fault in faults))
    return videos


def refuse_vanished(videos: Iterable[dict[str, str | None]], records: str | Path) -> None:
    """Raise ConfigError when local files are gone from which results were already made.

    A disk that is not mounted must not turn finished videos into missing ones. `records` is the
    folder of the videos' records by download.
    """
    gone = []
    for row in videos:
        path = local_path(str(row["source"]))
        record = Path(records, f"{row['video_id']}.json")
        if path is None or path.exists() or not record.exists():
            continue
        if json.loads(record.read_text("utf-8"))["status"] == "ok":
            gone.append(f"  {row['video_id']}: {path}")
    if gone:
        raise ConfigError(
            "These files were used before and are gone. Bring them back (is a disk not mounted?), "
            "or take their rows out of the list of videos:\n" + "\n".join(gone)
        )


def describe_config() -> Iterable[tuple[str, Any, str]]:
    """Every setting as (dotted key, default, description), in the schema's order."""
    yield from _describe(load_schema("config"), "")


def settings_table() -> str:
    """The settings as a Markdown table for README."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for key, default, description in describe_config():
        shown = json.dumps(default) if not isinstance(default, str) else default
        lines.append(f"| `{key}` | `{shown}` | {description} |")
    return "\n".join(lines) + "\n"


def _describe(schema: dict[str, Any], prefix: str) -> Iterable[tuple[str, Any, str]]:
    for name, part in schema["properties"].items():
        if "properties" in part:
            yield from _describe(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", part["default"], " ".join(part["description"].split())


def _with_defaults(config: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    completed = dict(config)
    for name, part in schema.get("properties", {}).items():
        if "properties" in part:
            given = completed.get(name)
            if given is None:
                given = {}
            completed[name] = _with_defaults(given, part) if isinstance(given, dict) else given
        elif name not in completed and "default" in part:
            completed[name] = part["default"]
    return completed


def _explain(error: ValidationError, what: str) -> str:
    """One line for a person: which key, what it is, what is allowed."""
    where = ".".join(str(step) for step in error.path)
    schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        given: Any = error.instance
        unknown = sorted(set(given) - set(known))
        keys = ", ".join(f"{where}.{key}" if where else str(key) for key in unknown)
        return f"{keys}: unknown; allowed here: {', '.join(known)}"
    if error.validator == "required":
        return error.message.replace("is a required property", f": {what} must be given")
    if error.validator == "enum":
        allowed = ", ".join(map(str, schema["enum"]))
        return f"{where}: got {error.instance!r}; allowed: {allowed}"
    hint = str(schema.get("description", ""))
    return f"{where}: {error.message}. {' '.join(hint.split())}".rstrip()
