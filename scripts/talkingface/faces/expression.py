"""What eyes, mouth and brows do, frame by frame, from the face mesh.

Every frame's mesh is first laid onto the mean face of `face_model` by the parts of the face that
do not move (`pose.to_head`), so the numbers depend neither on the size of the face nor on where it
is turned. "Height" is along the head's own up axis; "left" and "right" are the subject's.

    eye_*        height of the opening between the lids, mean of five places, over the eye's width:
                 the eye aspect ratio of Soukupova and Cech (2016) in the head's frame. 0.25 to 0.3
                 is open, below 0.1 closed.
    blink_*      1 where the eye is closed; see below
    mouth_open   height between the inner lips, mean of three places
    mouth_width  distance of the mouth's corners
    brow_*       height of the brow over the corners of its eye

The last three are in widths of the face between the outer eye corners (about 9 cm), as the mean
face has them: whoever opens their eyes wide does not change the unit.

Closed eyes. An eye is closed where its opening is less than `closed` of its own usual opening, the
90th percentile over the clip. Relative, because people's eyes differ by more than half-closed and
open eyes of one person do. So that a clip of closed eyes has no open level of its own, the level is
never taken below 0.15. Looked at in two real videos (376 frames, 13 blinks): below 0.5 of the usual
opening lids touch or leave a slit, from 0.5 to 0.65 they are on their way, above it the pupil is
seen. Looking down comes to 0.65 to 0.8.

Accuracy. Three portraits turned by up to 30 degrees and rendered: eyes keep their value within 8 %
in the mean, the mouth's width within 5 %, an open mouth's height within 15 %, brows within 9 %
(looking down raises them). A portrait's mouth opened by known amounts is seen opening by 0.8 of
them. So compare frames of one clip rather than persons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from talkingface.faces import ibug68
from talkingface.faces.face_model import CANONICAL, MIRROR
from talkingface.faces.landmark_files import read_landmarks
from talkingface.faces.pose import to_head
from talkingface.grid import FPS
from talkingface.job.per_clip import make_for_clips
from talkingface.job.tables import table_of_columns, write_table
from talkingface.media.clip_files import Clip
from talkingface.tables import EXPRESSION, EXPRESSION_FRAMES

# Of the right half of the face; the left is its mirror image.
_UPPER_LID = np.array(ibug68.CURVES["upper lid"][1])
_LOWER_LID = np.array(ibug68.CURVES["lower lid"][1])
_EYE = _UPPER_LID[[0, -1]]  # outer and inner corner
_BROW = np.array(ibug68.CURVES["brow"][1] + (ibug68.CURVES["brow"][2] or []))
_UPPER_LIP, _LOWER_LIP = np.array([13, 82, 312]), np.array([14, 87, 317])  # inner edges
_MOUTH = np.array([61, 291])  # outer corners
_UNIT = float(np.linalg.norm(CANONICAL[33] - CANONICAL[263]))

_USUAL = 0.9  # the quantile of an eye's openings that counts as its usual opening
_NARROWEST = 0.15  # usual opening, at least


def make_expression(
    clips: Sequence[Clip],
    landmarks: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    closed: float,
) -> None:
    """Write a table EXPRESSION_FRAMES (csv) of each clip to `folder`, and `manifest` (EXPRESSION).

    `landmarks` is the folder with the clips' landmarks. `closed`: see `expression_table`.
    """

    def make(clip: Clip, folder: Path) -> Mapping[str, float]:
        marks = read_landmarks(Path(landmarks, f"{clip.clip_id}.npz"))
        table = expression_table(marks.points, marks.present, closed)
        write_table(table, folder / f"{clip.clip_id}.csv", EXPRESSION_FRAMES)
        return expression_summary(table)

    make_for_clips(make, clips, folder, manifest, EXPRESSION)


def expression_table(points: np.ndarray, present: np.ndarray, closed: float) -> np.recarray:
    """A table EXPRESSION_FRAMES as the module says, one row a frame, empty without a face.

    points: (N, 468 or more, 3) mesh in pixels of any picture. present: (N,) bool. closed: share of
    the usual opening below which an eye is closed. frame counts from 0; present is 0 or 1.
    """
    present = np.asarray(present, bool)
    measures = np.full((len(present), 6), np.nan)
    if present.any():
        head = to_head(np.asarray(points)[present])
        left, right = head[:, MIRROR], head
        measures[present] = np.stack(
            [_eye(left), _eye(right), *_mouth(head), _brow(left), _brow(right)], axis=1
        )
    eye_left, eye_right, mouth_open, mouth_width, brow_left, brow_right = measures.T.round(4)
    return table_of_columns(
        EXPRESSION_FRAMES,
        {
            "frame": np.arange(len(present)),
            "present": present.astype(int),
            "eye_left": eye_left,
            "eye_right": eye_right,
            "blink_left": is_closed(eye_left, closed),
            "blink_right": is_closed(eye_right, closed),
            "mouth_open": mouth_open,
            "mouth_width": mouth_width,
            "brow_left": brow_left,
            "brow_right": brow_right,
        },
    )


def is_closed(openings: np.ndarray, closed: float) -> np.ndarray:
    """(N,) float64: 1 where an eye is closed, 0 where it is open, NaN where its opening (N,) is."""
    known = openings[~np.isnan(openings)]
    usual = max(np.quantile(known, _USUAL), _NARROWEST) if len(known) else _NARROWEST
    return np.where(np.isnan(openings), np.nan, openings < closed * usual)


def expression_summary(table: np.recarray) -> dict[str, float]:
    """What EXPRESSION has of a clip's `expression_table`; NaN without a face, but for `blinks`.

    blinks: how often both eyes closed; blinks_per_minute: of frames with a face. closed_share: of
    these frames, with both eyes closed. mouth_open_median. mouth_open_range, brow_range (mean of
    both brows): from the 5th to the 95th percentile.
    """
    seen = table[table["present"] == 1]
    if not len(seen):
        return {
            "blinks": 0,
            "blinks_per_minute": np.nan,
            "closed_share": np.nan,
            "mouth_open_median": np.nan,
            "mouth_open_range": np.nan,
            "brow_range": np.nan,
        }
    shut = (seen["blink_left"] == 1) & (seen["blink_right"] == 1)
    blinks = int((shut & ~np.concatenate([[False], shut[:-1]])).sum())
    return {
        "blinks": blinks,
        "blinks_per_minute": round(blinks / len(seen) * FPS * 60, 1),
        "closed_share": round(shut.mean(), 4),
        "mouth_open_median": round(np.median(seen["mouth_open"]), 4),
        "mouth_open_range": round(_range(seen["mouth_open"]), 4),
        "brow_range": round(_range((seen["brow_left"] + seen["brow_right"]) / 2), 4),
    }


# Each of these is given the head with the half in question on the right, (n, 468 or more, 3).


def _eye(head: np.ndarray) -> np.ndarray:
    gap = head[:, _UPPER_LID[2:-2], 1] - head[:, _LOWER_LID[2:-2], 1]
    width = np.linalg.norm(head[:, _EYE[0]] - head[:, _EYE[1]], axis=1)
    return np.maximum(gap.mean(axis=1), 0) / width


def _brow(head: np.ndarray) -> np.ndarray:
    return (head[:, _BROW, 1].mean(axis=1) - head[:, _EYE, 1].mean(axis=1)) / _UNIT


def _mouth(head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gap = head[:, _UPPER_LIP, 1] - head[:, _LOWER_LIP, 1]
    width = np.linalg.norm(head[:, _MOUTH[0]] - head[:, _MOUTH[1]], axis=1)
    return np.maximum(gap.mean(axis=1), 0) / _UNIT, width / _UNIT


def _range(values: np.ndarray) -> float:
    low, high = np.quantile(values, (0.05, 0.95))
    return float(high - low)
