"""The text of a settings file, looked at without building what it says.

Snakemake reads these files, and follows whatever they ask for: it runs what is in a file with
`__use_yte__`, writes out every alias, and ends in a traceback on a number of thousands of digits.
What is refused here before Snakemake reads it is refused in one line. Files on the command line
Snakemake reads before anything of a workflow runs: of those this can only say what they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from talkingface.settings.schema import LOADER, ConfigError

# Many times what all settings take.
MOST_BYTES = 1 << 20
MOST_VALUES = 10_000
MOST_DEPTH = 10
MOST_DIGITS = 100

RUNS_CODE = "__use_yte__"


def check_config_file(path: str | Path) -> None:
    """Raise ConfigError, naming file and line, for a settings file that is no plain data.

    What is no YAML, or no file, is left for Snakemake to say.
    """
    path = Path(path)
    if not path.is_file():
        return
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path}: longer than {MOST_BYTES:,} bytes, which no settings take")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text") from error
    try:
        for line, fault in _faults(text):
            raise ConfigError(f"{path}, line {line}: {fault}")
    except yaml.YAMLError:
        return


def _faults(text: str) -> Iterator[tuple[int, str]]:
    """Lines and what is wrong there, in turn, while the text is read."""
    # Of every collection that is open: how many values it holds, aliases written out; its anchor.
    open_counts: list[int] = [0]
    open_anchors: list[str | None] = [None]
    counts: dict[str, int] = {}
    for event in yaml.parse(text, Loader=LOADER):
        line = event.start_mark.line + 1
        added = 0
        if isinstance(event, yaml.CollectionStartEvent):
            open_counts.append(1)
            open_anchors.append(event.anchor)
            if len(open_counts) > MOST_DEPTH:
                yield line, f"nested more than {MOST_DEPTH} deep"
        elif isinstance(event, yaml.CollectionEndEvent):
            added, anchor = open_counts.pop(), open_anchors.pop()
            if anchor:
                counts[anchor] = added
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                yield line, f"*{event.anchor:.50} stands for what it is in"
            added = counts.get(event.anchor, 0)
        elif isinstance(event, yaml.ScalarEvent):
            added = 1
            if event.anchor:
                counts[event.anchor] = 1
            yield from ((line, fault) for fault in _scalar_faults(event))
        open_counts[-1] += added
        if open_counts[-1] > MOST_VALUES:
            yield line, f"more than {MOST_VALUES:,} values, with all that aliases stand for"


def _scalar_faults(event: yaml.ScalarEvent) -> Iterator[str]:
    if event.value == RUNS_CODE:
        yield (
            f"{RUNS_CODE}: with this Snakemake runs what is in a file as a program; given with "
            "--configfile it was run already. Write plain settings instead"
        )
    if event.implicit[0] and event.value[:1] in "+-.0123456789" and len(event.value) > MOST_DIGITS:
        yield f"a number of {len(event.value):,} characters"
