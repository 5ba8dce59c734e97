"""Whose voice is heard in a stretch of a face: what `sync` says of its frames, taken together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from talkingface.sync.calibrations import CALIBRATIONS
from talkingface.sync.comparison import rows_by_track
from talkingface.sync.probability import mean_score

NAN = float("nan")

# With fewer frames of speech, how much a mouth moves is taken from all of the stretch.
LEAST_SPEECH = 10


@dataclass(frozen=True)
class FaceSync:
    """What `sync` says of a track: its row of the table SYNC, and those of SYNC_FRAMES."""

    track: np.record
    frames: np.recarray


@dataclass(frozen=True)
class Voice:
    """What is measured of a face in a stretch; NaN where nothing is known.

    offset, trusted: those of its track.
    confidence: mean of its frames' scores, weighted by how likely somebody is heard, in the
        backend's own unit.
    probability: how likely the voice is this face's, from 0 to 1; other_probability: of the other
        faces the highest, 0 without any, and other_track: which that is.
    mouth_motion: standard deviation of the mouth's opening in speech, in lengths of the nose.
    speaking, other_speaking, other_speaker: the same as the three of probability, by the mean of
        the frames' own probabilities, which know of the turns before and after.
    """

    offset: int
    trusted: int
    confidence: float
    probability: float
    other_probability: float
    other_track: int | None
    mouth_motion: float
    speaking: float
    other_speaking: float
    other_speaker: int | None

    def columns(self) -> dict[str, float]:
        """Those that are columns of the table SEGMENTS, rounded."""
        return {
            "offset": self.offset,
            "trusted": self.trusted,
            "confidence": round(self.confidence, 3),
            "probability": round(self.probability, 3),
            "other_probability": round(self.other_probability, 3),
            "mouth_motion": round(self.mouth_motion, 4),
        }


def judged_faces(sync: np.recarray, sync_frames: np.recarray) -> dict[int, FaceSync]:
    """The faces that `sync` judged, of the tables SYNC and SYNC_FRAMES, by their tracks."""
    frames = rows_by_track(sync_frames)
    return {int(row.track): FaceSync(row, frames[int(row.track)]) for row in sync}


def measure_voice(
    number: int,
    start: int,
    end: int,
    faces: Mapping[int, FaceSync],
    speech: np.ndarray,
    speech_threshold: float,
) -> Voice:
    """Whose voice is heard in frames `start` to `end` (exclusive) of track `number`.

    `faces` are all that are judged in the video, by their tracks; `speech` is how likely somebody
    is heard in every frame of its grid, (n,) from 0 to 1. Where no frame shows the lips while
    somebody is heard, confidence and probability are NaN.

    Of several faces one speaks at most, so their odds compete. A face that is there for a part of
    the stretch does not speak in the rest.
    """
    seen = {n: rows_between(face.frames, start, end) for n, face in faces.items()}
    log_odds, speaking = {}, {}
    for n, rows in seen.items():
        if len(rows):
            log_odds[n] = _log_odds(faces[n], *_mean_score(faces[n], rows, start, end, speech))
            speaking[n] = float(rows.probability.sum()) / (end - start)
    chances = dict(zip(log_odds, competing(list(log_odds.values())), strict=True))
    probability, own_speaking = chances.pop(number), speaking.pop(number)
    other_track, other_probability = _highest(chances)
    other_speaker, other_speaking = _highest(speaking)
    face = faces[number]
    confidence, frames = _mean_score(face, seen[number], start, end, speech)
    is_speech = speech_at_lips(speech, start, end, face.track.offset) >= speech_threshold
    return Voice(
        offset=int(face.track.offset),
        trusted=int(face.track.trusted),
        confidence=confidence if frames else NAN,
        probability=probability if frames else NAN,
        other_probability=other_probability,
        other_track=other_track,
        mouth_motion=mouth_motion(seen[number].opening, is_speech),
        speaking=own_speaking,
        other_speaking=other_speaking,
        other_speaker=other_speaker,
    )


def rows_between(rows: np.recarray, start: int, end: int) -> np.recarray:
    """Those of a track's rows, whose frames rise, that are in a stretch; `end` is exclusive."""
    first, last = np.searchsorted(rows.frame, (start, end))
    return rows[first:last]


def speech_at_lips(speech: np.ndarray, start: int, end: int, offset: int) -> np.ndarray:
    """How likely somebody is heard while the sound of the lips in each frame of a stretch is there,
    (end - start,): sound that leads by `offset` frames is heard so much earlier.

    0 before and after `speech`, which is that of every frame of the grid.
    """
    at = np.arange(start, end) - offset
    inside = (at >= 0) & (at < len(speech))
    heard = np.zeros(end - start)
    heard[inside] = speech[at[inside]]
    return heard


def competing(log_odds: Sequence[float]) -> list[float]:
    """How likely each of several faces is the one that speaks, given the logarithms of the odds
    that it does against that nobody who is seen does: odds_k / (1 + sum of odds_j)."""
    levels = np.array([0.0, *log_odds])
    chances = np.exp(levels - levels.max())
    return (chances / chances.sum())[1:].tolist()


def mouth_motion(opening: np.ndarray, is_speech: np.ndarray) -> float:
    """Standard deviation of a mouth's `opening` (N,) where `is_speech` (N,) bool, or of all of it
    where that is less than LEAST_SPEECH frames; NaN where no opening is known."""
    known = np.isfinite(opening)
    chosen = known & is_speech
    if chosen.sum() < LEAST_SPEECH:
        chosen = known
    return float(opening[chosen].std()) if chosen.any() else NAN


def _mean_score(
    face: FaceSync, rows: np.recarray, start: int, end: int, speech: np.ndarray
) -> tuple[float, float]:
    """Mean score of a face in a stretch, of which `rows` are its frames, and frames of speech."""
    scores = np.zeros(end - start)
    scores[rows.frame - start] = rows.score
    return mean_score(scores, speech_at_lips(speech, start, end, face.track.offset))


def _log_odds(face: FaceSync, score: float, frames: float) -> float:
    return float(CALIBRATIONS[face.track.backend].log_odds(score, frames))


def _highest(chances: Mapping[int, float]) -> tuple[int | None, float]:
    """The number with the highest of `chances`, and that; None and 0 where there is none."""
    best = max(chances, key=lambda n: chances[n], default=None)
    return best, 0.0 if best is None else chances[best]
