"""What the errors of yt-dlp mean."""

import pytest
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError

from talkingface.download.download import STATUSES
from talkingface.download.errors import TransientError, VideoUnavailable
from talkingface.download.ytdlp_errors import classify_error, classify_message


# Sentences of the kind that yt-dlp passes on from YouTube; written for this test.
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Private video. Sign in if you've been granted access to this video", "private"),
        ("Video unavailable. This video has been removed by the uploader", "removed"),
        ("This video is no longer available because the account has been terminated", "removed"),
        ("Video unavailable", "removed"),
        ("Sign in to confirm your age. This video may be inappropriate", "age_check"),
        ("Join this channel to get access to members-only content like this video", "refused"),
        ("This video is DRM protected", "unsupported"),
        ("This live event will begin in 3 days.", "live"),
        ("Premieres in 5 hours", "live"),
        ("The uploader has not made this video available in your country", "geo_blocked"),
        ("Requested format is not available. Use --list-formats for a list", "no_format"),
        ("The site has gone on holiday", "unavailable"),
    ],
)
def test_what_sites_say_for_good(said, status):
    classified = classify_message(ExtractorError(said, expected=True))
    assert isinstance(classified, VideoUnavailable)
    assert classified.status == status and status in STATUSES


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Sign in to confirm you're not a bot. Use --cookies for the authentication", "bot_check"),
        ("This content isn't available, try again later. You are rate-limited", "rate_limited"),
    ],
)
def test_what_sites_say_for_now(said, status):
    classified = classify_message(ExtractorError(said, expected=True))
    assert isinstance(classified, TransientError)
    assert classified.status == status and status in STATUSES


def test_a_country_that_may_not_watch():
    geo = DownloadError("no", exc_info=(None, GeoRestrictedError("not in your country"), None))
    assert classify_error(geo, signed=True).status == "geo_blocked"
