"""Lip-sync backend `syncnet`: how far a mouth and the sound are apart in SyncNet's space.

Distances are those of syncnet_python's evaluation, given the same frames, sound and weights. A
window's lips are compared with the sound up to `max_offset` frames before and after it. Nothing
but a row of distances a frame is kept, so memory does not grow with pixels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from talkingface.job.progress import Progress
from talkingface.media.prefetch import prefetch
from talkingface.media.video import bgr_frames
from talkingface.networks.devices import number_format, open_device, run_batches
from talkingface.sync.sync import COLUMNS, FRAME_COLUMNS
from talkingface.sync.syncnet import scores as curves
from talkingface.sync.syncnet.crops import crop_face, crop_squares
from talkingface.sync.syncnet.network import WINDOW, Embedder, load
from talkingface.sync.syncnet.sound import Sounds

# LatentSync moves the sound of clips from this confidence on.
TRUSTED_CONFIDENCE = 3.0
TRUSTED_OFFSET = 1

# Windows whose distances are taken at once.
LIP_BLOCK = 64
# Windows prepared while the network is at work.
AHEAD = 16


@dataclass
class _Face:
    """A track on its way through the network."""

    number: int
    frames: np.ndarray
    squares: np.ndarray
    sounds: Sounds
    crops: deque[np.ndarray] = field(default_factory=lambda: deque(maxlen=WINDOW))
    seen: int = 0
    lips: list[np.ndarray] = field(default_factory=list)
    blocks: list[np.ndarray] = field(default_factory=list)
    compared: int = 0

    def add(self, lips: np.ndarray) -> None:
        self.lips.append(lips)
        if len(self.lips) == LIP_BLOCK:
            self.compare()

    def compare(self) -> None:
        if self.lips:
            lips, self.lips = np.stack(self.lips), []
            sounds = self.sounds.around(self.compared, self.compared + len(lips))
            self.blocks.append(curves.distances(lips, sounds))
            self.compared += len(lips)

    def distances(self, max_offset: int) -> np.ndarray:
        self.compare()
        none = np.zeros((0, 2 * max_offset + 1), np.float32)
        return np.concatenate([none, *self.blocks])


def sync_video(
    media: str | Path,
    tracks: pd.DataFrame,
    sound: str | Path,
    checkpoint: str | Path,
    *,
    max_offset: int = 15,
    ends: str = "compatible",
    precision: str = "float32",
    device: str = "auto",
    threads: int = 2,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`sync_syncnet` on the raw file `media`, of which only the tracks' stretches are decoded,
    with syncnet_python's `checkpoint`. Without tracks neither is looked at.

    `precision` and `device`: see devices.
    """
    if tracks.empty:
        return _tables([], [])
    network = load(checkpoint, open_device(device, threads), number_format(precision))
    frames = bgr_frames(media, track_stretches(tracks), threads=max(1, threads - 1))
    return sync_syncnet(frames, tracks, sound, network, max_offset=max_offset, ends=ends)


def sync_syncnet(
    frames: Iterable[tuple[int, np.ndarray]],
    tracks: pd.DataFrame,
    sound: str | Path,
    network: Embedder,
    *,
    scale: float = 1.0,
    max_offset: int = 15,
    ends: str = "compatible",
    batch: int | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare every track's lips with the sound.

    `frames` are grid frame numbers, rising, and (H, W, 3) uint8 BGR pictures, at least those of
    all tracks (`track_stretches`): from the raw file for faces as sharp as they are, or from the
    analysis copy with `scale` source pixels to each of its own. `tracks` are the boxes in source
    pixels, `sound` the grid's wav. Gives one row a track (sync.COLUMNS: `distance` is the lowest
    mean one, `drift` in frames a minute, NaN where it cannot be told) and one a track and frame
    (sync.FRAME_COLUMNS: both scores are the same; openness is not measured).

    `ends` says what the lips are compared with beyond the ends of a track: `compatible` with
    zeros, as in syncnet_python, whose confidence therefore depends on the track's length; `valid`
    with the video's own sound there, and with nothing beyond its ends.
    `batch` is the number of windows the network takes at once (None: 8 on a processor, whose
    caches hold no more, 64 on a card).
    Raises ValueError when `frames` leaves out frames of a track.
    """
    if ends not in ("compatible", "valid"):
        raise ValueError(f"unknown ends {ends!r}: choose compatible or valid")
    batch = batch or (8 if network.device.type == "cpu" else 64)
    faces = _faces(tracks, sound, network, scale, max_offset, ends)

    def run(part: Sequence[tuple[_Face, list[np.ndarray]]]) -> list[tuple[_Face, np.ndarray]]:
        lips = network.lips([crops for _, crops in part])
        return [(face, own) for (face, _), own in zip(part, lips, strict=True)]

    windows = prefetch(_windows(frames, faces), AHEAD)
    for face, lips in run_batches(run, windows, batch):
        face.add(lips)
    rows, per_frame = [], []
    for face in sorted(faces, key=lambda face: face.number):
        table = face.distances(max_offset)
        found = curves.judge(table)
        drift = curves.drift(curves.local_offsets(table))
        sure = found.confidence >= TRUSTED_CONFIDENCE and abs(found.offset) >= TRUSTED_OFFSET
        own = (face.number, found.offset, round(found.confidence, 3), int(sure), "syncnet")
        rows.append((*own, round(found.distance, 3), round(drift, 2)))
        pad = curves.PAD_DISTANCE if ends == "compatible" else None
        scores = curves.frame_confidences(table, len(face.frames), pad)
        columns = {"track": face.number, "frame": face.frames, "openness": np.nan}
        columns |= dict.fromkeys(["score", "local_score"], scores.round(3))
        per_frame.append(pd.DataFrame(columns))
    return _tables(rows, per_frame)


def track_stretches(tracks: pd.DataFrame) -> list[tuple[int, int]]:
    """The grid intervals `[start, end)` that some track fills, for `media.video.bgr_frames`."""
    spans = tracks.groupby("track").frame.agg(["min", "max"])
    return sorted((int(first), int(last) + 1) for first, last in spans.to_numpy())


def _tables(rows: list[tuple], per_frame: list[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    none = pd.DataFrame(columns=FRAME_COLUMNS)
    frames = pd.concat(per_frame, ignore_index=True)[FRAME_COLUMNS] if per_frame else none
    return pd.DataFrame(rows, columns=COLUMNS), frames


def _faces(
    tracks: pd.DataFrame,
    sound: str | Path,
    network: Embedder,
    scale: float,
    max_offset: int,
    ends: str,
) -> list[_Face]:
    """The tracks in order of their beginning."""
    faces = []
    for number, rows in tracks.groupby("track"):
        numbers = rows.frame.to_numpy()
        squares = crop_squares(rows[["x", "y", "w", "h"]].to_numpy(float) / scale)
        sounds = Sounds(sound, numbers, network, max_offset, ends)
        faces.append(_Face(int(number), numbers, squares, sounds))
    return sorted(faces, key=lambda face: int(face.frames[0]))


def _windows(
    frames: Iterable[tuple[int, np.ndarray]], faces: list[_Face]
) -> Iterator[tuple[_Face, list[np.ndarray]]]:
    """Every face's windows of five crops, while the frames go by."""
    waiting, open_faces = deque(faces), list[_Face]()
    with Progress() as progress:
        for k, frame in frames:
            while waiting and waiting[0].frames[0] <= k:
                open_faces.append(waiting.popleft())
            for face in open_faces:
                if k != face.frames[face.seen]:
                    raise ValueError(f"frame {face.frames[face.seen]} of a track is left out")
                face.crops.append(crop_face(frame, face.squares[face.seen]))
                face.seen += 1
                if WINDOW <= face.seen < WINDOW + face.sounds.n_windows:
                    yield face, list(face.crops)
            progress.add(1)
            open_faces = [face for face in open_faces if face.seen < len(face.frames)]
            if not waiting and not open_faces:
                return
    if waiting or open_faces:
        last = max(int(face.frames[-1]) for face in [*waiting, *open_faces])
        raise ValueError(f"the frames end before frame {last} of the last track")
