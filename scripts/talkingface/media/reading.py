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

    video_stream, audio_stream: indices of the streams; None is `media.container`'s own choice.
    deinterlace: whether its pictures are made of two fields of different times.
    clock: the sections of its pictures, in order; without any it is not known yet.
    """

    video_stream: int | None = None
    audio_stream: int | None = None
    deinterlace: bool = False
    clock: tuple[Section, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times as float seconds."""
        return {
            "video_stream": self.video_stream,
            "audio_stream": self.audio_stream,
            "deinterlace": self.deinterlace,
            "clock": [[float(s.start), float(s.end), float(s.shift)] for s in self.clock],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Reading:
        """What `to_dict` gave."""
        return cls(
            record["video_stream"],
            record["audio_stream"],
            record["deinterlace"],
            tuple(Section(*map(Fraction, times)) for times in record["clock"]),
        )


# A file read as its container suggests.
DEFAULT = Reading()
