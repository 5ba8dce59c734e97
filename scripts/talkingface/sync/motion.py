"""Lip-sync backend `motion`: how well the mouth's shape goes with the sound, by correlation.

Needs no download. Loudness and lip opening alone hardly correlate on real speech; the canonical
correlation of several measures of the mouth with several bands of the sound does: on the two
samples it peaks within one frame of 0 in 9 of 12 windows of 5 s, and over their whole length.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from talkingface.filters import zero_phase_filter
from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.sync.comparison import TrackSync, VideoFiles, face_boxes, rows_by_track
from talkingface.sync.trust import TRUSTED_CONFIDENCE, TRUSTED_OFFSET

if TYPE_CHECKING:
    from talkingface.faces.mesh import FaceMesh

# Mesh points that move with the skull (eye corners, bridge and tip of the nose) and those of the
# mouth and chin, by number in the mesh.
RIGID = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 2)
MOUTH = (13, 14, 82, 87, 312, 317, 0, 17, 61, 291, 152)
POINTS = RIGID + MOUTH

# Speech moves the mouth at 1 to 8 Hz; slower is head motion, faster is noise. In Hz.
PASSBAND = (0.7, 9.0)
# The Butterworth filter of second order for it, as two sections b0, b1, b2, a0, a1, a2:
# scipy.signal.butter(2, PASSBAND, "band", fs=FPS, output="sos").
_B0, _A = 0.4620551853203176, (1.0, 0.8004490272344401, 0.30479537594631545)
SECTIONS = np.array(
    [
        [_B0, 2 * _B0, _B0, *_A],
        [1.0, -2.0, 1.0, 1.0, -1.751615235783897, 0.7813447171496114],
    ]
)
BANDS = 8
BAND_EDGES_HZ = (100.0, 6000.0)
FFT = 1024
# Nearly a logarithm, but pauses do not fall without end.
COMPRESSION = 0.1
# Ridge on both sides of the canonical correlation, in units of a measure's variance.
RIDGE = 1.0

# A track is judged in windows of 10 s that overlap by half.
WINDOW = 250
# Fewer frames say nothing.
SHORTEST = 50
# Who speaks when is judged in windows of 4 s. Turns of 4 s and more come apart in them, but not in
# those of 10 s; on the two samples they know a voice from another's 93 times in a hundred.
LOCAL_WINDOW = 100
LOCAL_STEP = 25
# With a third, cuts between drawn turns are a quarter of a second off, without, 1.6 s too far out.
CLEAREST_SHARE = 1 / 3
# Lags beyond the searched ones show what chance gives; those this near the peak do not count.
CHANCE_LAGS = 50
PEAK_WIDTH = 4

# Frames a worker follows a face for before it finds it anew.
CHUNK = 64


class MotionSync:
    """Compares lips and sound by their correlation, in the analysis copy.

    max_offset: the largest offset searched, in frames; at most a third of a track less 5 is.
    threads: how many faces are followed at a time.
    """

    name = "motion"
    trusted_confidence = TRUSTED_CONFIDENCE
    trusted_offset = TRUSTED_OFFSET

    def __init__(self, *, max_offset: int, threads: int) -> None:
        self._max_offset, self._threads = max_offset, threads

    def compare(self, video: VideoFiles, tracks: np.recarray) -> dict[int, TrackSync]:
        """Offset, confidence, scores over 10 s and over 4 s, and openness of every track."""
        from talkingface.media.audio import read_wav
        from talkingface.shots.proxy import proxy_frames

        points = mouth_points(proxy_frames(video.proxy), tracks, video.scale, self._threads)
        compared = {}
        for number, rows in rows_by_track(tracks).items():
            first, last = int(rows["frame"][0]), int(rows["frame"][-1])
            start, stop = first * SAMPLES_PER_FRAME, (last + 1) * SAMPLES_PER_FRAME
            levels = band_levels(read_wav(video.sound, start, stop))
            measures = mouth_measures(points[number])
            correlation = correlate(measures, levels, self._max_offset)
            compared[number] = TrackSync(
                correlation.offset,
                correlation.confidence,
                correlation.scores,
                correlation.local_scores,
                openness=measures[:, 0],
            )
        return compared


@dataclass(frozen=True)
class Correlation:
    """Offset in frames (positive: the sound leads), confidence, and two scores a frame, (N,):
    over 10 s, comparable with the confidence, and over the 4 s around the frame."""

    offset: int
    confidence: float
    scores: np.ndarray
    local_scores: np.ndarray


@dataclass
class _Chunk:
    """Some frames of a track in a row: where its face is cropped, (x, y) and (width, height), and
    the face's boxes in the crop."""

    track: int
    start: int
    corner: tuple[int, int]
    size: tuple[int, int]
    boxes: np.ndarray
    pictures: list[np.ndarray] = field(default_factory=list)


def mouth_points(
    frames: Iterable[np.ndarray], tracks: np.recarray, scale: float, threads: int
) -> dict[int, np.ndarray]:
    """Follow the mouth of every track.

    `frames` are the analysis copy's (H, W, 3) uint8 BGR frames in grid order, `tracks` a table
    TRACKS, `scale` source pixels per pixel of the copy. Gives for every track an (N, 22, 2) float32
    array of POINTS in the copy's pixels, NaN where no face was seen.
    """
    from talkingface.faces.mesh import FaceMesh

    by_track = rows_by_track(tracks)
    points = {
        number: np.full((len(rows), len(POINTS), 2), np.nan, np.float32)
        for number, rows in by_track.items()
    }
    meshes = threading.local()
    opened: list[FaceMesh] = []

    def follow(chunk: _Chunk) -> tuple[_Chunk, np.ndarray]:
        if not hasattr(meshes, "mesh"):
            meshes.mesh = FaceMesh(refine=False)
            opened.append(meshes.mesh)
        meshes.mesh.reset()
        pictures, chunk.pictures = chunk.pictures, []
        part = np.full((len(pictures), len(POINTS), 2), np.nan, np.float32)
        for i, picture in enumerate(pictures):
            mesh = meshes.mesh.follow(picture, chunk.boxes[i])
            if mesh is not None:
                part[i] = mesh[list(POINTS), :2] + chunk.corner
        return chunk, part

    def store(future: Future[tuple[_Chunk, np.ndarray]]) -> None:
        chunk, part = future.result()
        begin = chunk.start - by_track[chunk.track]["frame"][0]
        points[chunk.track][begin : begin + len(part)] = part

    # Chunks are bounded by frame number, so the result does not depend on the number of threads.
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[tuple[_Chunk, np.ndarray]]] = deque()
        for chunk in _with_pictures(frames, _chunks(by_track, scale)):
            waiting.append(pool.submit(follow, chunk))
            if len(waiting) > threads + 1:
                store(waiting.popleft())
        for future in waiting:
            store(future)
    for mesh in opened:
        mesh.close()
    return points


def mouth_measures(points: np.ndarray) -> np.ndarray:
    """Six measures of the mouth, (N, 6) float64, in units of the nose's length.

    `points` are (N, 22, 2) as `mouth_points` gives them; gaps are bridged linearly. Columns: inner
    lip opening, outer lip height, mouth width, chin, lower and upper lip below the nose. The head's
    place, turn in the picture and size are taken out by a similarity onto the median skull points.
    """
    points = _bridged(points.astype(np.float64))
    rigid = points[:, : len(RIGID)]
    target = np.median(rigid, axis=0)
    target = target - target.mean(axis=0)
    centred = rigid - rigid.mean(axis=1, keepdims=True)
    # Least-squares similarity in the plane, as one complex factor.
    source, aim = centred @ [1, 1j], target @ [1, 1j]
    factor = (source.conj() @ aim) / np.maximum((abs(source) ** 2).sum(axis=1), 1e-9)
    upright = ((points - rigid.mean(axis=1, keepdims=True)) @ [1, 1j]) * factor[:, None]
    at = {number: upright[:, i] for i, number in enumerate(POINTS)}
    nose = abs(at[168] - at[2]).mean()
    inner = (abs(at[13] - at[14]) + abs(at[82] - at[87]) + abs(at[312] - at[317])) / 3
    measures = [inner, abs(at[0] - at[17]), abs(at[61] - at[291])]
    measures += [(at[point] - at[2]).imag for point in (152, 17, 0)]
    return np.stack(measures, axis=1) / max(nose, 1e-9)


def band_levels(sound: np.ndarray) -> np.ndarray:
    """Compressed energy of 8 bands, evenly spaced in mel from 100 to 6000 Hz, (N, 8) float64.

    `sound` is (640 N,) int16 at 16 kHz; row k is a 40 ms window centred on frame k's time.
    """
    count = len(sound) // SAMPLES_PER_FRAME
    half = SAMPLES_PER_FRAME // 2
    padded = np.pad(sound, (half, half))
    low, high = 2595 * np.log10(1 + np.array(BAND_EDGES_HZ) / 700)
    mel = np.linspace(low, high, BANDS + 1)
    edges = np.round(700 * (10 ** (mel / 2595) - 1) * FFT / SAMPLE_RATE).astype(int)
    levels = np.empty((count, BANDS))
    for start in range(0, count, 1000):
        stop = min(start + 1000, count)
        block = padded[start * SAMPLES_PER_FRAME : stop * SAMPLES_PER_FRAME] / 32768.0
        windows = block.reshape(stop - start, SAMPLES_PER_FRAME) * np.hanning(SAMPLES_PER_FRAME)
        power = abs(np.fft.rfft(windows, FFT)) ** 2
        levels[start:stop] = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    return levels**COMPRESSION


def correlate(measures: np.ndarray, levels: np.ndarray, max_offset: int) -> Correlation:
    """Offset and confidence of a track from its mouth and the sound of the same frames.

    `measures` (N, 6), `levels` (N, 8). The confidence is the height of the peak over the curve
    away from it, in that part's standard deviations: chance gives 1 to 3 on 5 s, speech more,
    the longer the clearer.
    """
    count = len(measures)
    if count < SHORTEST:
        return Correlation(0, 0.0, np.zeros(count), np.zeros(count))
    measures, levels = _filtered(measures), _filtered(levels)
    width = min(count, WINDOW)
    reach = min(CHANCE_LAGS, width // 3)
    number = 1 + -(-(count - width) // (WINDOW // 2))
    starts = np.linspace(0, count - width, number).astype(int)
    curves = np.stack(
        [_curve(measures[s : s + width], levels[s : s + width], reach) for s in starts]
    )
    searched = min(max_offset, reach - PEAK_WIDTH - 1)
    lag, confidence = _peak(curves.mean(axis=0), reach, searched)
    scores, covered = np.zeros(count), np.zeros(count)
    for start, curve in zip(starts, curves, strict=True):
        scores[start : start + width] += _height(curve, reach + lag)
        covered[start : start + width] += 1
    # A lag means that the sound comes later than the lips.
    local_scores = _local_scores(measures, levels, lag)
    return Correlation(-lag, confidence, scores / covered, local_scores)


def _local_scores(measures: np.ndarray, levels: np.ndarray, lag: int) -> np.ndarray:
    """How far the curve of the window around every frame stands out at the track's lag, (N,).

    Windows with a little speech stand out too, the more the clearer it is: so much is taken off
    that a third of the clearest is no more than 1.
    """
    count = len(measures)
    width = min(count, LOCAL_WINDOW)
    reach = max(width // 3, abs(lag) + PEAK_WIDTH + 1)
    starts = np.unique(np.r_[np.arange(0, count - width, LOCAL_STEP), count - width])
    heights = [
        _height(_curve(measures[s : s + width], levels[s : s + width], reach), reach + lag)
        for s in starts
    ]
    local = np.interp(np.arange(count), starts + (width - 1) / 2, heights)
    return local - max(0.0, CLEAREST_SHARE * float(np.percentile(local, 90)) - 1)


def _curve(measures: np.ndarray, levels: np.ndarray, reach: int) -> np.ndarray:
    """Sum of squared canonical correlations at lags -reach .. reach."""
    count = len(measures)
    curve = np.empty(2 * reach + 1)
    for lag in range(-reach, reach + 1):
        mouth = measures[max(0, -lag) : count - max(0, lag)]
        sound = levels[max(0, lag) : count - max(0, -lag)]
        curve[lag + reach] = _canonical(mouth, sound)
    return curve


def _canonical(x: np.ndarray, y: np.ndarray) -> float:
    """Sum of squared canonical correlations of the columns of two arrays, with a ridge."""
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    y = (y - y.mean(axis=0)) / (y.std(axis=0) + 1e-9)
    left = np.linalg.inv(np.linalg.cholesky(x.T @ x / len(x) + RIDGE * np.eye(x.shape[1])))
    right = np.linalg.inv(np.linalg.cholesky(y.T @ y / len(y) + RIDGE * np.eye(y.shape[1])))
    # The squares' sum is the Frobenius norm: no singular values needed.
    return float(((left @ (x.T @ y / len(x)) @ right.T) ** 2).sum())


def _peak(curve: np.ndarray, reach: int, searched: int) -> tuple[int, float]:
    """Lag of the highest point within `searched`, and its height."""
    best = int(curve[reach - searched : reach + searched + 1].argmax()) - searched
    return best, _height(curve, reach + best)


def _height(curve: np.ndarray, at: int) -> float:
    """How far a point stands above the rest of a curve, in the rest's standard deviations."""
    rest = np.delete(curve, slice(max(0, at - PEAK_WIDTH), at + PEAK_WIDTH + 1))
    return float((curve[at] - np.median(rest)) / (rest.std() + 1e-9))


def _filtered(series: np.ndarray) -> np.ndarray:
    return zero_phase_filter(SECTIONS, series)


def _bridged(points: np.ndarray) -> np.ndarray:
    """Fill frames without a face linearly from those around; all zeros when there is none."""
    seen = np.isfinite(points).all(axis=(1, 2))
    if not seen.any():
        return np.zeros_like(points)
    flat = points.reshape(len(points), -1)
    times = np.arange(len(points))
    filled = [np.interp(times, times[seen], column[seen]) for column in flat.T]
    return np.stack(filled, axis=1).reshape(points.shape)


def _chunks(by_track: dict[int, np.recarray], scale: float) -> list[_Chunk]:
    """Stretches of up to CHUNK frames of one track, each with one crop that holds the face."""
    chunks = []
    for number, rows in by_track.items():
        frames, boxes = rows["frame"], face_boxes(rows) / scale
        for i in range(0, len(frames), CHUNK):
            part = boxes[i : i + CHUNK]
            # Half a face around: the mesh looks at 1.5 times the face.
            margin = 0.5 * part[:, 2:].max()
            low = np.maximum(np.floor(part[:, :2].min(axis=0) - margin), 0).astype(int)
            high = np.ceil((part[:, :2] + part[:, 2:]).max(axis=0) + margin).astype(int)
            relative = part - [*low, 0, 0]
            size = (int(high[0] - low[0]), int(high[1] - low[1]))
            corner = (int(low[0]), int(low[1]))
            chunks.append(_Chunk(number, int(frames[i]), corner, size, relative))
    return sorted(chunks, key=lambda chunk: chunk.start)


def _with_pictures(frames: Iterable[np.ndarray], chunks: list[_Chunk]) -> Iterator[_Chunk]:
    """Give every chunk its pictures while the frames go by."""
    waiting = deque(chunks)
    # The list would keep every chunk's pictures until the end.
    del chunks
    filling: list[_Chunk] = []
    for k, frame in enumerate(frames):
        while waiting and waiting[0].start == k:
            filling.append(waiting.popleft())
        for chunk in filling:
            (x, y), (w, h) = chunk.corner, chunk.size
            chunk.pictures.append(frame[y : y + h, x : x + w].copy())
        for chunk in [c for c in filling if len(c.pictures) == len(c.boxes)]:
            filling.remove(chunk)
            yield chunk
