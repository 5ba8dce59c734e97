"""What lists claim to have, by their specifications."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from helpers.settings import default_settings
from talkingface.download.manifests import (
    count_addresses,
    count_dash_pieces,
    count_smooth_pieces,
    weigh_dash,
    weigh_hls,
    weigh_smooth,
)

DASH = "urn:mpeg:dash:schema:mpd:2011"


def mpd(inside: str, attributes: str = 'mediaPresentationDuration="PT2H"') -> ElementTree.Element:
    return ElementTree.fromstring(f'<MPD xmlns="{DASH}" {attributes}>{inside}</MPD>')


def period(template: str, representations: int = 1, attributes: str = "") -> str:
    several = '<Representation id="a"/>' * representations
    return f"<Period {attributes}><AdaptationSet>{template}{several}</AdaptationSet></Period>"


@pytest.mark.parametrize(
    ("inside", "pieces"),
    [
        # 7200 s of 2 s each; of 4 s at a clock of 1000 Hz; in three qualities.
        (period('<SegmentTemplate media="$Number$" duration="2"/>'), 3600),
        (period('<SegmentTemplate media="$Number$" duration="4000" timescale="1000"/>'), 1800),
        (period('<SegmentTemplate media="$Number$" duration="2"/>', 3), 10800),
        # The period's own length counts before the presentation's.
        (period('<SegmentTemplate media="$Number$" duration="2"/>', 1, 'duration="PT10S"'), 5),
        # A segment and its repetitions.
        (
            period(
                '<SegmentTemplate media="$Time$"><SegmentTimeline><S d="2" r="99"/><S d="1"/>'
                "</SegmentTimeline></SegmentTemplate>"
            ),
            101,
        ),
        (period('<SegmentList><SegmentURL media="a"/><SegmentURL media="b"/></SegmentList>'), 2),
        (period("<BaseURL>whole.mp4</BaseURL>"), 0),
        (period('<SegmentTemplate media="$Number$" duration="0"/>'), 0),
        (period('<SegmentTemplate media="$Number$" duration="x" timescale="y"/>'), 0),
    ],
)
def test_dash(inside: str, pieces: int) -> None:
    assert count_dash_pieces(mpd(inside)) == pieces


def test_what_no_memory_holds_is_only_counted() -> None:
    endless = period('<SegmentTemplate media="$Number$" duration="1" timescale="1000000000"/>')
    assert count_dash_pieces(mpd(endless, 'mediaPresentationDuration="PT100S"')) == 10**11
    repeated = '<SegmentTemplate media="$Time$"><SegmentTimeline><S d="1" r="{}"/>'
    repeated += "</SegmentTimeline></SegmentTemplate>"
    assert count_dash_pieces(mpd(period(repeated.format(10**11)))) == 10**11 + 1
    assert count_dash_pieces(mpd(period(repeated.format("9" * 400)))) >= 1e18


def test_smooth_streaming() -> None:
    levels = '<QualityLevel Bitrate="1"/><QualityLevel Bitrate="2"/>'
    root = ElementTree.fromstring(
        f'<SmoothStreamingMedia><StreamIndex>{levels}<c d="2"/><c d="2" r="9"/></StreamIndex>'
        '<StreamIndex><QualityLevel Bitrate="3"/><c d="2" r="5"/></StreamIndex>'
        "</SmoothStreamingMedia>"
    )
    assert count_smooth_pieces(root) == 2 * (1 + 9) + 5


def test_addresses_of_a_playlist() -> None:
    page = b"#EXTM3U\r\n#EXTINF:2,\r\na.ts\r\n\r\n#EXTINF:2,\r\n  b.ts\r\n#EXT-X-ENDLIST\r\n"
    assert count_addresses(page, 0) == 2
    assert count_addresses(page, 100) <= 100
    for end in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029":
        assert count_addresses(f"a{end}".encode() * 50, 0) >= 50


def test_formats_weigh_too() -> None:
    dash = mpd(period("<BaseURL>whole.mp4</BaseURL>", 5000))
    assert weigh_dash(dash) >= 5000 * 100
    hls = "#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n" * 5000
    assert weigh_hls(hls) >= 5000 * 100
    level = '<QualityLevel Bitrate="1"/>'
    smooth = f"<SmoothStreamingMedia><StreamIndex>{level * 5000}</StreamIndex>"
    assert weigh_smooth(ElementTree.fromstring(f"{smooth}</SmoothStreamingMedia>")) >= 5000 * 100


def test_a_real_two_hour_film_is_far_from_the_limit() -> None:
    """Segments of a second, in the 20 qualities that the largest sites have."""
    one = period('<SegmentTemplate media="$Number$" duration="1"/>', 20)
    assert weigh_dash(mpd(one)) < default_settings("download")["max_fragments"] / 2
    lines = "#EXTM3U\n" + "#EXTINF:1,\nhttps://cdn.example.org/segment.ts?signed=x\n" * 7200
    assert weigh_hls(lines) < default_settings("download")["max_fragments"] / 2
