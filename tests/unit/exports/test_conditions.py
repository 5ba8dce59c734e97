"""What is compared before training, and what is said of it."""

from __future__ import annotations

import pytest

from talkingface.exports.conditions import Condition, at_least, at_most, equal

NAN = float("nan")


@pytest.mark.parametrize(
    ("condition", "needed", "is_met"),
    [
        (at_least("frames", 74, 75), "at least 75", False),
        (at_least("frames", 75, 75), "at least 75", True),
        (at_most("offset", 6, 6), "at most 6", True),
        (at_most("offset", 7, 6), "at most 6", False),
        (at_least("measured by nobody", NAN, 3), "at least 3", True),
        (at_most("measured by nobody", NAN, 3), "at most 3", True),
        (equal("frames without a face", 0, 0), 0, True),
        (equal("size", "2 x 2", "1 x 1"), "1 x 1", False),
    ],
)
def test_a_bound_itself_is_allowed_and_what_was_not_measured_too(
    condition: Condition, needed: object, is_met: bool
) -> None:
    assert (condition.needed, condition.is_met) == (needed, is_met)
