"""What an overlay shows over time: sound and lips, eyes, head, sync score, who speaks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.media.audio import read_wav
from talkingface.overlay.picture import AXES
from talkingface.overlay.plot import DIM, GUIDE, Curve, Lane
from talkingface.overlay.text import Colour

# Angles, and the head's axis that each turns about, whose colour it has.
TURNS = {"yaw": 1, "pitch": 0, "roll": 2}

_LIPS = (130, 200, 255)
_SYNC = (150, 230, 150)
_SPEAKS = (130, 220, 230)
_EYES = ((255, 200, 150), (200, 170, 255))  # right, left
_OTHERS = (150, 140, 190)
_BLOCK = 1000  # frames of sound read at a time


def sound_lane(wav: Path, count: int, lips: np.ndarray | None) -> Lane:
    """The waveform and loudness of a clip of `count` frames, and the opening of its lips (N,).

    Raises ValueError when the wav is shorter.
    """
    loudness, peak = _loudness(wav, count)
    curves = [Curve("sound", loudness, DIM, "{:.0f} dB", drawn=False)]
    if lips is not None:
        curves.append(Curve("lips", lips, _LIPS))
    return Lane(curves, 0, _most(lips, 0.1), sound=partial(read_wav, wav), peak=peak)


def eyes_lane(expression: np.recarray) -> Lane:
    """How far the eyes are open, shaded where one is shut, from a table EXPRESSION_FRAMES."""
    eyes = np.stack([expression.eye_right, expression.eye_left])
    shut = (expression.blink_right > 0) | (expression.blink_left > 0)
    names = ("right eye", "left eye")
    curves = [Curve(*each) for each in zip(names, eyes, _EYES, strict=True)]
    return Lane(curves, 0, _most(eyes, 0.1), spans=shut)


def head_lane(angles: np.ndarray) -> Lane:
    """Yaw, pitch and roll, (N, 3) in degrees."""
    curves = [
        Curve(name, values, AXES[axis], "{:+.1f}°")
        for (name, axis), values in zip(TURNS.items(), angles.T, strict=True)
    ]
    reach = _most(abs(angles), 15)
    return Lane(curves, -reach, reach, guides=[0])


def sync_lane(scores: np.recarray, track: int, frames: range, min_confidence: float | None) -> Lane:
    """The sync score of one face, and the best of the others at the same time.

    `scores` are the rows of a table SYNC_FRAMES within the grid's `frames`; `min_confidence` is the
    mean score that a clip needs, None: it is not marked.
    """
    curves = _with_others("sync", scores, "score", track, frames, _SYNC)
    guides = [0.0]
    if min_confidence is not None:
        guides.append(min_confidence)
        level = np.full(len(frames), min_confidence)
        curves.append(Curve("kept from", level, GUIDE, "{:.2f}", drawn=False))
    low, high = -_most(-scores.score, 0), 1.1 * _most(scores.score, 0.1)
    return Lane(curves, low, high, guides=guides)


def speaker_lane(scores: np.recarray, track: int, frames: range) -> Lane:
    """How likely one face is the one that speaks, and the likeliest of the others.

    `scores` and `frames` are as in `sync_lane`. Where it is as likely as not is marked.
    """
    curves = _with_others("speaks", scores, "probability", track, frames, _SPEAKS)
    return Lane(curves, 0, 1, guides=[0.5])


def by_frame(rows: np.recarray, column: str, frames: range) -> np.ndarray:
    """A column of a table SYNC_FRAMES: its largest value in each of the grid's `frames`, or NaN."""
    values = np.full(len(frames), np.nan)
    places = rows.frame - frames.start
    inside = (places >= 0) & (places < len(frames))
    np.fmax.at(values, places[inside], rows[column][inside])
    return values


def _with_others(
    name: str, rows: np.recarray, column: str, track: int, frames: range, colour: Colour
) -> list[Curve]:
    """A column of a table SYNC_FRAMES for one face, and the highest of the others if there are."""
    of_face = rows.track == track
    curves = [Curve(name, by_frame(rows[of_face], column, frames), colour, "{:.2f}")]
    if not of_face.all():
        others = by_frame(rows[~of_face], column, frames)
        curves.append(Curve("other faces", others, _OTHERS, "{:.2f}"))
    return curves


def _loudness(wav: Path, count: int) -> tuple[np.ndarray, int]:
    """Loudness of every frame in dB of full scale, NaN in silence, and the largest sample."""
    loudness, peak = np.full(count, np.nan), 0
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        samples = read_wav(wav, start * SAMPLES_PER_FRAME, stop * SAMPLES_PER_FRAME)
        if len(samples) != (stop - start) * SAMPLES_PER_FRAME:
            raise ValueError(f"{wav}: shorter than the clip's {count} frames; make it again")
        power = ((samples.reshape(-1, SAMPLES_PER_FRAME) / 32768.0) ** 2).mean(axis=1)
        power[power == 0] = np.nan
        loudness[start:stop] = 10 * np.log10(power)
        peak = max(peak, int(abs(samples.astype(int)).max()))
    return loudness, peak


def _most(values: np.ndarray | None, least: float) -> float:
    """The largest value, or `least` where that is more."""
    seen = np.empty(0) if values is None else values[np.isfinite(values)]
    return max(least, float(seen.max(initial=least)))
