"""Tables of the docs that are made from the registers, and their place in hand-written pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from talkingface import tables
from talkingface.settings.describe import config_text, markdown_table, settings_page
from talkingface.stages import FEATURES, STAGES, products_of
from talkingface.tables import Column


def make_pages(root: str | Path, parts: Mapping[str, str]) -> dict[Path, str]:
    """What is made below the project's folder `root`: the text of config.yaml, docs/settings.md,
    and of those pages in docs/ that have a place for one of `parts`.

    A part called x stands between the lines `<!-- x: ... -->` and `<!-- end of x -->`. Raises
    ValueError where the second line is missing.
    """
    root = Path(root)
    made = {root / "config.yaml": config_text(), root / "docs/settings.md": settings_page()}
    for path in sorted(root.glob("docs/*.md")):
        text = path.read_text("utf-8")
        for name, part in parts.items():
            try:
                text = _with_part(text, name, part)
            except ValueError:
                raise ValueError(f"{path}: <!-- {name}: has no <!-- end of {name} -->") from None
        if path not in made and any(f"<!-- {name}:" in text for name in parts):
            made[path] = text
    return made


def purposes_table() -> str:
    """What every stage does, in Markdown."""
    rows = [(f"`{stage.name}`", stage.purpose) for stage in STAGES.values()]
    return markdown_table(("stage", "what it does"), rows)


def stages_table() -> str:
    """The files that every stage makes of a clip, in Markdown."""
    rows = []
    for stage in STAGES.values():
        for number, product in enumerate(stage.products):
            name = "" if number else f"`{stage.name}`"
            path = f"`{product.path}`"
            rows.append((name, path, product.content, product.shape, product.dtype, product.unit))
    titles = ("stage", "files under `results/`", "content", "shape", "dtype", "unit")
    return markdown_table(titles, rows)


def columns_tables() -> str:
    """The columns of all tables, in Markdown; tables of the same columns are one."""
    dataset = tables.dataset_clips(tuple(product.column for product in products_of(FEATURES)))
    paths: dict[tuple[str, tuple[Column, ...]], list[str]] = {}
    for table in (*tables.tables_by_path().values(), dataset):
        paths.setdefault((table.row, table.columns), []).append(f"`{table.path}`")
    titles = ("column", "kind", "unit", "meaning")
    blocks = []
    for (row, columns), places in paths.items():
        rows = [(f"`{c.name}`", c.kind, c.unit, c.meaning) for c in columns]
        head = f"### {', '.join(places)}\n\nA row is {row}.\n\n"
        blocks.append(head + markdown_table(titles, rows))
    return "\n".join(blocks)


def _with_part(text: str, name: str, part: str) -> str:
    marker, end_marker = f"<!-- {name}:", f"<!-- end of {name} -->"
    if marker not in text:
        return text
    begin = text.index("\n", text.index(marker)) + 1
    end = text.index(end_marker, begin)
    return text[:begin] + part + text[end:]
