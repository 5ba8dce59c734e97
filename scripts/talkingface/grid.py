"""The time grid: frame k of every product stands at k/25 s and owns 640 samples at 16 kHz."""

from __future__ import annotations

from fractions import Fraction

FPS = 25
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
# Speech networks give their hidden states at 50 Hz.
SPEECH_STEPS_PER_FRAME = 2

# Containers round timestamps (Matroska to 1 ms); a frame may be this late, in seconds, and
# still be on screen at its grid time.
TOLERANCE = Fraction(2, 1000)


def grid_index(seconds: Fraction) -> int:
    """First grid frame at or after `seconds` (time since the first frame), within TOLERANCE."""
    position = FPS * (seconds - TOLERANCE)
    return max(0, -((-position.numerator) // position.denominator))


def clip_name(video_id: str, start_frame: int, end_frame: int, track: int) -> str:
    """`{video}_{start:06d}_{end:06d}_{track:02d}`: grid frames, end exclusive."""
    return f"{video_id}_{start_frame:06d}_{end_frame:06d}_{track:02d}"


def video_of_clip(clip_id: str) -> str:
    """The video that a clip, by its name, is of."""
    return clip_id.rsplit("_", 3)[0]
