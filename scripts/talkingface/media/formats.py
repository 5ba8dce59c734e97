"""Container formats that are opened. All others are refused before a byte of them is interpreted.

What is opened holds its pictures and sounds itself. Playlists, manifests and scripts name other
files instead, which may be anybody's; single pictures and texts are no videos.
"""

from __future__ import annotations

from pathlib import Path

# libav's names of the formats that cameras, programs and sites write videos in.
FORMATS = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "flv", "asf", "ogg", "mxf", "nut", "rm", "wtv"),
    *("dv", "gxf", "lxf", "dhav", "ty", "pva", "nuv", "gif", "apng", "yuv4mpegpipe"),
    # Streams without a container.
    *("h264", "hevc", "vvc", "mpegvideo", "m4v", "h263", "h261", "mjpeg", "vc1", "cavsvideo"),
    *("av1", "obu", "ivf", "dirac"),
    # Sound alone, of which can be said that there is no video in it.
    *("wav", "mp3", "aac", "flac", "ac3", "eac3", "amr", "aiff", "au", "caf", "w64"),
)
# libav's demuxers of single pictures are `png_pipe`, `jpeg_pipe`, ..., and these.
STILL_SUFFIX = "_pipe"
STILL_FORMATS = {"image2", "ico"}
# Formats that are lists of other files, and how the texts among them begin.
PLAYLIST_FORMATS = {"concat", "hls", "dash", "sdp", "rtsp", "rtp", "sap", "webm_dash_manifest"}
PLAYLIST_BEGINNINGS = (b"#extm3u", b"ffconcat", b"<mpd", b"<asx", b"<smil", b"[playlist]", b"v=0")


def refusal(path: str | Path, name: str) -> str:
    """Why a file is not opened whose format libav calls `name`, "" where it knows none."""
    if name.endswith(STILL_SUFFIX) or name in STILL_FORMATS:
        return "a still image, not a video"
    with open(path, "rb") as file:
        beginning = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if beginning.startswith(b"<?xml"):
        beginning = beginning.partition(b"?>")[2].lstrip()
    if name in PLAYLIST_FORMATS or beginning.startswith(PLAYLIST_BEGINNINGS):
        return "a playlist, not a video"
    if not name and _is_text(beginning):
        return "not a media file (text)"
    return f"of a format that is not read ({name})" if name else ""


def _is_text(beginning: bytes) -> bool:
    """Whether a file begins as text does: an error page, a list, notes."""
    try:
        text = beginning.decode("utf-8")
    except UnicodeDecodeError as error:
        text = beginning[: error.start].decode("utf-8") if error.end == len(beginning) else ""
    return bool(text) and all(letter.isprintable() or letter.isspace() for letter in text)
