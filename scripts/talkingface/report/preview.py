"""What the report shows of every stretch of a face: small pictures, curves, exact measures.

All of a video's candidates are shown, kept or not: the kept ones from their clips, the others from
the small copy of their video while that is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from talkingface.media.clip_files import Clip

# Of a strip: so many pictures side by side, squares with a side of so many pixels.
PICTURES, SIDE = 10, 128


def make_preview(
    clips: Sequence[Clip],
    segments: str | Path,
    tracks: str | Path,
    speech: str | Path,
    sync: str | Path,
    sync_frames: str | Path,
    landmarks: str | Path,
    pose: str | Path,
    quality: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    proxy: str | Path,
    proxy_sound: str | Path,
    proxy_record: str | Path,
    speech_threshold: float,
) -> None:
    """Write `folder` with strips and curves of a video's candidates, and `manifest` (PREVIEW)."""
    raise NotImplementedError
