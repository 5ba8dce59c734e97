"""The schemas of config.yaml and of lists, and what is said of a value that breaks one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

# Of plain data only. libyaml's, where PyYAML has it, is ten times as fast.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SCHEMAS = Path(__file__).parents[3] / "schemas"
# Of many faults so many are shown, and of a value so many characters.
MOST_LISTED = 20
MOST_SHOWN = 200


class ConfigError(ValueError):
    """A setting or a row that cannot be used; the message names it and what is allowed."""


def load_schema(name: str) -> dict[str, Any]:
    """Read `schemas/{name}.schema.yaml`."""
    return yaml.load((SCHEMAS / f"{name}.schema.yaml").read_text("utf-8"), Loader=LOADER)


def open_validator(schema: dict[str, Any]) -> Draft202012Validator:
    """What finds the places where a value breaks a schema."""
    # Imported here: the status and the demonstration come by this module and check nothing.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema)


def plain_checks(schema: Mapping[str, Any]) -> dict[str, Callable[[str], bool]]:
    """Of an object of texts: for every property what says that a text is allowed.

    What it accepts the schema accepts; what it does not is for the schema to judge, as a property
    may say what this does not know.
    """
    return {name: _plain_check(part) for name, part in schema["properties"].items()}


def _plain_check(part: Mapping[str, Any]) -> Callable[[str], bool]:
    if set(part) - {"type", "enum", "pattern", "description"} or part.get("type") not in (
        None,
        "string",
    ):
        return lambda text: False
    choices = frozenset(part["enum"]) if "enum" in part else None
    search = re.compile(part.get("pattern", "")).search
    return lambda text: (choices is None or text in choices) and search(text) is not None


def list_faults(faults: Iterable[str], count: int) -> str:
    """`count` faults, a line each: the first MOST_LISTED of them, and how many more there are."""
    lines = [f"  {fault}" for fault in islice(faults, MOST_LISTED)]
    if count > len(lines):
        lines.append(f"  and {count - len(lines):,} more")
    return "\n".join(lines)


def shortened(text: str, most: int = MOST_SHOWN) -> str:
    """A text of at most `most` characters that a terminal shows: what is longer has dots for its
    middle, what is no letter, digit, mark or blank a question mark."""
    if len(text) > most:
        text = f"{text[: most - most // 4]}...{text[len(text) - most // 4 :]}"
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def explain_error(error: ValidationError) -> str:
    """One line for a person: which key, what its value is, what is allowed."""
    where = ".".join(str(step) for step in error.path)
    schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        given: Any = error.instance
        unknown = sorted(shortened(key, 50) for key in set(given) - set(known))
        keys = ", ".join(f"{where}.{key}" if where else key for key in unknown[:MOST_LISTED])
        return f"{keys}: unknown; allowed here: {', '.join(known)}"
    if error.validator == "required":
        # In a row a cell that is empty is left out.
        name = error.message.removesuffix(" is a required property").strip("'")
        return f"{name}: empty, and must be given"
    if error.validator == "enum":
        allowed = ", ".join(map(str, schema["enum"]))
        message = f"{where}: got {shortened(repr(error.instance))}; allowed: {allowed}"
        # `replaced` names what to give instead of a value of an earlier version.
        instead = schema.get("replaced", {}).get(str(error.instance))
        return f"{message}; use {instead} instead" if instead else message
    unit = f" ({schema['unit']})" if "unit" in schema else ""
    value = repr(error.instance)
    message = error.message.replace(value, shortened(value))
    return f"{where}{unit}: {message}. {schema.get('description', '')}".rstrip()
