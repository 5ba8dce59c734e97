"""What is noticed of a video while it is decoded: sizes of pictures, gaps, jumps of its clock."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from talkingface.grid import FPS
from talkingface.media.clock import MAX_HOLD
from talkingface.media.reading import Section
from talkingface.media.sizes import even_size

if TYPE_CHECKING:
    from talkingface.media.video import ShownFrame

# A picture that stays longer than this, in seconds, stands for others that are missing: no lips are
# seen to speak at less than two pictures a second.
LONGEST_PICTURE = 0.5
MOST_FRAMES = int(LONGEST_PICTURE * FPS)
# A file that ends this much earlier than it says, in seconds and as a share, is truncated.
MISSING_SECONDS = 1.0
MISSING_SHARE = 0.02


class Picture(NamedTuple):
    """Size in pixels of a video's pictures from grid frame `start` on: upright and with square
    pixels, and as they are in the analysis copy."""

    start: int
    width: int
    height: int
    proxy_width: int
    proxy_height: int


class Gap(NamedTuple):
    """Grid frames `start` to `end` (exclusive) of which there is no picture.

    reason: `gap` where the picture before stands still meanwhile, for `seconds`; `clock_jump` where
    the file's timestamps jump, by `seconds`, and the next picture follows at once; `truncated` at
    the end of a file that lacks its last `seconds`. threshold: how many would be none.
    """

    start: int
    end: int
    reason: str
    seconds: float
    threshold: float
    detail: str


def fitted_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Even width and height of the same shape, the longer side at most `long_side`."""
    scale = min(1.0, long_side / max(width, height))
    return even_size(width * scale, height * scale)


class Timeline:
    """Notices these of a video whose frames it is given in their order.

    `n_frames` counts all frames of the grid, `still_frames` those in which the picture stands still
    for too long. In the copy the longer side of a picture is `long_side` pixels at most, and
    `proxy_size` the width and height that all pictures go into.
    """

    def __init__(self, long_side: int) -> None:
        self._long_side = long_side
        self.n_frames = self.still_frames = 0
        self.proxy_size = (0, 0)
        self.pictures: list[Picture] = []
        self.gaps: list[Gap] = []
        # Timestamp of the first frame and shift of every section, and the frame after its last.
        self._begins: list[tuple[Fraction, Fraction]] = []
        self._ends: list[int] = []

    def add(self, shown: ShownFrame) -> None:
        """Take in the next frame."""
        size = shown.display_size
        if not self.pictures or self.pictures[-1][1:3] != size:
            fitted = fitted_size(*size, self._long_side)
            self.pictures.append(Picture(shown.start, *size, *fitted))
            width, height = self.proxy_size
            self.proxy_size = (max(width, fitted[0]), max(height, fitted[1]))
        if not self._begins or self._begins[-1][1] != shown.shift:
            self._add_section(shown)
        if shown.end - shown.start > MOST_FRAMES:
            self._add_gap(shown.start + 1, shown.end)
        self.n_frames = shown.end
        self._ends[-1] = shown.end

    def end(self, claimed: float) -> None:
        """Take in that the video is over, which claims to be so many seconds long; 0: nothing."""
        seconds = self.n_frames / FPS
        least = max(MISSING_SECONDS, MISSING_SHARE * claimed)
        # What a file says of its length means nothing where its clock jumps.
        if len(self._begins) == 1 and claimed - seconds > least:
            detail = f"{seconds:.1f} s of {claimed:.1f} s could be decoded"
            self._add_moment(self.n_frames, "truncated", claimed - seconds, least, detail)

    @property
    def clock(self) -> tuple[Section, ...]:
        """The sections between the jumps."""
        return tuple(
            Section(start, Fraction(end, FPS) - shift, shift)
            for (start, shift), end in zip(self._begins, self._ends, strict=True)
        )

    @property
    def cuts(self) -> list[int]:
        """Grid frames at which something else begins: pictures of another size, or after a jump."""
        jumps = [gap.start for gap in self.gaps if gap.reason == "clock_jump"]
        return sorted({*(picture.start for picture in self.pictures), *jumps} - {0})

    def _add_section(self, shown: ShownFrame) -> None:
        if self._begins:
            before = self._ends[-1] / FPS - float(self._begins[-1][1])
            after = float(shown.timestamp)
            detail = f"timestamps jump from {before:.2f} to {after:.2f} s"
            self._add_moment(shown.start, "clock_jump", after - before, MAX_HOLD, detail)
        self._begins.append((shown.timestamp, shown.shift))
        self._ends.append(shown.start)

    def _add_gap(self, start: int, end: int) -> None:
        """Where pictures come now and then, it is one gap from the first to the last."""
        self.still_frames += end - start
        last = self.gaps[-1] if self.gaps else None
        if last and last.reason == "gap" and start - last.end <= MOST_FRAMES:
            start = last.start
            self.gaps.pop()
        seconds, detail = (end - start) / FPS, "the picture stands still"
        self.gaps.append(Gap(start, end, "gap", seconds, LONGEST_PICTURE, detail))

    def _add_moment(
        self, frame: int, reason: str, seconds: float, threshold: float, detail: str
    ) -> None:
        self.gaps.append(Gap(frame, frame, reason, round(seconds, 3), threshold, detail))
