"""The HDF5 of eeskimez: sound as deltas of a mel spectrum, and the face that goes with it.

featureExtractor.py and train.py of eeskimez/Talking-Face-Landmarks-from-Speech. To them every
sample is a video of 75 frames. Here samples are windows of clips, and by default what a window of a
clip amid speech needs is done otherwise than they do, whose videos begin with a closed mouth and a
head that is still: see `face_windows`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from talkingface.dataset.split import SIDES
from talkingface.export_tables import LANDMARKS_HDF5
from talkingface.exports.conditions import at_least
from talkingface.exports.export_clips import ExportClip
from talkingface.exports.face_runs import face_runs, longest_run
from talkingface.exports.landmarks_hdf5_faces import align_eyes, transfer_expression
from talkingface.exports.tree import Tree
from talkingface.faces.landmark_files import clip_landmarks
from talkingface.job.arrays import read_arrays
from talkingface.job.files import DamagedFile, damage_in
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip

if TYPE_CHECKING:
    import h5py

logger = logging.getLogger(__name__)

WINDOW = 75  # frames of a sample
_FEATURES = 128
_COORDINATES = 136


def make_landmarks_hdf5(
    clips: Sequence[Clip], landmarks: str | Path, folder: str | Path, manifest: str | Path
) -> None:
    """Write what the samples of every clip are made of: `folder`/{clip}.npz, and LANDMARKS_HDF5.

    `landmarks` is the folder with the clips' landmarks. In the npz are `features` (N, 128) float32,
    see `delta_mel`, of the sound of the film, which has the source's sampling rate where the wav
    has 16 kHz, and `landmarks` (N, 136) float32, x and y of the 68 points in turn, moved by the
    clip's first face as `align_eyes` does, NaN on a frame without a face.
    """

    def make(clip: Clip, into: Path) -> Mapping[str, int]:
        points = _aligned(clip_landmarks(landmarks, clip).points68)
        np.savez(
            into / f"{clip.clip_id}.npz",
            features=clip_features(clip),
            landmarks=points.reshape(-1, _COORDINATES),
        )
        return {"longest_run": longest_run(_seen(points))}

    make_for_clips(make, clips, folder, manifest, LANDMARKS_HDF5)


def clip_features(clip: Clip) -> np.ndarray:
    """(N, 128) float32, see `delta_mel`, of the sound of a clip's film.

    Raises DamagedFile where the film is not whole, has no sound or cannot be decoded.
    """
    import av

    from talkingface.media.audio import SoundTrack, sound_format
    from talkingface.media.errors import UnreadableMedia
    from talkingface.media.own_video import film_fault
    from talkingface.sound.delta_mel import RATE, delta_mel

    fault = film_fault(clip.video)
    if fault:
        raise DamagedFile(clip.video, fault)
    with damage_in(clip.video, av.FFmpegError, UnreadableMedia, LookupError, ValueError):
        sound_format(clip.video)
        track = SoundTrack(clip.video, rate=RATE, channels=1)
        return delta_mel(lambda start, stop: track.read(start, stop)[:, 0], clip.n_frames)


def window_starts(points: np.ndarray, hop: int) -> list[int]:
    """First frames of the windows of WINDOW frames that all have a face, in order.

    In every stretch of frames with a face, points (N, 68, 2), windows begin every `hop` frames, and
    one more ends with the stretch, so that none of its frames is left out.
    """
    starts: list[int] = []
    for start, stop in face_runs(_seen(points)):
        last = stop - WINDOW
        if last >= start:
            starts += sorted({*range(start, last + 1, hop), last})
    return starts


def face_windows(
    points: np.ndarray,
    starts: Sequence[int],
    mean_face: np.ndarray,
    *,
    align: str,
    neutral: str,
) -> Iterator[np.ndarray]:
    """Yield the mean face, moved as the face of each window of a clip, (75, 68, 2) float64.

    points: (N, 68, 2) of the clip, in any unit; NaN without a face. starts: first frames of the
    windows. mean_face: (68, 2) with eyes in their place.
    align: by whose eyes the frames are moved: `every_frame` by its own, which takes the head's
    movement out, or all by those of the window's `first_frame`, as the reader does.
    neutral: which face of this person the mean face stands for: the `mean` of the clip, or that of
    the window's `first_frame`, as the reader does, whose samples all begin with the mean face.
    Raises ValueError for another align or neutral.
    """
    if align not in ("every_frame", "first_frame"):
        raise ValueError(f"unknown align {align!r}: choose every_frame or first_frame")
    if neutral not in ("mean", "first_frame"):
        raise ValueError(f"unknown neutral {neutral!r}: choose mean or first_frame")
    if align == "every_frame":
        points = align_eyes(points)
    mean = np.nanmean(points, axis=0)
    for start in starts:
        window = points[start : start + WINDOW]
        faces = np.concatenate([mean[None] if neutral == "mean" else window[:1], window])
        if align == "first_frame":
            faces = align_eyes(faces, window[0])
        yield transfer_expression(faces[1:], faces[0], mean_face)


def lay_out(clips: Sequence[ExportClip], tree: Tree, *, hop: int, align: str, neutral: str) -> None:
    """`train.h5` and `eval.h5`, each with the samples of its side; none where it would be empty.

    hop: see `window_starts`; align, neutral: see `face_windows`.
    """
    usable = [clip for clip in clips if _is_long_enough(clip, tree)]
    if not usable:
        return
    mean_face = make_mean_face([clip for clip in usable if clip.side == "train"] or usable)
    for side in SIDES:
        windows = _windows(
            [clip for clip in usable if clip.side == side], tree, mean_face, hop, align, neutral
        )
        first = next(windows, None)
        if first is None:
            logger.warning("no clip of %s has a window: there is no %s.h5", side, side)
            continue
        settings = {"hop": hop, "align": align, "neutral": neutral}
        with _Samples(tree.path(f"{side}.h5"), mean_face, settings) as samples:
            samples.add(*first)
            for window in windows:
                samples.add(*window)


def make_mean_face(clips: Sequence[ExportClip]) -> np.ndarray:
    """(68, 2) float64: the mean of the clips' mean faces, each frame moved by its own eyes.

    Every clip counts as much, however long. The eyes' corners stand in their place.
    """
    total = np.zeros((68, 2))
    for clip in clips:
        _, points = _read(clip)
        total += np.nanmean(align_eyes(points), axis=0)
    return align_eyes(total[None])[0]


class _Samples:
    """An HDF5 file that samples are added to; `mean_face` and `settings` are kept in it.

    A context manager.
    """

    def __init__(self, path: Path, mean_face: np.ndarray, settings: Mapping[str, Any]) -> None:
        import h5py

        self._file = h5py.File(path, "w")
        self._file.attrs.update(settings)
        self._file["mean_face"] = mean_face.astype(np.float32)
        self._mel = self._grown("MelFeatures", (WINDOW, _FEATURES), np.float32)
        self._landmarks = self._grown("flmark", (WINDOW, _COORDINATES), np.float32)
        self._clips = self._grown("clip_id", (), h5py.string_dtype())
        self._starts = self._grown("start_frame", (), np.int64)

    def _grown(self, name: str, shape: tuple[int, ...], dtype: Any) -> h5py.Dataset:
        """An empty dataset that can grow. Of what is large every sample lies in one piece, as the
        reader reads them one by one."""
        chunks = (1, *shape) if shape else (1024,)
        return self._file.create_dataset(
            name, (0, *shape), dtype, maxshape=(None, *shape), chunks=chunks
        )

    def add(self, clip_id: str, start: int, features: np.ndarray, landmarks: np.ndarray) -> None:
        """Add one sample: features (75, 128) and landmarks (75, 136) of a clip from frame `start`
        on."""
        parts = (self._mel, features), (self._landmarks, landmarks), (self._clips, clip_id)
        for dataset, value in (*parts, (self._starts, start)):
            dataset.resize(len(dataset) + 1, axis=0)
            dataset[-1] = value

    def __enter__(self) -> _Samples:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _windows(
    clips: Sequence[ExportClip],
    tree: Tree,
    mean_face: np.ndarray,
    hop: int,
    align: str,
    neutral: str,
) -> Iterator[tuple[str, int, np.ndarray, np.ndarray]]:
    """Name, first frame, features (75, 128) and landmarks (75, 136) of every sample.

    The reader's network gives numbers between 0 and 1: a window whose landmarks leave these is left
    out, and a clip without another one skipped.
    """
    left_out = 0
    for clip in clips:
        features, points = _read(clip)
        outside: list[float] = []
        starts = window_starts(points, hop)
        faces = face_windows(points, starts, mean_face, align=align, neutral=neutral)
        for start, face in zip(starts, faces, strict=True):
            furthest = float(np.abs(face - 0.5).max()) + 0.5
            if furthest >= 1:
                outside.append(furthest)
                continue
            landmarks = face.reshape(WINDOW, _COORDINATES)
            yield clip.clip_id, start, features[start : start + WINDOW], landmarks
        if len(outside) == len(starts):
            condition = "largest coordinate, 0 to 1, in the best window"
            tree.skip(clip, condition, min(outside), "below 1")
        left_out += len(outside)
    if left_out:
        logger.warning("%d windows left out, in which the face leaves 0 to 1", left_out)


def _is_long_enough(clip: ExportClip, tree: Tree) -> bool:
    # A clip that is too short has no longer stretch either: one reason says it.
    return tree.check(clip, at_least("frames", clip.n_frames, WINDOW)) and tree.check(
        clip, at_least("frames in a row with a face", clip.measures.longest_run, WINDOW)
    )


def _aligned(points68: np.ndarray) -> np.ndarray:
    """(N, 68, 2) float32 moved by the eyes of the first face; NaN where there is none.

    A face whose outer eye corners are one point is none.
    """
    seen = _seen(align_eyes(points68))
    points = np.where(seen[:, None, None], points68, np.nan)
    if not seen.any():
        return points.astype(np.float32)
    return align_eyes(points, points[np.argmax(seen)]).astype(np.float32)


def _seen(points: np.ndarray) -> np.ndarray:
    """(N,) bool: the frames of points (N, 68, 2) that have a face."""
    return np.isfinite(points).all(axis=(1, 2))


def _read(clip: ExportClip) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, 128) and points (N, 68, 2) of a clip, as the stage wrote them."""
    path = clip.path("landmarks_hdf5")
    arrays = read_arrays(path)
    with damage_in(path, KeyError):
        features, points = arrays["features"], arrays["landmarks"]
    wanted = (clip.n_frames, _FEATURES), (clip.n_frames, _COORDINATES)
    if (features.shape, points.shape) != wanted:
        how = f"arrays of {features.shape} and {points.shape}, not {wanted[0]} and {wanted[1]}"
        raise DamagedFile(path, how)
    return features, points.reshape(-1, 68, 2)
