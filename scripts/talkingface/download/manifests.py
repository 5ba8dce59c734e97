"""How many pieces a playlist or manifest lists, before yt-dlp makes an object of each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from yt_dlp.utils import parse_duration

# What ends a line, as Python's str.splitlines has it, in UTF-8.
_LINE_ENDS = (
    *(b"\n", b"\r", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e"),
    *(b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9"),
)
# The beginning of a line of an HLS playlist that is an address: no comment or tag, and not empty.
_ADDRESS = re.compile(rb"(?:^|[\n\r\x0b\x0c\x1c-\x1e\x85\xa8\xa9])[ \t]*(?=[^#\s])")
# So many pieces take as much memory as what yt-dlp notes of one format.
FORMAT = 100
# Numbers of a manifest are taken as this at most.
_MOST = 1e18


def count_addresses(page: bytes, enough: float) -> int:
    """Lines of an HLS playlist, or any page, that yt-dlp would take for addresses of fragments.

    Where there are no more than `enough` lines, it is their number.
    """
    lines = sum(page.count(end) for end in _LINE_ENDS)
    return lines if lines <= enough else sum(1 for _ in _ADDRESS.finditer(page))


def count_smooth_pieces(root: Element) -> float:
    """Fragments of all quality levels of a Smooth Streaming manifest ([MS-SSTR] 2.2.2)."""
    return sum(
        max(1, sum(1 for _ in _children(stream, "QualityLevel")))
        * sum(_number(piece.get("r"), 1) for piece in _children(stream, "c"))
        for stream in _children(root, "StreamIndex")
    )


def count_dash_pieces(root: Element) -> float:
    """Segments of all representations of an MPD (ISO 23009-1, 5.3.9)."""
    return sum(_dash_pieces(root))


def weigh_dash(root: Element) -> float:
    """Pieces of an MPD, and for its representations as many as take the same memory."""
    return count_dash_pieces(root) + FORMAT * _count_elements(root, "Representation")


def weigh_smooth(root: Element) -> float:
    """The same of a Smooth Streaming manifest."""
    return count_smooth_pieces(root) + FORMAT * _count_elements(root, "QualityLevel")


def weigh_hls(text: str) -> float:
    """The same of an HLS playlist, whose variants and renditions are its formats."""
    formats = text.count("#EXT-X-STREAM-INF") + text.count("#EXT-X-MEDIA:")
    return count_addresses(text.encode("utf-8", "replace"), 0) + FORMAT * formats


@dataclass(frozen=True)
class _Timing:
    """What an element of an MPD says of its segments, or its parents do."""

    listed: float = 0.0
    duration: float = 0.0
    timescale: float = 1.0


def _dash_pieces(root: Element) -> Iterator[float]:
    whole = parse_duration(root.get("mediaPresentationDuration")) or 0
    for period in _children(root, "Period"):
        duration = parse_duration(period.get("duration")) or whole
        of_period = _timing(period, _Timing())
        for adaptation in _children(period, "AdaptationSet"):
            of_set = _timing(adaptation, of_period)
            for representation in _children(adaptation, "Representation"):
                timing = _timing(representation, of_set)
                if timing.listed or not timing.duration:
                    yield timing.listed
                else:
                    with suppress(ZeroDivisionError, OverflowError, ValueError):
                        yield math.ceil(duration / (timing.duration / timing.timescale))


def _timing(element: Element, parent: _Timing) -> _Timing:
    timing = parent
    for name in ("SegmentList", "SegmentTemplate"):
        for source in _children(element, name):
            listed = sum(
                1 + _number(s.get("r"), 0)
                for timeline in _children(source, "SegmentTimeline")
                for s in _children(timeline, "S")
            )
            addresses = sum(1 for _ in _children(source, "SegmentURL"))
            timing = replace(
                timing,
                listed=listed or addresses or timing.listed,
                duration=_number(source.get("duration"), timing.duration),
                timescale=_number(source.get("timescale"), timing.timescale),
            )
    return timing


def _count_elements(root: Element, name: str) -> int:
    return sum(1 for element in root.iter() if _name(element) == name)


def _children(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _name(child) == name)


def _name(element: Element) -> str:
    # The tag of a comment is a function.
    return str(element.tag).rpartition("}")[2]


def _number(text: str | None, default: float) -> float:
    """A number from 0 to _MOST; `default` where it is none."""
    with suppress(TypeError, ValueError):
        number = float(text)  # type: ignore[arg-type]
        if number >= 0:
            return min(number, _MOST)
    return default
