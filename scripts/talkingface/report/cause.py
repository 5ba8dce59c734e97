"""The picture that shows why a stretch of a face was rejected: which frame, and what is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from talkingface.clips.beside import centre_inside
from talkingface.clips.voice import FaceSync, rows_between
from talkingface.media.picture import write_picture
from talkingface.overlay.text import draw_chip, text_height, text_width

# Width of the picture at most, and JPEG quality.
WIDTH, QUALITY = 480, 75
_TEXT = 13
# Blue, green, red: of the face that the picture is about, and of the others.
_OWN, _OTHER = (60, 200, 255), (255, 190, 90)
# What is about who speaks: by `sync`.
_BY_VOICE = ("not_speaking", "other_speaks", "unsure", "offset")


def cause_frame(
    row: np.record,
    boxes: Mapping[int, np.recarray],
    faces: Mapping[int, FaceSync],
    speech: np.ndarray,
) -> int:
    """The frame of the grid that shows best why a candidate was rejected.

    row: of the ledger. boxes: rows of TRACKS by track. faces: what `sync` judged, by track. speech:
    how likely somebody is heard in every frame of the grid, (n,).

    other_face: where the other is largest of those beside it. face_lost: in the middle of the
    longest time without. small_face: where it is as high as in the median. By who speaks: where
    another face most likely speaks, and without any where speech is most likely. Of several frames
    the one nearest to the middle; that itself shows all else.
    """
    start, end, number = int(row.start_frame), int(row.end_frame), int(row.track)
    own = rows_between(boxes[number], start, end)
    middle = (start + end) // 2
    if row.reason == "other_face":
        frames, sizes = _beside(own, number, boxes, start, end)
    elif row.reason == "face_lost":
        return start + middle_of_longest(own.detected == 0, middle - start)
    elif row.reason == "small_face":
        frames, sizes = own.frame, -abs(own.h - np.median(own.h))
    elif row.reason in _BY_VOICE:
        frames, sizes = _other_voices(number, faces, start, end)
        if not len(frames):
            frames, sizes = np.arange(start, min(end, len(speech))), speech[start:end]
    else:
        return middle
    return _highest(frames, sizes, middle)


def middle_of_longest(is_so: np.ndarray, otherwise: int) -> int:
    """The middle of the longest stretch of True in (N,) bool; `otherwise` where there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_so, [False]])))
    if not len(edges):
        return otherwise
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return int(starts[longest] + ends[longest] - 1) // 2


def draw_faces(
    image: np.ndarray, faces: Mapping[int, np.ndarray], number: int | None, *, seen: bool = True
) -> np.ndarray:
    """A picture with the boxes of its faces, at most WIDTH pixels wide, (H, W, 3) uint8 BGR.

    faces: x, y, width, height in pixels of `image`, by track. number: the track that the picture
    is about, and `seen`: whether it was detected then.
    """
    scale = min(1.0, WIDTH / image.shape[1])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    drawn = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # Last, so that it lies above the others.
    for track in sorted(faces, key=lambda track: (track == number, track)):
        own = track == number
        name = f"track {track}" + (", this face" if own else "")
        colour = _OWN if own else _OTHER
        _draw_box(drawn, faces[track] * scale, colour, name + ("" if seen or not own else ", lost"))
    return drawn


def write_cause(image: np.ndarray, path: str | Path) -> None:
    """Write such a picture, as jpg."""
    write_picture(image, path, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def _beside(
    own: np.recarray, number: int, boxes: Mapping[int, np.recarray], start: int, end: int
) -> tuple[np.ndarray, np.ndarray]:
    """Frames in which another face is beside this one, and the area of the largest then."""
    area = np.zeros(len(own))
    for other, track in boxes.items():
        if other != number:
            rows = rows_between(track, start, end)
            inside = centre_inside(own, rows)
            at = np.searchsorted(rows.frame, own.frame[inside])
            area[inside] = np.maximum(area[inside], rows.w[at] * rows.h[at])
    return own.frame[area > 0], area[area > 0]


def _other_voices(
    number: int, faces: Mapping[int, FaceSync], start: int, end: int
) -> tuple[np.ndarray, np.ndarray]:
    """Frames with other faces that were judged, and how likely one of them speaks then."""
    seen = [
        rows_between(face.frames, start, end) for other, face in faces.items() if other != number
    ]
    frames = np.concatenate([[], *(rows.frame for rows in seen)]).astype(int)
    return frames, np.concatenate([[], *(rows.probability for rows in seen)])


def _highest(frames: np.ndarray, values: np.ndarray, middle: int) -> int:
    """The frame with the highest value, of several the one nearest to the middle, which it is
    where there are no values."""
    known = np.isfinite(values)
    if not known.any():
        return middle
    best = frames[known][values[known] == values[known].max()]
    return int(best[np.argmin(abs(best - middle))])


def _draw_box(image: np.ndarray, box: np.ndarray, colour: tuple[int, int, int], name: str) -> None:
    x, y, w, h = (round(float(value)) for value in box)
    cv2.rectangle(image, (x, y), (x + w, y + h), (20, 20, 20), 4, cv2.LINE_AA)
    cv2.rectangle(image, (x, y), (x + w, y + h), colour, 2, cv2.LINE_AA)
    height = text_height(_TEXT) + 4
    # Above the box where there is room, else inside it; never beyond the picture's sides.
    middle = y - height // 2 - 2
    if middle < height // 2:
        middle = max(y, 0) + height // 2 + 2
    right = image.shape[1] - text_width(name, _TEXT) - height
    draw_chip(image, name, max(0, min(x, right)), middle, size=_TEXT, colour=colour, strength=0.85)
