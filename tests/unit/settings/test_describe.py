"""config.yaml and docs/settings.md, as the schema makes them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from helpers.paths import ROOT
from talkingface.exports.table import EXPORTS
from talkingface.settings.describe import (
    LINE_LENGTH,
    Setting,
    allowed_values,
    config_text,
    markdown_table,
    sections,
    settings_page,
)
from talkingface.settings.load import check_config
from talkingface.settings.schema import load_schema
from talkingface.stages import FEATURES, STAGES


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(load_schema("config"))
    Draft202012Validator.check_schema(load_schema("videos"))


def test_config_yaml_is_what_the_schema_makes() -> None:
    assert (ROOT / "config.yaml").read_text() == config_text(), "run make docs"


def test_config_yaml_gives_every_default_of_the_schema() -> None:
    shipped = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert shipped == check_config({})
    # 18 and 18.0 are equal, but not the same parameter of a job.
    assert repr(shipped) == repr(check_config({}))


def test_config_yaml_says_something_on_every_line() -> None:
    before = ""
    for line in (ROOT / "config.yaml").read_text().splitlines():
        assert len(line) <= LINE_LENGTH
        if line.strip() and not line.lstrip().startswith("#"):
            comment = line if "#" in line else before
            assert len(comment.split("#", 1)[-1].split()) >= 2 and "#" in comment, line
        before = line


def test_the_page_of_settings_is_what_the_schema_makes() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    assert page == settings_page(), "run make docs"
    for section in sections():
        assert not section.name or f"\n## {section.name}\n" in page
        for setting in section.settings:
            assert f"\n| `{setting.name}` | `{setting.default_yaml}` |" in page
            assert len(setting.description) > 15


def test_features_are_those_of_the_register() -> None:
    features = load_schema("config")["properties"]["features"]
    assert features["items"]["enum"] == list(FEATURES)
    # What is not in the default is named beside it.
    lines = config_text().splitlines()
    (number,) = (i for i, line in enumerate(lines) if line.startswith("features:"))
    assert all(feature in lines[number - 1] + lines[number] for feature in FEATURES)


def test_sections_are_in_the_order_of_the_stages() -> None:
    names = [section.name for section in sections() if section.name]
    # What is no stage stands where it is first met: how files are read, last split, card, exports.
    assert names.index("media") == names.index("download") + 1
    names.remove("media")
    stages = [name for name in STAGES if name in names and name not in EXPORTS]
    exports = [name for name in EXPORTS if name in names]
    assert names == ["checkpoints", *stages, "split", "card", "report", *exports]


def test_a_changed_description_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = config_text(), settings_page()
    schema = load_schema("config")
    crf = schema["properties"]["clips"]["properties"]["crf"]
    crf |= {"unit": "pints", "description": "How much; 0 is none. And `more`."}
    monkeypatch.setattr("talkingface.settings.describe.load_schema", lambda name: schema)
    (line,) = set(config_text().splitlines()) - set(before[0].splitlines())
    assert line == "  crf: 18                         # How much (pints); 0 is none"
    (row,) = set(settings_page().splitlines()) - set(before[1].splitlines())
    assert row == "| `crf` | `18` | number 0 to 51 | pints | How much; 0 is none. And `more`. |"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"enum": ["a", "b"]}, "`a`, `b`"),
        ({"type": "boolean"}, "`true`, `false`"),
        ({"type": ["string", "null"]}, "text or `null`"),
        ({"type": "integer", "minimum": 1}, "whole number from 1"),
        ({"type": ["number", "null"], "exclusiveMinimum": 0}, "number above 0 or `null`"),
        ({"type": "number", "minimum": 0, "maximum": 1}, "number 0 to 1"),
        ({"type": "number", "maximum": 0}, "number up to 0"),
        ({"type": "integer", "multipleOf": 2}, "even whole number"),
        ({"type": "array", "items": {"type": "integer"}}, "list of whole numbers"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "list of `a`, `b`"),
        ({"anyOf": [{"const": "all"}, {"type": "integer"}]}, "`all` or whole number"),
    ],
)
def test_what_is_allowed_in_words(part: dict[str, Any], words: str) -> None:
    assert allowed_values(part) == words


def test_a_summary_is_the_first_sentence_and_the_unit() -> None:
    setting = Setting("x", None, "", "s", "With `a`, 0.5 of it; then b. And more.")
    assert setting.summary == "With a, 0.5 of it (s); then b"
    assert setting.default_yaml == "null"


def test_a_table_in_markdown() -> None:
    table = markdown_table(("a", "b"), [("x|y", ""), ("", "z")])
    assert table == "| a | b |\n|---|---|\n| x\\|y | |\n| | z |\n"
