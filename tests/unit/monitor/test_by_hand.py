"""Decisions and the ledgers there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkingface.job.tables import table_of_rows, write_table
from talkingface.monitor.by_hand import contradicts, find_unknown, kept_by_video
from talkingface.settings.decisions import Decision
from talkingface.tables import SEGMENTS

KEPT = {"verdict": "kept"}
UNSURE = {"verdict": "kept", "stage": "sync", "reason": "unsure"}
REJECTED = {"verdict": "rejected", "stage": "sync", "reason": "offset", "detail": "set by hand"}
BY_HAND = {"verdict": "kept", "stage": "decisions", "reason": "by hand"}


def write_ledger(path: Path, video: str, *verdicts: dict[str, str]) -> list[str]:
    """A ledger of candidates with these verdicts, and a gap; their names."""
    names = [f"{video}_{100 * k:06d}_{100 * k + 100:06d}_00" for k in range(len(verdicts))]
    rows = [
        {"clip_id": name, "video_id": video, **verdict}
        for name, verdict in zip(names, verdicts, strict=True)
    ]
    gap = {"video_id": video, "verdict": "rejected", "stage": "proxy", "reason": "gap"}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(table_of_rows(SEGMENTS, [*rows, gap]), path, SEGMENTS)
    return names


@pytest.mark.parametrize(
    ("verdict", "keep", "expected"),
    [
        (KEPT, False, False),
        (KEPT, True, False),
        (UNSURE, True, False),
        (REJECTED, False, False),
        (REJECTED, True, True),
        (BY_HAND, True, False),
        (BY_HAND, False, True),
    ],
)
def test_a_ledger_is_judged_again_only_where_it_says_otherwise(
    tmp_path: Path, verdict: dict[str, str], keep: bool, expected: bool
) -> None:
    ledger = tmp_path / "v.csv"
    _, name, _ = write_ledger(ledger, "v", KEPT, verdict, BY_HAND)
    others = {"v_000200_000300_00", "v_000700_000800_00"}
    assert contradicts(ledger, others | ({name} if keep else set())) is expected
    _, name = write_ledger(ledger, "v", REJECTED, verdict)
    assert contradicts(ledger, {name} if keep else set()) is expected


def test_what_cannot_be_read_is_for_others_to_say(tmp_path: Path) -> None:
    ledger = tmp_path / "v.csv"
    assert not contradicts(ledger, {"v_000000_000100_00"})
    for damaged in (b"", b"clip_id,verdict\nby hand,1\n", b"clip_id,verdict,stage,reason\nby hand"):
        ledger.write_bytes(damaged)
        assert not contradicts(ledger, {"v_000000_000100_00"})


def test_clips_to_keep_are_of_their_videos() -> None:
    decisions = {
        "a_000000_000100_00": Decision("keep"),
        "a_000000_000000_000100_00": Decision("keep"),
        "a_000100_000200_01": Decision("keep", "x"),
        "b_000000_000100_00": Decision("reject"),
        "c_000000_000100_00": Decision("", "x"),
    }
    assert kept_by_video(decisions) == {
        "a": {"a_000000_000100_00", "a_000100_000200_01"},
        "a_000000": {"a_000000_000000_000100_00"},
    }


def test_what_no_ledger_of_a_listed_video_has_is_unknown(tmp_path: Path) -> None:
    (known,) = write_ledger(tmp_path / "segments/a.csv", "a", REJECTED)
    (other,) = write_ledger(tmp_path / "segments/unlisted.csv", "unlisted", KEPT)
    decided = ["a_000000_000099_00", "late_000000_000100_00", other, known]
    assert find_unknown(decided, tmp_path, ["a", "late"]) == ["a_000000_000099_00", other]
    assert find_unknown([], tmp_path, ["a"]) == []
