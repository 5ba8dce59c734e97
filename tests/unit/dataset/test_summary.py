import pytest

from talkingface.dataset.summary import describe

SPLIT = {"split": {"eval_fraction": 0.1, "seed": 0}}


def test_what_came_in_what_was_kept_and_why_not() -> None:
    text = describe(
        {
            "videos": {"count": 7, "by_status": {"ok": 7}},
            "hours_in": 2.5,
            "kept": {"clips": 40, "hours": 0.5},
            "rejected": [
                {"stage": "sync", "reason": "not_speaking", "count": 12},
                {"stage": "tracks", "reason": "no_face", "count": 1},
            ],
            "train": {"clips": 36},
            "eval": {"clips": 4},
            **SPLIT,
        }
    )
    first, *rest = text.splitlines()
    assert first == "7 videos, 2.5 h; kept 40 clips, 30.0 min (train 36, eval 4)"
    assert [line.split() for line in rest] == [
        ["12", "not", "kept", "by", "sync:", "not_speaking"],
        ["1", "not", "kept", "by", "tracks:", "no_face"],
    ]


def test_what_was_decided_by_hand_is_said_where_there_is_any() -> None:
    summary = {
        "videos": {"count": 1}, "hours_in": 2.5, "kept": {"clips": 4, "hours": 0.5},
        "rejected": [{"stage": "decisions", "reason": "by hand", "count": 2}],
        "train": {"clips": 3}, "eval": {"clips": 1}, **SPLIT,
    }  # fmt: skip
    counted = {"by_hand": {"kept": 3, "rejected": 2, "unknown": 0}}
    _, by_hand, rejected = describe(summary | counted).splitlines()
    assert by_hand == "  by hand: 3 kept, 2 rejected"
    assert rejected.split() == ["2", "not", "kept", "by", "decisions:", "by", "hand"]
    counted["by_hand"]["unknown"] = 1
    assert (
        describe(summary | counted).splitlines()[1] == "  by hand: 3 kept, 2 rejected, 1 of no clip"
    )


@pytest.mark.parametrize(
    ("train", "evaluated", "fraction", "empty"),
    [(4, 0, 0.1, "eval"), (0, 4, 0.1, "train"), (0, 0, 0.1, ""), (4, 0, 0, ""), (3, 1, 0.1, "")],
)
def test_a_side_without_a_clip_is_said_where_one_was_asked_for(
    train: int, evaluated: int, fraction: float, empty: str
) -> None:
    text = describe(
        {
            "videos": {"count": 1}, "hours_in": 1, "rejected": [],
            "kept": {"clips": train + evaluated, "hours": 0.5},
            "train": {"clips": train}, "eval": {"clips": evaluated},
            "split": {"eval_fraction": fraction, "seed": 0},
        }
    )  # fmt: skip
    said = [line for line in text.splitlines() if "no clip is in" in line]
    assert len(said) == bool(empty)
    assert all(f"no clip is in {empty}: " in line and "`split`" in line for line in said)
