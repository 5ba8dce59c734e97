"""What is made from the schema of the settings: config.yaml and docs/settings.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from talkingface.settings.schema import load_schema

# Columns of config.yaml: where comments start, and where lines end.
COMMENT_COLUMN = 34
LINE_LENGTH = 100
CONFIG_HEAD = """\
# Every setting with its default; docs/settings.md says more of each. In a workspace of your own, a
# file with only what differs is enough:
#   snakemake -s PATH/Snakefile -d WORKSPACE --configfile mine.yaml --cores N
# This file is made by `make docs` from schemas/config.schema.yaml.
"""
PAGE_HEAD = """\
<!-- Made by `make docs` from schemas/config.schema.yaml: change that. -->
# Settings

[config.yaml](../config.yaml) lists every setting with its default. Unknown or impossible ones are
refused before anything runs. A change makes again what depends on it, and nothing else.

Use no settings file of a stranger's that you have not read. Snakemake itself reads what is given
with `--configfile`, before this workflow can look at it: a file with the key `__use_yte__` is a
program, which Snakemake runs. It is refused here, but it has run by then. In the same way a file
of aliases of aliases may take Snakemake minutes and all memory, and one that is nested thousands
deep or has a number of thousands of digits ends in a traceback of Snakemake's.
"""


@dataclass(frozen=True)
class Setting:
    """One setting, as the schema states it: `values` says in words what is allowed."""

    name: str
    default: Any
    values: str
    unit: str
    description: str

    @property
    def default_yaml(self) -> str:
        """Its default on one line of YAML."""
        return _yaml(self.default)

    @property
    def summary(self) -> str:
        """The first sentence of its description, with the unit behind its first clause."""
        sentence = first_sentence(self.description)
        if not self.unit:
            return sentence
        clause, semicolon, rest = sentence.partition(";")
        return f"{clause} ({self.unit}){semicolon}{rest}"


@dataclass(frozen=True)
class Section:
    """The settings of one stage; those of none have a section without a name."""

    name: str
    description: str
    settings: tuple[Setting, ...]


def sections() -> list[Section]:
    """All settings, in the schema's order, those outside of any section first."""
    parts = load_schema("config")["properties"]
    loose = tuple(_setting(name, part) for name, part in parts.items() if "default" in part)
    found = [Section("", "", loose)]
    for name, part in parts.items():
        if "properties" in part:
            settings = tuple(_setting(key, value) for key, value in part["properties"].items())
            found.append(Section(name, part["description"], settings))
    return found


def config_text() -> str:
    """The text of config.yaml."""
    blocks = [CONFIG_HEAD]
    for section in sections():
        indent = "  " if section.name else ""
        lines = []
        if section.name:
            lines += _commented(f"{section.name}:", first_sentence(section.description))
        for setting in section.settings:
            entry = f"{indent}{setting.name}: {setting.default_yaml}"
            lines += _commented(entry, setting.summary)
        blocks.append("".join(f"{line}\n" for line in lines))
    return "\n".join(blocks)


def settings_page() -> str:
    """The text of docs/settings.md: a table for every section."""
    parts = [PAGE_HEAD]
    for section in sections():
        head = f"## {section.name}\n\n{section.description}\n\n" if section.name else ""
        rows = [
            (f"`{s.name}`", f"`{s.default_yaml}`", s.values, s.unit, s.description)
            for s in section.settings
        ]
        titles = ("setting", "default", "range or choices", "unit", "meaning")
        parts.append(head + markdown_table(titles, rows))
    return "\n".join(parts)


def markdown_table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown; a `|` in a cell is escaped."""
    lines = [_row(titles), "|" + "---|" * len(titles), *map(_row, rows)]
    return "".join(f"{line}\n" for line in lines)


def first_sentence(description: str) -> str:
    """The first sentence without its full stop and without Markdown's backticks."""
    return description.split(". ")[0].removesuffix(".").replace("`", "")


def allowed_values(part: dict[str, Any]) -> str:
    """What values a schema allows, in words: types, choices and ranges."""
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if "const" in part:
        return f"`{part['const']}`"
    if "anyOf" in part:
        return " or ".join(map(allowed_values, part["anyOf"]))
    kinds = [part["type"]] if isinstance(part["type"], str) else list(part["type"])
    alternatives = [_kind(kind, part) for kind in kinds if kind != "null"]
    return " or ".join([*alternatives, *(["`null`"] if "null" in kinds else [])])


def _kind(kind: str, part: dict[str, Any]) -> str:
    if kind == "boolean":
        return "`true`, `false`"
    if kind == "string":
        return "text"
    if kind == "array":
        items = allowed_values(part["items"])
        return f"list of {items}" if items.endswith("`") else f"list of {items}s"
    number = "whole number" if kind == "integer" else "number"
    if part.get("multipleOf") == 2:
        number = f"even {number}"
    return " ".join([number, *_range(part)])


def _range(part: dict[str, Any]) -> Iterator[str]:
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    elif low is not None:
        yield f"from {low}"
    elif high is not None:
        yield f"up to {high}"
    elif "exclusiveMinimum" in part:
        yield f"above {part['exclusiveMinimum']}"


def _setting(name: str, part: dict[str, Any]) -> Setting:
    return Setting(
        name, part["default"], allowed_values(part), part.get("unit", ""), part["description"]
    )


def _commented(entry: str, comment: str) -> list[str]:
    """A line of config.yaml, or two: a comment that finds no room beside its entry is above it."""
    line = f"{entry:{COMMENT_COLUMN - 2}}  # {comment}"
    if len(line) <= LINE_LENGTH:
        return [line]
    indent = entry[: len(entry) - len(entry.lstrip())]
    return [f"{indent}# {comment}:", entry]


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").strip()


def _row(cells: tuple[str, ...]) -> str:
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in escaped)
