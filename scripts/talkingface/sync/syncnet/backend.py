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

from talkingface.job.progress import Progress
from talkingface.media.prefetch import prefetch
from talkingface.media.video import bgr_frames
from talkingface.models.store import StoredModel
from talkingface.models.table import ModelError, find_model
from talkingface.networks.devices import number_format, open_device, run_batches
from talkingface.sync.comparison import TrackComparison, VideoFiles, face_boxes, rows_by_track
from talkingface.sync.syncnet import scores
from talkingface.sync.syncnet.crops import crop_face, crop_squares
from talkingface.sync.syncnet.network import WINDOW, Embedder, load_embedder
from talkingface.sync.syncnet.sound import SoundEmbeddings

ENDS = ("compatible", "valid")

# Windows the network takes at once, by type of device: a processor's caches hold no more.
BATCHES = {"cpu": 8, "cuda": 64}
# Windows whose distances are taken at once.
LIP_BLOCK = 64
# Windows prepared while the network is at work.
PREFETCHED = 16


@dataclass
class _Face:
    """A track on its way through the network: its frames, where its face is cropped in them, its
    last crops, and the distances of the `compared` windows before the `lips` that wait."""

    number: int
    frames: np.ndarray
    squares: np.ndarray
    sounds: SoundEmbeddings
    crops: deque[np.ndarray] = field(default_factory=lambda: deque(maxlen=WINDOW))
    seen: int = 0
    lips: list[np.ndarray] = field(default_factory=list)
    blocks: list[np.ndarray] = field(default_factory=list)
    compared: int = 0

    def add(self, lips: np.ndarray) -> None:
        """Take the embedding of the next window of lips."""
        self.lips.append(lips)
        if len(self.lips) == LIP_BLOCK:
            self._compare()

    def _compare(self) -> None:
        if self.lips:
            lips, self.lips = np.stack(self.lips), []
            sounds = self.sounds.around(self.compared, self.compared + len(lips))
            self.blocks.append(scores.distances(lips, sounds))
            self.compared += len(lips)

    def distances(self, max_offset: int) -> np.ndarray:
        """The distances of all windows, (n, 2 max_offset + 1) float32."""
        self._compare()
        none = np.zeros((0, 2 * max_offset + 1), np.float32)
        return np.concatenate([none, *self.blocks])


class SyncNetSync:
    """Compares lips and sound by their distance in SyncNet's space, in the raw file's pictures.

    max_offset: the largest offset searched, in frames. threads: how many decode and compute.
    ends: what the lips are compared with beyond the ends of a track: `compatible` with zeros, as in
    syncnet_python, whose confidence therefore depends on the track's length; `valid` with the
    video's own sound there, and with nothing beyond its ends.
    Raises ValueError for other `ends`.
    """

    name = "syncnet"
    trusted_confidence = scores.TRUSTED_CONFIDENCE
    trusted_offset = 1

    def __init__(self, network: Embedder, *, max_offset: int, ends: str, threads: int) -> None:
        if ends not in ENDS:
            raise ValueError(f"unknown ends {ends!r}: choose {' or '.join(ENDS)}")
        self._network, self._max_offset = network, max_offset
        self._ends, self._threads = ends, threads

    def compare(self, video: VideoFiles, tracks: np.recarray) -> dict[int, TrackComparison]:
        """Likeness, offset, confidence, scores, distance and drift of every track; of the raw file
        only the tracks' stretches are decoded. Raises ValueError where it is not given."""
        if video.media is None:
            raise ValueError(f"{self.name} looks at the raw file, which is not given")
        threads = max(1, self._threads - 1)
        frames = bgr_frames(
            video.media, track_stretches(tracks), threads=threads, reading=video.reading
        )
        return self.compare_frames(frames, tracks, video.sound)

    def compare_frames(
        self, frames: Iterable[tuple[int, np.ndarray]], tracks: np.recarray, sound: str | Path
    ) -> dict[int, TrackComparison]:
        """The same of decoded pictures.

        `frames` are grid frame numbers, rising, and (H, W, 3) uint8 BGR pictures of the source's
        size, at least those of all tracks (`track_stretches`); `sound` is the grid's wav. The
        mouth's opening is not measured.
        Raises ValueError when `frames` leaves out frames of a track.
        """
        faces = self._faces(tracks, sound)
        windows = prefetch(_windows(frames, faces), PREFETCHED)
        for face, lips in run_batches(self._embed, windows, BATCHES[self._network.device.type]):
            face.add(lips)
        return {face.number: self._judge(face) for face in faces}

    def _faces(self, tracks: np.recarray, sound: str | Path) -> list[_Face]:
        """The tracks in order of their beginning."""
        faces = []
        for number, rows in rows_by_track(tracks).items():
            squares = crop_squares(face_boxes(rows))
            sounds = SoundEmbeddings(
                sound, rows["frame"], self._network, self._max_offset, self._ends
            )
            faces.append(_Face(number, rows["frame"], squares, sounds))
        return sorted(faces, key=lambda face: int(face.frames[0]))

    def _embed(
        self, windows: Sequence[tuple[_Face, list[np.ndarray]]]
    ) -> list[tuple[_Face, np.ndarray]]:
        embeddings = self._network.lips([crops for _, crops in windows])
        return [(face, lips) for (face, _), lips in zip(windows, embeddings, strict=True)]

    def _judge(self, face: _Face) -> TrackComparison:
        distances = face.distances(self._max_offset)
        estimate = scores.estimate_offset(distances)
        pad = scores.PAD_DISTANCE if self._ends == "compatible" else None
        confidences = scores.frame_confidences(distances, len(face.frames), pad)
        return TrackComparison(
            scores.frame_likeness(distances, len(face.frames), face.sounds.windows),
            opening=np.full(len(face.frames), np.nan),
            offset=estimate.offset,
            confidence=estimate.confidence,
            scores=confidences,
            distance=estimate.distance,
            drift=scores.drift(scores.local_offsets(distances)),
        )


def load(
    model: StoredModel | None,
    *,
    device: str,
    threads: int,
    precision: str,
    max_offset: int,
    ends: str,
) -> SyncNetSync:
    """The backend with the weights of a model of the store.

    device, threads: see devices.open_device. precision: float32, float16 or bfloat16, in which the
    network computes. max_offset, ends: see SyncNetSync.
    Raises ModelError without a model, ValueError for a file that is not SyncNet's.
    """
    entry = find_model(SyncNetSync.name)
    if model is None:
        raise ModelError(f"{entry.name} needs its model; or set {entry.instead}")
    [checkpoint] = entry.files
    network = load_embedder(
        model.checked_folder() / checkpoint.name,
        open_device(device, threads),
        number_format(precision),
    )
    return SyncNetSync(network, max_offset=max_offset, ends=ends, threads=threads)


def track_stretches(tracks: np.recarray) -> list[tuple[int, int]]:
    """The grid intervals `[start, end)` that some track fills, for `media.video.bgr_frames`."""
    stretches = [
        (int(rows["frame"].min()), int(rows["frame"].max()) + 1)
        for rows in rows_by_track(tracks).values()
    ]
    return sorted(stretches)


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
