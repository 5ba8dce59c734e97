"""One clock for a file whose own timestamps jump: a recording that began anew, joined pieces.

Pictures go first: where their timestamps jump, their clock goes on as if the next picture followed
at once. The sound is then placed by the sections between the jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from talkingface.media.reading import Section

# A step forward of more than this, in seconds, is a jump of the clock and not a picture that stands
# still; ffmpeg sees it in the same way (its option -dts_delta_threshold).
MAX_HOLD = 10
# A step back of more than this, in seconds, is a clock that began anew; less is disorder.
MAX_DISORDER = Fraction(1, 2)
# More jumps than this leave nothing to be had: in two hours no stretch would last a second.
MAX_JUMPS = 10_000
# The sound jumps where it is this far, in seconds, from where it is due, and belongs to a section
# that it begins or ends so far outside of.
SOUND_JUMP = 0.5
SOUND_SLACK = 1


class BrokenClock(ValueError):
    """A file whose timestamps jump so often that nobody can say what is on screen when."""


class PictureClock:
    """Places the frames of a file, one after the other, on a clock that never jumps.

    `shift` is what is added to a timestamp, in seconds; None until the first frame, which then
    stands at 0. `jumps` counts how often it changed. Timestamps and durations are whole numbers of
    `time_base` seconds: there are many, and fractions take their time.
    """

    def __init__(self, time_base: Fraction, shift: Fraction | None = None) -> None:
        self.shift = shift
        self.jumps = 0
        self._time_base = time_base
        self._most = int(MAX_HOLD / time_base)
        self._least = -int(MAX_DISORDER / time_base)
        self._last: int | None = None
        self._due = 0

    def place(self, timestamp: int, duration: int) -> bool:
        """Whether a frame that lasts for `duration` comes after the frame before it; `shift` is
        that of this frame then. Raises BrokenClock after MAX_JUMPS."""
        if self.shift is None:
            self.shift = -timestamp * self._time_base
        if self._last is not None:
            step = timestamp - self._last
            if step > self._most or step < self._least:
                self.shift += (self._due - timestamp) * self._time_base
                self.jumps += 1
                if self.jumps > MAX_JUMPS:
                    raise BrokenClock(f"timestamps jump more than {MAX_JUMPS} times")
            elif step <= 0:
                return False
        self._last, self._due = timestamp, timestamp + duration
        return True


class SoundClock:
    """Places the sound of a file, piece by piece in its order, by the sections of its pictures."""

    def __init__(self, sections: Sequence[Section]) -> None:
        if not sections:
            raise ValueError("no sections")
        self._sections = sections
        self._starts = np.array([float(section.start) for section in sections])
        self._ends = np.array([float(section.end) for section in sections])
        self._at: int | None = 0
        self._due: float | None = None
        # The section of the pictures that lie here in the file, and where the last one is decoded.
        self._pictures = 0
        self._decoded: Fraction | None = None

    def pass_picture(self, timestamp: Fraction, decoded: Fraction) -> None:
        """Take in that a picture comes next in the file: when it is shown, and when decoded."""
        step = Fraction(0) if self._decoded is None else decoded - self._decoded
        self._decoded = decoded
        if step > MAX_HOLD or step < -MAX_DISORDER:
            later = self._having(float(timestamp))
            later = later[later > self._pictures]
            self._pictures = int(later[0]) if later.size else self._pictures

    def place(self, timestamp: float, duration: float) -> int | None:
        """The number of the section that a piece of sound belongs to; None where it is of none.

        Sound that goes on without a jump stays where it is, or walks on over a gap that only the
        pictures have. After a jump it belongs to a later section that has its timestamp, of several
        to the one whose pictures lie nearest in the file.
        """
        jumped = self._due is None or abs(timestamp - self._due) > SOUND_JUMP
        back = self._due is not None and timestamp < self._due
        self._due = timestamp + duration
        if jumped:
            self._at = self._find(timestamp, back)
        elif self._at is not None:
            self._at = self._walk_on(self._at, timestamp)
        return self._at

    def stretch(self, number: int) -> tuple[Fraction, Fraction | None]:
        """Shift of a section, and where the next one begins on the grid's clock: no sound of this
        one may reach beyond."""
        if number + 1 == len(self._sections):
            return self._sections[number].shift, None
        following = self._sections[number + 1]
        return self._sections[number].shift, following.start + following.shift

    def _having(self, timestamp: float) -> np.ndarray:
        """Numbers of the sections that have a timestamp, or nearly so, in their order."""
        inside = (self._starts - SOUND_SLACK <= timestamp) & (timestamp < self._ends + SOUND_SLACK)
        return np.flatnonzero(inside)

    def _find(self, timestamp: float, back: bool) -> int | None:
        first = self._at or 0
        found = self._having(timestamp)
        # A step back within one section is rarer than a clock that began anew.
        later = found[found >= first + back]
        if later.size:
            return int(later[np.abs(later - self._pictures).argmin()])
        # Sound before the first picture or after the last one is of no use, but no jump either.
        if first in found or (timestamp < self._sections[first].start and not back):
            return first
        return None

    def _walk_on(self, number: int, timestamp: float) -> int:
        while number + 1 < len(self._sections):
            section, following = self._sections[number : number + 2]
            if not section.end < following.start <= timestamp:
                break
            number += 1
        return number
