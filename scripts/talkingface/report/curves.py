"""The curves and boxes of one stretch, as the page's clip view draws them.

Two clocks meet here. Pictures are on the video's grid: frame k of a stretch is grid frame
`start_frame` + k, and so is what was measured of lips and face. A clip's sound was moved by its
`audio_shift`, so what was measured of the sound is moved as well: curves of a clip go with the clip
as it is played. Of what is no clip all is as it is in the video.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.clips.voice import rows_between
from talkingface.faces.landmark_files import Landmarks
from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.media.audio import read_wav
from talkingface.sync.mouth import mouth_opening

# Of points and boxes: so many units a pixel, and the mark of a frame without a face.
UNITS = 8
ABSENT = 65_535
# Of the sound: the least and the most sample of every hundredth of a second.
_ENVELOPE = SAMPLES_PER_FRAME // 4


def sync_curves(frames: np.recarray | None, start: int, end: int) -> dict[str, Any]:
    """How far the mouth is open, how well the lips go with the sound and how likely the face
    speaks in every grid frame from `start` to `end` (exclusive).

    frames: the track's rows of SYNC_FRAMES, None where `sync` did not judge it.
    """
    curves = {}
    for name in ("opening", "score", "probability"):
        values = np.full(end - start, np.nan)
        if frames is not None:
            rows = rows_between(frames, start, end)
            values[rows.frame - start] = rows[name]
        curves[name] = curve(values, 2 if name == "probability" else 3)
    return curves


def speech_curve(speech: np.ndarray, start: int, end: int, shift: int) -> list[float | None] | None:
    """How likely somebody is heard in every frame of a stretch whose sound was delayed by `shift`
    samples at 16 kHz; None before and after the video.

    speech: the same of every frame of the grid, (n,).
    """
    at = np.arange(start, end) - round(shift / SAMPLES_PER_FRAME)
    inside = (at >= 0) & (at < len(speech))
    values = np.full(end - start, np.nan)
    values[inside] = speech[at[inside]]
    return curve(values, 2)


def pose_curves(angles: np.ndarray) -> dict[str, Any]:
    """Yaw, pitch and roll (N, 3) in degrees as curves."""
    return {
        name: curve(values, 1)
        for name, values in zip(("yaw", "pitch", "roll"), angles.T, strict=True)
    }


def opening_curve(points: np.ndarray) -> list[float | None] | None:
    """How far the mouth is open by a clip's landmarks (N, 478, 3), in lengths of the nose."""
    return curve(mouth_opening(points.astype(float)), 3)


def curve(values: np.ndarray, digits: int) -> list[float | None] | None:
    """Values (N,) rounded, None where they are not finite; None where all are."""
    known = np.isfinite(values)
    if not known.any():
        return None
    rounded = np.round(np.asarray(values, float), digits).tolist()
    return [
        None if not there else int(value) if value == int(value) else value
        for value, there in zip(rounded, known.tolist(), strict=True)
    ]


def envelope(samples: np.ndarray, n_frames: int) -> str:
    """Least and most of every hundredth of a second of a stretch's sound, (640 N,) int16 at 16 kHz:
    int8 (4 N, 2), in base64. Where it is shorter, the rest is silence."""
    sound = np.zeros(n_frames * SAMPLES_PER_FRAME, np.int16)
    sound[: len(samples)] = samples[: len(sound)]
    parts = sound.reshape(-1, _ENVELOPE)
    ends = np.stack([parts.min(axis=1), parts.max(axis=1)], axis=1)
    return _base64(np.clip(np.round(ends / 256), -128, 127).astype(np.int8))


def grid_sound(sound: str | Path, start: int, end: int) -> str | None:
    """The same of frames `start` to `end` of the grid's wav; None where it is not there."""
    if not Path(sound).is_file() or not Path(sound).stat().st_size:
        return None
    samples = read_wav(sound, start * SAMPLES_PER_FRAME, end * SAMPLES_PER_FRAME)
    return envelope(samples, end - start)


def packed_points(landmarks: Landmarks, width: int, height: int) -> str | None:
    """The 68 points of a clip of this size in eighths of its pixels, uint16 little endian
    (N, 68, 2) in base64; ABSENT without a face. What is left of the clip or above it is at its
    edge. None of a clip that is too large for such numbers."""
    if max(width, height) * UNITS >= ABSENT:
        return None
    points = np.round(np.nan_to_num(landmarks.points68.astype(float)) * UNITS)
    packed = np.clip(points, 0, ABSENT - 1).astype("<u2")
    packed[~landmarks.present] = ABSENT
    return _base64(packed)


def packed_boxes(boxes: np.ndarray, width: int, height: int) -> str | None:
    """Face boxes (N, 4) x, y, width, height in pixels of a clip of this size, in eighths of them,
    int16 little endian in base64. None of a clip that is too large for such numbers."""
    if max(width, height) * UNITS > np.iinfo(np.int16).max:
        return None
    limits = np.iinfo(np.int16)
    return _base64(np.clip(np.round(boxes * UNITS), limits.min, limits.max).astype("<i2"))


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
