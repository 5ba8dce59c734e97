"""The schemas of config.yaml and videos.csv, and what is said of a value that breaks one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

SCHEMAS = Path(__file__).parents[3] / "schemas"


class ConfigError(ValueError):
    """A setting or a row that cannot be used; the message names it and what is allowed."""


def load_schema(name: str) -> dict[str, Any]:
    """Read `schemas/{name}.schema.yaml`."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text("utf-8"))


def open_validator(schema: dict[str, Any]) -> Draft202012Validator:
    """What finds the places where a value breaks a schema."""
    # Imported here: the status and the demonstration come by this module and check nothing.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema)


def explain_error(error: ValidationError, kind: str) -> str:
    """One line for a person: which key, what its value is, what is allowed.

    kind: what a missing key is called, such as "the column".
    """
    where = ".".join(str(step) for step in error.path)
    schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        given: Any = error.instance
        unknown = sorted(set(given) - set(known))
        keys = ", ".join(f"{where}.{key}" if where else str(key) for key in unknown)
        return f"{keys}: unknown; allowed here: {', '.join(known)}"
    if error.validator == "required":
        return error.message.replace("is a required property", f": {kind} must be given")
    if error.validator == "enum":
        allowed = ", ".join(map(str, schema["enum"]))
        message = f"{where}: got {error.instance!r}; allowed: {allowed}"
        # `replaced` names what to give instead of a value of an earlier version.
        instead = schema.get("replaced", {}).get(str(error.instance))
        return f"{message}; use {instead} instead" if instead else message
    unit = f" ({schema['unit']})" if "unit" in schema else ""
    return f"{where}{unit}: {error.message}. {schema.get('description', '')}".rstrip()
