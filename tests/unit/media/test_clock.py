"""Clocks that jump, in numbers; whole films are in shots/test_timeline.py."""

from fractions import Fraction

import pytest

from talkingface.media.clock import PictureClock, SoundClock
from talkingface.media.reading import Section


def placed(times: list[float]) -> list[float | None]:
    """Where frames of 40 ms stand, in seconds; timestamps are milliseconds."""
    clock, found = PictureClock(Fraction(1, 1000)), []
    for time in times:
        stands = clock.place(round(1000 * time), 40)
        found.append(round(time + float(clock.shift), 3) if stands else None)
    return found


def test_time_goes_on_after_a_jump() -> None:
    assert placed([7, 7.04, 7.08]) == [0, 0.04, 0.08]
    assert placed([7, 3, 3.04]) == [0, 0.04, 0.08]
    assert placed([7, 7.04, 5000, 5000.04, 7.08]) == [0, 0.04, 0.08, 0.12, 0.16]


def test_ten_seconds_are_no_jump_and_disorder_is_none() -> None:
    assert placed([0, 10, 20.1]) == [0, 10, 10.04]
    assert placed([0, 0.2, 0.12, 0.2, 0.24]) == [0, 0.2, None, None, 0.24]


def section(start: float, end: float, shift: float) -> Section:
    return Section(Fraction(start), Fraction(end), Fraction(shift))


@pytest.mark.parametrize(
    ("sections", "times", "truth"),
    [
        # A recording that began anew, whose sound ends and begins a little off.
        ([section(0, 5, 0), section(0, 5, 5)], [0, 2, 4.2, 0.1, 2, 4], [0, 0, 0, 1, 1, 1]),
        # Pictures are missing, the sound is not: that in between is nobody's.
        ([section(0, 5, 0), section(20, 25, -15)], [3, 4, 5, 6, 19, 20, 21], [0] * 5 + [1, 1]),
        # A second far off, in both.
        (
            [section(0, 5, 0), section(900, 901, -895), section(6, 9, 0)],
            [4, 900, 6, 7],
            [0, 1, 2, 2],
        ),
        # Sound that jumps to where no picture is.
        ([section(0, 5, 0)], [0, 1, 700, 701, 2], [0, 0, None, None, 0]),
        # Sound long before the first picture.
        ([section(60, 65, -60)], [0, 1, 2], [0, 0, 0]),
    ],
)
def test_sound_belongs_to_the_section_that_has_its_time(
    sections: list[Section], times: list[float], truth: list[int | None]
) -> None:
    clock = SoundClock(sections)
    found, last = [], None
    for time in times:
        # Where it goes on, all in between is given as well.
        between = (
            [] if last is None or not 0 < time - last <= 14 else range(int((time - last) * 10))
        )
        for _ in between:
            last += 0.1
            clock.place(last, 0.1)
        found.append(clock.place(time, 0.1))
        last = time + 0.1
    assert found == truth


def test_no_sound_of_a_section_reaches_into_the_next() -> None:
    clock = SoundClock([section(0, 5, 0), section(20, 25, -15)])
    assert clock.stretch(0) == (0, 5) and clock.stretch(1) == (-15, None)
