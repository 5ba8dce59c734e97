"""What `make docs` writes, and that it is written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT, SCRIPTS
from talkingface import tables
from talkingface.settings.pages import columns_tables, make_pages, purposes_table, stages_table
from talkingface.stages import STAGES

PAGE = """\
# A page

<!-- stages: made by `make docs` -->
| an old table |
<!-- end of stages -->

Words.
"""


def make_docs(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPTS / "make_docs.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_what_is_made_is_up_to_date() -> None:
    done = make_docs("--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_out_of_date_is_named_and_written(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "config.yaml", tmp_path)
    (tmp_path / "docs/outputs.md").write_text(PAGE)
    (tmp_path / "docs/other.md").write_text("nothing made\n")
    done = make_docs("--check", tmp_path)
    assert done.returncode == 1
    assert {line.split(" ")[0] for line in done.stderr.splitlines()} == {
        str(tmp_path / "docs/settings.md"),
        str(tmp_path / "docs/outputs.md"),
    }
    assert make_docs(tmp_path).returncode == 0
    assert make_docs("--check", tmp_path).returncode == 0
    page = (tmp_path / "docs/outputs.md").read_text()
    assert page == PAGE.replace("| an old table |\n", stages_table())
    assert (tmp_path / "docs/other.md").read_text() == "nothing made\n"


def test_a_part_without_its_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text(PAGE.replace("end of stages", "end"))
    with pytest.raises(ValueError, match=r"a\.md: .*end of stages"):
        make_pages(tmp_path, {"stages": "new\n"})


def test_every_product_has_a_row() -> None:
    lines = stages_table().splitlines()
    products = [product for stage in STAGES.values() for product in stage.products]
    assert len(lines) == 2 + len(products)
    for line, product in zip(lines[2:], products, strict=True):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        assert cells[1:] == [
            f"`{product.path}`", product.content, product.shape, product.dtype, product.unit
        ]  # fmt: skip
    assert [line.split("`")[1] for line in lines[2:] if line.startswith("| `")] == [
        stage.name for stage in STAGES.values() if stage.products
    ]
    assert len(purposes_table().splitlines()) == 2 + len(STAGES)


def test_every_table_has_its_columns() -> None:
    text = columns_tables()
    for table in (tables.TRACKS, tables.CLIP_FRAMES, tables.QUALITY, tables.REJECTED):
        block = text.split(f"`{table.path}`\n", 1)[1].split("\n###")[0]
        assert [line.split("`")[1] for line in block.splitlines() if line.startswith("| `")] == (
            table.names
        )
        assert f"A row is {table.row}." in block
    # Manifests that say nothing more of a clip are one table.
    assert "### `torso/{video}.csv`, `frames/{video}.csv`," in text
    block = text.split("### `dataset/clips.csv`\n", 1)[1]
    assert "| `landmarks68` |" in block and "| `split` |" in block
