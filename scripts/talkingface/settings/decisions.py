"""What a person decided about single clips, decisions.csv: its only readers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from talkingface.grid import video_of_clip
from talkingface.settings import lists
from talkingface.settings.lists import Faults, RowChecks, read_rows
from talkingface.settings.schema import ConfigError, load_schema, shortened
from talkingface.text import clean, plain_cell

KEEP, REJECT = "keep", "reject"
MOST_NAMED = 10
_PURPOSE = "It lists what was decided by hand: clip_id,decision[,note]"
# Columns that the header must have; in a row the decision may be empty.
_IN_HEADER = ("clip_id", "decision")


class Decision(NamedTuple):
    """What a person says of a clip: KEEP, REJECT or, where there is only a note, ""."""

    decision: str
    note: str = ""


def read_decisions(path: str | Path) -> dict[str, Decision]:
    """Read decisions.csv: what was decided about every clip in it, in the order of the file.

    There is nothing where there is no such file. Notes are on one line, without what steers
    terminals or hides; those of several rows of one clip are one. An apostrophe with which a cell
    was kept from being a formula of a spreadsheet is gone.

    Raises ConfigError naming the file, the row (its line in the file) and what is allowed; all
    faults are listed at once, of many the first.
    """
    path = Path(path)
    if path.is_symlink() and not path.exists():
        # With the disk it is on, what is kept by hand would be gone.
        raise ConfigError(
            f"{path}: a link to {shortened(str(path.readlink()))}, which is not there"
        )
    if not path.exists():
        return {}
    schema = load_schema("decisions")
    checks, faults = RowChecks(schema), Faults(path)
    decisions: dict[str, Decision] = {}
    decided_on: dict[str, int] = {}
    rows = 0
    for line, cells in read_rows(path, list(schema["properties"]), _IN_HEADER, _PURPOSE):
        rows += 1
        row = {name: plain_cell(cell) for name, cell in cells.items()}
        clip_id, decision = row.get("clip_id", ""), row.get("decision", "")
        before = decisions.get(clip_id, Decision(""))
        contradicts = bool(decision and before.decision and decision != before.decision)
        if contradicts or not checks.accept(row):
            faults.add(line, _faults(checks, row, before, decided_on.get(clip_id)))
        if decision:
            decided_on.setdefault(clip_id, line)
        notes = dict.fromkeys(filter(None, (before.note, clean(row.get("note", "")))))
        decisions[clip_id] = Decision(before.decision or decision, clean("; ".join(notes)))
    faults.refuse(rows)
    return decisions


def kept_by_hand(decisions: Mapping[str, Decision]) -> dict[str, str]:
    """The notes of the clips that are to be kept, by their names."""
    return {clip_id: note for clip_id, (decision, note) in decisions.items() if decision == KEEP}


def without_clips(content: bytes, video_ids: Collection[str]) -> bytes:
    """A decisions.csv without the rows on clips of `video_ids`; all the rest stays byte for byte.

    Raises UnicodeDecodeError and csv.Error where `read_decisions` would refuse it.
    """
    return lists.without_rows(
        content, "clip_id", lambda clip_id: video_of_clip(plain_cell(clip_id)) in video_ids
    )


def describe_unknown(clip_ids: Sequence[str]) -> str:
    """One line on decisions about clips that there are not."""
    more = ", ..." if len(clip_ids) > MOST_NAMED else ""
    return (
        f"decided by hand, but there are no such clips ({len(clip_ids)}): "
        f"{', '.join(clip_ids[:MOST_NAMED])}{more}. Other settings cut a video elsewhere, and its "
        "clips have other names then; or their video is not listed"
    )


def _faults(
    checks: RowChecks, row: Mapping[str, str], before: Decision, first_line: int | None
) -> Iterator[str]:
    """What is wrong with a row about a clip on which `first_line` has decided as `before`."""
    yield from checks.faults(row)
    decision = row.get("decision", "")
    if first_line is not None and decision and decision != before.decision:
        yield (
            f"clip_id {shortened(repr(row['clip_id']))}: {shortened(repr(decision))}, but "
            f"{before.decision!r} on line {first_line}: one of the two has to go"
        )
