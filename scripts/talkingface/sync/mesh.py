"""Lip-sync backend `mesh`: the mouth's shape and the sound, compared by two small networks.

How lips go with sound is the same in all people, so it is learned once:
`benchmarks/fit_lip_sync.py` fits both networks on real talkers, and `mesh.npz` holds what came out
(origin and licence: docs/accuracy.md). One network reads the mouth's shape (`mouth`) in the frames
around each frame, the other the sound's log-mel energies there. Each gives a vector, and their
product says how likely this sound belongs to these lips rather than any other, as a logarithm. They
run on numpy, faster than the mesh is followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.sync.comparison import TrackComparison, VideoFiles, rows_by_track
from talkingface.sync.log_mel import ROWS, log_mel
from talkingface.sync.mouth import MouthShape, follow_mouths, mouth_opening

WEIGHTS = Path(__file__).with_suffix(".npz")

# Shapes are taken relative to their mean over so many frames before and after: what somebody's
# face is like at rest says nothing of speech.
REST_FRAMES = 100
# Levels are relative to their mean over so many frames before and after: the recording's gain.
LEVEL_FRAMES = 50
# Of what a band's own mean differs from that, this share is taken off: the recording's timbre.
BAND_SHARE = 0.7
LEVEL_LIMIT, LEVEL_UNIT = 6.0, 3.0
# Differences between neighbouring frames are small beside the shapes.
MOTION_GAIN = 3.0
# How likely the lips find other sounds: of normally distributed products the mean of exp(product)
# is exp(mean + variance / 2), if frames are independent. They are not, and what tells voices apart
# best among the people of the fit is this share of the variance.
OTHERS_SHARE = 2.5
# How fast the components change, as root of the mean square over so many frames before and after,
# in the basis' unit a frame. While somebody speaks it is 0.54 to 2.6 (1st and 99th percentile of
# the people of the fit); of photographs, also zoomed into, at most 0.38, as the mesh jitters.
PACE_FRAMES = 25
LEAST_PACE = 0.6
# Lips as still as a photograph's are that much less likely those of any sound.
STILL_COST = 0.3
# Frames heard at once, and those beyond them that their vectors depend on: LEVEL_FRAMES and what
# the layers reach over.
PART_FRAMES = 2000
MARGIN = LEVEL_FRAMES + 10
# So many lags either way are compared at least: what is not the offset shows what chance gives.
CHANCE_LAGS = 15
# Places of a series that a layer works on at once.
BLOCK = 4096


class MeshSync:
    """Compares lips and sound in the analysis copy.

    max_offset: the largest offset searched, in frames. threads: how many faces are followed at a
    time.
    """

    name = "mesh"
    # Nobody hears a frame, and it is within what can be measured.
    trusted_offset = 2
    trusted_confidence = -np.inf

    def __init__(self, *, max_offset: int, threads: int) -> None:
        self._max_offset, self._threads = max_offset, threads

    def compare(self, video: VideoFiles, tracks: np.recarray) -> dict[int, TrackComparison]:
        """Likeness and mouth opening of every track."""
        from talkingface.shots.proxy import proxy_frames

        network = load_network()
        heard = hear(network, video.sound)

        def measure(points: np.ndarray) -> np.ndarray:
            return np.column_stack([mouth_opening(points), network.components(points)])

        reach = max(self._max_offset, CHANCE_LAGS)
        frames = proxy_frames(video.proxy)
        mouths = follow_mouths(frames, tracks, video.scale_at, self._threads, measure)
        compared = {}
        for number, rows in rows_by_track(tracks).items():
            opening, components = mouths[number][:, 0], mouths[number][:, 1:]
            table = likeness(network.lips(components), heard, int(rows["frame"][0]), reach)
            compared[number] = TrackComparison(table, opening.astype(float), self._max_offset)
        return compared


def hear(network: LipSyncNetwork, sound: str | Path) -> np.ndarray:
    """The network's vectors (M, E) float32 of all frames of a wav (16 kHz, mono), which is read
    part by part."""
    from talkingface.media.audio import read_wav

    parts: list[np.ndarray] = []
    while not parts or len(parts[-1]) == PART_FRAMES:
        start = len(parts) * PART_FRAMES
        before = min(start, MARGIN)
        samples = read_wav(
            sound,
            (start - before) * SAMPLES_PER_FRAME,
            (start + PART_FRAMES + MARGIN) * SAMPLES_PER_FRAME,
        )
        vectors = network.sounds(log_mel(samples))
        parts.append(vectors[before : before + PART_FRAMES])
    return np.concatenate(parts)


def compare_clip(points: np.ndarray, sound: np.ndarray, max_offset: int) -> TrackComparison:
    """The same of a finished clip: landmarks (N, 468 or more, 3) in pixels, NaN where there is no
    face, and sound (640 N,) int16 at 16 kHz."""
    network = load_network()
    lips = network.lips(network.components(points))
    reach = max(max_offset, CHANCE_LAGS)
    table = likeness(lips, network.sounds(log_mel(sound)), 0, reach)
    return TrackComparison(table, mouth_opening(points), max_offset)


@dataclass(frozen=True)
class Convolution:
    """A layer on time series: (k C, D) weights of k neighbours of C channels each, and (D,) biases.

    Every `stride`-th place is computed, from the one whose first neighbour is `before` places
    before the series, with zeros beyond its ends.
    """

    weights: np.ndarray
    biases: np.ndarray
    stride: int
    before: int

    def __call__(self, series: np.ndarray) -> np.ndarray:
        """(N, C) float32 -> (N / stride, D) float32."""
        width = len(self.weights) // series.shape[1]
        padded = np.pad(series, ((self.before, width), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)
        windows = windows[: len(series) : self.stride].transpose(0, 2, 1)
        result = np.empty((len(windows), len(self.biases)), np.float32)
        # Windows overlap, so laid out one after the other they are many times the series.
        for start in range(0, len(windows), BLOCK):
            part = windows[start : start + BLOCK]
            flat = part.reshape(len(part), len(self.weights))
            result[start : start + BLOCK] = flat @ self.weights + self.biases
        return result


@dataclass(frozen=True)
class LipSyncNetwork:
    """The two networks.

    basis: (3 P, K), a shape's K components. mouth_layers, sound_layers: what makes a vector of a
    frame's components, and of its log-mel energies. typical: (E,), the mean vector of what people's
    speech sounds like, spread: (E, E), the covariance around it.
    """

    shape: MouthShape
    basis: np.ndarray
    mouth_layers: tuple[Convolution, ...]
    sound_layers: tuple[Convolution, ...]
    typical: np.ndarray
    spread: np.ndarray

    def components(self, points: np.ndarray) -> np.ndarray:
        """(N, K) float64 of mesh points (N, 468 or more, 3) in pixels; NaN without a face."""
        return self.shape.of(points) @ self.basis

    def lips(self, components: np.ndarray) -> np.ndarray:
        """Vectors (N, E + 1) float32 of a track's components (N, K); NaN in frames without a face.

        The last number is there to be added: the product with a sound's vector says by how much
        the sound is likelier than any other. Lips that move much go well with many sounds, and
        those that do not move with none.
        """
        seen = np.isfinite(components).all(axis=1)
        vectors = np.full((len(components), len(self.typical) + 1), np.nan, np.float32)
        if seen.any():
            whole = bridged(components, seen)
            shapes = whole - moving_mean(whole, REST_FRAMES)
            motion = np.zeros_like(shapes)
            motion[1:-1] = (shapes[2:] - shapes[:-2]) / 2
            inputs = np.column_stack([shapes, MOTION_GAIN * motion]).astype(np.float32)
            products = _run(self.mouth_layers, inputs)[seen]
            others = products @ self.typical
            others += OTHERS_SHARE * np.einsum("ne,ef,nf->n", products, self.spread, products)
            others += STILL_COST * stillness(motion)[seen]
            vectors[seen] = np.column_stack([products, -others])
        return vectors

    def sounds(self, levels: np.ndarray) -> np.ndarray:
        """Vectors (N, E + 1) float32 of `log_mel` energies (4 N, BANDS); the last number is 1."""
        bands = moving_mean(levels, ROWS * LEVEL_FRAMES)
        gain = bands.mean(axis=1, keepdims=True)
        relative = levels - gain - BAND_SHARE * (bands - gain)
        inputs = np.clip(relative, -LEVEL_LIMIT, LEVEL_LIMIT) / LEVEL_UNIT
        vectors = _run(self.sound_layers, inputs.astype(np.float32))
        return np.pad(vectors, ((0, 0), (0, 1)), constant_values=1.0)


@cache
def load_network(weights: Path = WEIGHTS) -> LipSyncNetwork:
    """The networks of a file that `benchmarks/fit_lip_sync.py` wrote."""
    from talkingface.faces.face_model import CANONICAL, MIRROR

    with np.load(weights, allow_pickle=False) as stored:

        def layers(side: str) -> tuple[Convolution, ...]:
            """The mouth's or the sound's, stored in half precision."""
            return tuple(
                Convolution(
                    stored[f"{side}_{i}_weights"].astype(np.float32),
                    stored[f"{side}_{i}_biases"].astype(np.float32),
                    int(stride),
                    int(before),
                )
                for i, (stride, before) in enumerate(stored[f"{side}_places"])
            )

        right = stored["vertices"]
        return LipSyncNetwork(
            MouthShape(CANONICAL, right, MIRROR[right]),
            stored["basis"],
            layers("mouth"),
            layers("sound"),
            stored["typical"],
            stored["spread"],
        )


def likeness(lips: np.ndarray, sounds: np.ndarray, start: int, max_offset: int) -> np.ndarray:
    """How well the lips of every frame go with the sound around it, (N, 2 max_offset + 1) float32.

    `lips` (N, E) and `sounds` (M, E) are vectors of frames; lips' frame 0 is at `start` in the
    sounds. Column i is the lag i - max_offset of the sound; NaN where one of both is missing.
    """
    shifts = range(-max_offset, max_offset + 1)
    table = np.full((len(lips), len(shifts)), np.nan, np.float32)
    for column, shift in enumerate(shifts):
        low, high = max(0, -start - shift), min(len(lips), len(sounds) - start - shift)
        if low < high:
            other = sounds[start + low + shift : start + high + shift]
            table[low:high, column] = np.einsum("ne,ne->n", lips[low:high], other)
    return table


def stillness(motion: np.ndarray) -> np.ndarray:
    """How still lips are around every frame, (N,) float64 from 0, as in speech, to 1, of the change
    (N, K) of their components."""
    squares = (motion**2).sum(axis=1, keepdims=True)
    pace = np.sqrt(moving_mean(squares, PACE_FRAMES)[:, 0])
    return np.clip(1 - pace / LEAST_PACE, 0, 1)


def moving_mean(series: np.ndarray, reach: int) -> np.ndarray:
    """Mean of every row of (N, C) and those up to `reach` before and after, as far as there are."""
    sums = np.zeros((len(series) + 1, series.shape[1]))
    np.cumsum(series, axis=0, out=sums[1:])
    low = np.maximum(np.arange(len(series)) - reach, 0)
    high = np.minimum(np.arange(len(series)) + reach + 1, len(series))
    return (sums[high] - sums[low]) / (high - low)[:, None]


def _run(layers: tuple[Convolution, ...], series: np.ndarray) -> np.ndarray:
    """The layers one after the other, with x / (1 + exp(-x)) (SiLU) between them."""
    for i, layer in enumerate(layers):
        if i:
            series = series / (1 + np.exp(-series))
        series = layer(series)
    return series


def bridged(series: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Rows that are not seen, put linearly between those around them."""
    times = np.arange(len(series))
    return np.stack([np.interp(times, times[seen], column[seen]) for column in series.T], axis=1)
