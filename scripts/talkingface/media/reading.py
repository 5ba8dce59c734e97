"""How the frames and the sound of one file are read: found once, and the same for every reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Section:
    """A stretch of a file whose timestamps go on without a jump.

    `start` is the timestamp of its first frame and `end` where its last one ends, in seconds on
    the container's clock; `shift` is added to such a time to have it on the grid's clock.
    """

    start: Fraction
    end: Fraction
    shift: Fraction


@dataclass(frozen=True)
class Reading:
    """How a file is read.

    video_stream, audio_stream: indices of the streams; None is the choice of `media.streams`.
    deinterlace: whether its pictures are made of two fields of different times; top_first: whether
    the field of the upper lines is the earlier one.
    clock: the sections of its pictures, in order; without any it is not known yet.
    channel: the one of two channels that is heard alone, where they would cancel each other; gain:
    factor of the sum of more than two (see `media.mixing`).
    max_pixels: pictures of more pixels are not decoded; None is any.
    """

    video_stream: int | None = None
    audio_stream: int | None = None
    deinterlace: bool = False
    clock: tuple[Section, ...] = ()
    top_first: bool = True
    channel: int | None = None
    gain: float = 1.0
    max_pixels: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times as float seconds."""
        return {
            "video_stream": self.video_stream,
            "audio_stream": self.audio_stream,
            "deinterlace": self.deinterlace,
            "top_first": self.top_first,
            "channel": self.channel,
            "gain": self.gain,
            "max_pixels": self.max_pixels,
            "clock": [[float(s.start), float(s.end), float(s.shift)] for s in self.clock],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Reading:
        """What `to_dict` gave."""
        clock = tuple(Section(*map(Fraction, times)) for times in record["clock"])
        return cls(**{**record, "clock": clock})


# A file read as its container suggests.
DEFAULT = Reading()
