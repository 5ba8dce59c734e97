"""The register says what the rules, the schema and the tables say."""

from __future__ import annotations

import re

import pytest
import yaml

from helpers.paths import ROOT
from talkingface import stages, tables
from talkingface.exports.export import load
from talkingface.exports.table import EXPORTS, Export
from talkingface.stages import FEATURES, STAGES

SNAKEFILE = (ROOT / "Snakefile").read_text()
# In the order in which the Snakefile includes them.
RULES = {
    name: body
    for file in re.findall(r'^include: "(rules/\w+\.smk)"', SNAKEFILE, re.MULTILINE)
    for name, body in re.findall(
        r"^rule (\w+):\n(.*?)(?=^\S|\Z)", (ROOT / file).read_text(), re.MULTILINE | re.DOTALL
    )
}
OF_NO_VIDEO = {"models", "retry_unavailable", "dataset", "card", "report"}
TABLES = [*tables.tables_by_path().values()]


def inputs(rule: str) -> str:
    return RULES[rule].partition("    output:")[0]


def test_every_stage_has_a_rule_in_the_same_order() -> None:
    assert [name for name in RULES if name not in OF_NO_VIDEO] == list(STAGES)


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_stage_reads_what_its_rule_reads(stage: stages.Stage) -> None:
    read = set(re.findall(r"\brules\.(\w+)\.output", inputs(stage.name)))
    assert read == set(stage.reads)
    assert ("**SHOWN" in inputs(stage.name)) == bool(stage.shows)


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_stage_writes_what_its_rule_writes(stage: stages.Stage) -> None:
    outputs = RULES[stage.name].partition("    output:")[2].partition("    log:")[0]
    assert f'"results/{stage.manifest}"' in outputs
    for product in stage.products:
        assert product.path.startswith(f"{stage.name}/{{video}}/{{clip}}")
        assert f'directory("results/{stage.name}/{{video}}")' in outputs


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_stage_s_files_are_the_outputs_of_its_rule(stage: stages.Stage) -> None:
    outputs = RULES[stage.name].partition("    output:")[2].partition("    log:")[0]
    folder = [stage.clip_folder] if stage.clip_folder else []
    assert sorted(re.findall(r'"results/(.+?)"', outputs)) == sorted([*stage.video_files, *folder])
    assert set(stage.disposable) <= set(stage.video_files)
    assert all(path.startswith(f"{stage.clip_folder}/{{clip}}") for path in stage.clip_files)


def test_every_table_of_a_clip_is_among_a_stage_s_files() -> None:
    written = {path for stage in STAGES.values() for path in stage.clip_files}
    assert {table.path for table in TABLES if "{video}/{clip}" in table.path} <= written


def test_what_features_need_is_made_for_them() -> None:
    always = {"clips", "landmarks", "pose", "quality"}
    asked_for = {stage.name for stage in STAGES.values() if stage.export or stage.report}
    of_clips = {stage.name for stage in STAGES.values() if stage.clip_folder} - asked_for
    for features, wanted in (
        ([], always),
        (["torso"], always | {"torso", "parsing"}),
        (["overlay"], always | {"overlay"}),
        (FEATURES, of_clips),
    ):
        made = stages.stages_made(features)
        assert set(made) == wanted | (set(STAGES) - of_clips - asked_for)
        assert list(made) == [name for name in STAGES if name in made]


def test_what_an_export_needs_is_made_for_it() -> None:
    of_exports = {stage.name for stage in STAGES.values() if stage.export}
    assert of_exports.isdisjoint(stages.stages_made(FEATURES))
    assert of_exports <= set(stages.stages_made([], EXPORTS))
    assert [name for name in EXPORTS if name in of_exports] == [
        name for name in STAGES if name in of_exports
    ]
    for name in of_exports:
        assert set(STAGES[name].reads) & set(FEATURES) <= set(EXPORTS[name].needs)


def test_what_the_report_needs_is_made_for_it() -> None:
    of_report = {stage.name for stage in STAGES.values() if stage.report}
    assert of_report == {"preview"}
    without, made = stages.stages_made([]), stages.stages_made([], report=True)
    assert set(made) - set(without) == of_report
    assert of_report.isdisjoint(stages.stages_made(FEATURES, EXPORTS))


def test_the_config_can_ask_for_every_export_and_nothing_else() -> None:
    schema = yaml.safe_load((ROOT / "schemas/config.schema.yaml").read_text())
    exports = schema["properties"]["exports"]["items"]["enum"]
    assert exports == list(EXPORTS)


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_an_export_has_a_layout_a_page_and_tests(export: Export) -> None:
    assert callable(load(export.name))
    assert {*export.needs, *export.takes} <= set(FEATURES)
    assert (ROOT / f"docs/exports/{export.name}.md").exists()
    assert (ROOT / f"tests/unit/exports/test_{export.name}.py").exists()
    assert f"`{export.name}`" in (ROOT / "docs/exports.md").read_text()


def test_a_stage_reads_stages_before_it_or_asks_for_them() -> None:
    order = list(STAGES)
    for stage in STAGES.values():
        assert set(stage.reads) | set(stage.shows) <= set(order)
        assert set(stage.shows) <= set(FEATURES)


def test_the_config_can_ask_for_every_feature_and_nothing_else() -> None:
    schema = yaml.safe_load((ROOT / "schemas/config.schema.yaml").read_text())
    features = schema["properties"]["features"]["items"]["enum"]
    assert sorted(features) == sorted(FEATURES)


def test_a_column_of_the_dataset_is_one_thing() -> None:
    products = [product.column for product in stages.products_of(FEATURES)]
    names = tables.dataset_clips(tuple(products)).names
    assert len(names) == len(set(names))


def test_a_column_is_text_everywhere_or_nowhere() -> None:
    """So that a table can be read without knowing which it is."""
    text = {c.name for t in TABLES for c in t.columns if c.kind == "text"}
    numbers = {c.name for t in TABLES for c in t.columns if c.kind != "text"}
    assert not text & numbers


def test_every_table_of_a_stage_is_defined() -> None:
    paths = {table.path for table in TABLES}
    assert len(paths) == len(TABLES)
    assert {stage.manifest for stage in STAGES.values() if stage.suffix == ".csv"} <= paths
