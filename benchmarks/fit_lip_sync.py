"""Fit the networks of the lip-sync backend `mesh` on real talkers; writes sync/mesh.npz.

    python benchmarks/fit_lip_sync.py FOLDER... [--cache FOLDER] [--folds 8] [--out mesh.npz]

FOLDER holds the videos of `talkers.csv` whose use is `fit`; needs torch, and some three minutes on
two cores. With `--folds` the people are divided, and for each part of them one more pair of
networks is fitted without it, beside the output, for `benchmarks/lip_sync.py` to judge everybody by
networks that never saw him.

Networks and weights are this project's own, under its licence: nothing was taken from others'
networks. Of the footage, other people's, nothing is kept.

A window of somebody's mouth is shown with its own sound at lags up to REACH frames either way, and
with those of others; the networks learn to give the largest product at lag 0 of its own (van den
Oord 2018, arXiv:1807.03748). Windows are changed at random, so that few people teach what holds for
all: faster and slower speech, other sizes of movement, jittering points, frames held as in a video
of fewer frames a second, other voices and noise beneath, other microphones, missing bands.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from talkers import ROOT, Face, find_videos, parts_of, read_faces
from torch import nn
from torch.nn import functional

from talkingface.faces.face_model import CANONICAL, MIRROR
from talkingface.sync import mesh
from talkingface.sync.log_mel import BANDS, ROWS, log_mel
from talkingface.sync.mouth import MouthShape

SPEEDS = (0.85, 0.92, 1.0, 1.08, 1.17)
REACH = 12
LENGTHS = (50, 75, 100)
# Frames of a person that say what speech sounds like, at most.
LONGEST = 60 * 25
# Rows of silence around every sound, as far as a window may reach over its end.
PADDING = ROWS * (REACH + 8)


@dataclass(frozen=True)
class Recipe:
    """What is chosen by judging people that were left out of `fit`."""

    components: int = 16
    width: int = 64
    size: int = 32
    dropout: float = 0.15
    steps: int = 1500
    batch: int = 64
    rate: float = 2e-3
    decay: float = 0.02
    jitter: float = 0.25
    gain: float = 0.25


def speaking_vertices() -> np.ndarray:
    """Vertices of the right half and the midline below the nose: lips, chin, jaw and cheeks."""
    low = (CANONICAL[:, 1] < CANONICAL[2, 1] + 0.3) & (abs(CANONICAL[:, 0]) < 5.5)
    return np.flatnonzero(low & low[MIRROR] & (np.arange(len(MIRROR)) <= MIRROR))


@dataclass
class Speaker:
    """A face with what the networks are shown: (n, C) shapes, relative to rest, and at every one of
    SPEEDS the log-mel energies (4 m, BANDS)."""

    face: Face
    shapes: np.ndarray
    levels: dict[float, np.ndarray]


class Networks(nn.Module):
    """The two networks of `mesh`, to be fitted."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        width, size, drop = recipe.width, recipe.size, recipe.dropout
        self.mouth_layers = nn.ModuleList(
            [
                nn.Conv1d(2 * recipe.components, width, 5),
                nn.Conv1d(width, width, 5),
                nn.Conv1d(width, size, 3),
            ]
        )
        self.sound_layers = nn.ModuleList(
            [
                nn.Conv1d(BANDS, width, 5),
                nn.Conv1d(width, width, 2 * ROWS, stride=ROWS),
                nn.Conv1d(width, width, 5),
                nn.Conv1d(width, size, 3),
            ]
        )
        self.drop = nn.Dropout(drop)
        self.log_scale = nn.Parameter(torch.tensor(-4.0))

    def mouth(self, shapes: torch.Tensor) -> torch.Tensor:
        """(B, T, K) -> (B, T, E)."""
        motion = torch.zeros_like(shapes)
        motion[:, 1:-1] = (shapes[:, 2:] - shapes[:, :-2]) / 2
        inputs = torch.cat([shapes, mesh.MOTION_GAIN * motion], 2)
        return self._run(self.mouth_layers, inputs) * self.log_scale.exp()

    def sound(self, levels: torch.Tensor) -> torch.Tensor:
        """(B, 4 T, BANDS) of a window -> (B, T, E)."""
        gain = levels.mean((1, 2), keepdim=True)
        relative = levels - gain - mesh.BAND_SHARE * (levels.mean(1, keepdim=True) - gain)
        inputs = torch.clamp(relative, -mesh.LEVEL_LIMIT, mesh.LEVEL_LIMIT) / mesh.LEVEL_UNIT
        return self._run(self.sound_layers, inputs)

    def _run(self, layers: nn.ModuleList, series: torch.Tensor) -> torch.Tensor:
        series = series.transpose(1, 2)
        for i, layer in enumerate(layers):
            if i:
                series = self.drop(functional.silu(series))
            before, after = reach(layer)
            series = layer(functional.pad(series, (before, after)))
        return series.transpose(1, 2)


def reach(layer: nn.Conv1d) -> tuple[int, int]:
    """Places before and after the one a layer computes that it looks at."""
    [width], [stride] = layer.kernel_size, layer.stride
    return (width // 2, width - stride - width // 2) if stride > 1 else (width // 2, width // 2)


class Windows:
    """Random windows of speakers, changed at random. What is said of B windows of T frames: shapes
    (B, T, K), levels (B, 4 (T + 2 REACH), BANDS), whether a frame of these has a sound
    (B, T + 2 REACH), the person (B,)."""

    def __init__(self, speakers: list[Speaker], basis: np.ndarray, recipe: Recipe, seed: int):
        self._recipe = recipe
        self._random = torch.Generator().manual_seed(seed)
        people = {name: i for i, name in enumerate(sorted({s.face.video.person for s in speakers}))}
        shapes, levels, heard, items = [], [], [], []
        shapes_at = levels_at = 0
        for speaker in speakers:
            components = speaker.shapes @ basis
            for speed, rows in speaker.levels.items():
                count = len(rows) // ROWS
                at = np.minimum(np.arange(count) * speed, len(components) - 1)
                shapes.append(
                    np.stack([np.interp(at, np.arange(len(c)), c) for c in components.T], axis=1)
                )
                silence = np.repeat(rows.min(axis=0)[None], PADDING, axis=0)
                levels.append(np.concatenate([silence, rows, silence]))
                heard.append(np.pad(np.ones(len(rows), bool), PADDING))
                lead = round(ROWS * speaker.face.video.offset / speed)
                person = people[speaker.face.video.person]
                items.append((shapes_at, levels_at, count, person, lead))
                shapes_at, levels_at = shapes_at + count, levels_at + len(levels[-1])
        self._shapes = torch.from_numpy(np.concatenate(shapes).astype(np.float32))
        self._levels = torch.from_numpy(np.concatenate(levels))
        self._heard = torch.from_numpy(np.concatenate(heard))
        table = np.array(items)
        self._at, self._levels_at, self._counts, self._person, self._lead = torch.from_numpy(
            table.T
        )
        # A person is drawn the more often, the more there is of him, but not in proportion.
        totals = np.bincount(table[:, 3], weights=table[:, 2])[table[:, 3]]
        weights = table[:, 2] / totals * np.sqrt(np.minimum(totals, 60 * 25 * len(SPEEDS)))
        self._weights = {
            length: torch.from_numpy(np.where(table[:, 2] >= length + 2, weights, 0.0))
            for length in LENGTHS
        }

    def _uniform(self, *shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=self._random)

    def _normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=self._random)

    def draw(self, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """As many windows of so many frames as the recipe's batch."""
        batch = self._recipe.batch
        drawn = torch.multinomial(self._weights[length], batch, True, generator=self._random)
        start = (self._uniform(batch) * (self._counts[drawn] - length)).long()
        shapes = self._shapes[(self._at[drawn] + start)[:, None] + torch.arange(length)]
        first = self._levels_at[drawn] + PADDING + ROWS * (start - REACH) - self._lead[drawn]
        at = first[:, None] + torch.arange(ROWS * (length + 2 * REACH))
        heard = self._heard[at].reshape(batch, -1, ROWS).all(2)
        return self._moved(shapes), self._sounding(self._levels[at]), heard, self._person[drawn]

    def _moved(self, shapes: torch.Tensor) -> torch.Tensor:
        """A quarter of them with held frames; all larger or smaller, and jittering."""
        batch, length, components = shapes.shape
        step = 1.2 + 0.7 * self._uniform(batch, 1)
        frames = torch.arange(length).expand(batch, length)
        held = (torch.floor(torch.floor(frames / step) * step)).long().clamp(0, length - 1)
        at = torch.where(self._uniform(batch, 1) < 0.25, held, frames)
        shapes = shapes.gather(1, at[:, :, None].expand(-1, -1, components))
        size = torch.exp(self._recipe.gain * self._normal(batch, 1, 1))
        jitter = self._recipe.jitter * self._uniform(batch, 1, 1)
        return shapes * size + jitter * self._normal(batch, length, components)

    def _sounding(self, levels: torch.Tensor) -> torch.Tensor:
        """Through other microphones; in three tenths with another voice beneath, in as many with
        noise; some as by telephone, some with a gap in their bands."""
        batch = len(levels)
        levels = levels + torch.cumsum(0.15 * self._normal(batch, 1, BANDS), 2)
        top = levels.mean(2).amax(1)[:, None, None]
        other = torch.randperm(batch, generator=self._random)
        voice = levels[other] - top[other] + top - (1.5 + 4.5 * self._uniform(batch, 1, 1))
        colour = torch.cumsum(0.3 * self._normal(batch, 1, BANDS), 2)
        # The energy of noise in a band is exponentially distributed.
        energy = torch.log(-torch.log(self._uniform(*levels.shape).clamp(1e-3, 1 - 1e-3)))
        noise = top - (1 + 5 * self._uniform(batch, 1, 1)) + colour + energy
        kind = self._uniform(batch, 1, 1)
        beneath = torch.where(kind < 0.3, voice, noise)
        levels = torch.where(kind < 0.6, torch.logaddexp(levels, beneath), levels)
        band = torch.arange(BANDS)[None, None]
        low, high = 1 + 5 * self._uniform(batch, 1, 1), 26 + 10 * self._uniform(batch, 1, 1)
        telephone = (self._uniform(batch, 1, 1) < 0.2) & ((band < low) | (band > high))
        levels = torch.where(telephone, levels - 6, levels)
        begin = 36 * self._uniform(batch, 1, 1)
        gap = (band >= begin) & (band < begin + 4 * self._uniform(batch, 1, 1))
        gap = gap & (self._uniform(batch, 1, 1) < 0.3)
        return torch.where(gap, levels.mean((1, 2), keepdim=True), levels)


def prepare(face: Face, shape: MouthShape) -> Speaker | None:
    """What the networks are shown of a face; None where it is hardly ever seen."""
    import soxr

    shapes = shape.of(face.points)
    seen = np.isfinite(shapes).all(axis=1)
    if seen.mean() < 0.8:
        return None
    shapes = mesh.bridged(shapes, seen)
    levels = {}
    for speed in SPEEDS:
        sound, count = face.sound, int(len(shapes) / speed)
        if speed != 1:
            faster = soxr.resample(sound.astype(np.float32), 16000 * speed, 16000)
            sound = np.zeros(640 * count, np.int16)
            faster = np.clip(faster[: len(sound)], -32768, 32767)
            sound[: len(faster)] = faster
        levels[speed] = log_mel(sound)
    return Speaker(face, shapes - mesh.moving_mean(shapes, mesh.REST_FRAMES), levels)


def main_components(speakers: list[Speaker], count: int) -> np.ndarray:
    """(3 P, count): the shapes' principal axes, the weaker ones raised: scaled so that components
    have the square root of their share of the first one's spread."""
    shapes = np.concatenate([speaker.shapes for speaker in speakers])
    values, axes = np.linalg.eigh(shapes.T @ shapes / len(shapes))
    values, axes = values[::-1][:count], axes[:, ::-1][:, :count]
    return axes * (values / values[0]) ** -0.25


def fit(speakers: list[Speaker], basis: np.ndarray, recipe: Recipe, seed: int) -> Networks:
    """A pair of networks, fitted on some speakers; `basis` by `main_components`."""
    torch.manual_seed(seed)
    lengths = np.random.default_rng(seed)
    windows, networks = Windows(speakers, basis, recipe, seed), Networks(recipe)
    optimiser = torch.optim.AdamW(networks.parameters(), recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=recipe.steps, pct_start=0.15
    )
    # Half a frame is what labels and clocks are off.
    aim = torch.zeros(2 * REACH + 1)
    aim[REACH - 1 : REACH + 2] = torch.tensor([0.1, 0.8, 0.1])
    batch = recipe.batch
    itself, losses = torch.eye(batch, dtype=torch.bool), []
    networks.train()
    for step in range(1, recipe.steps + 1):
        length = int(lengths.choice(LENGTHS))
        shapes, levels, heard, _ = windows.draw(length)
        lips, sounds = networks.mouth(shapes), networks.sound(levels) * heard[:, :, None]
        lips = lips.reshape(batch, -1, 1)
        around = sounds.unfold(1, length, 1).permute(0, 1, 3, 2).reshape(batch, 2 * REACH + 1, -1)
        own = (around @ lips)[:, :, 0]
        others = lips[:, :, 0] @ sounds[:, REACH : REACH + length].reshape(batch, -1).T
        choices = torch.cat([own, others.masked_fill(itself, -1e9)], 1)
        chosen = functional.log_softmax(choices, 1)[:, : 2 * REACH + 1]
        whose = functional.cross_entropy(others.T, torch.arange(batch))
        loss = -(chosen * aim).sum(1).mean() + whose / 2
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(networks.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % 250 == 0:
            print(f"  step {step}: loss {np.mean(losses[-250:]):.3f}", flush=True)
    return networks.eval()


def save(
    path: Path,
    vertices: np.ndarray,
    basis: np.ndarray,
    networks: Networks,
    speakers: list[Speaker],
    left_out: set[str],
) -> None:
    """Write what `mesh.load_network` reads: networks fitted on some speakers, what these sound like
    to them, and who was left out."""
    size = len(networks.sound_layers[-1].bias)
    stored = {"vertices": vertices, "basis": basis.astype(np.float32)}
    stored |= {"typical": np.zeros(size, np.float32), "spread": np.zeros((size, size), np.float32)}
    scale = float(networks.log_scale.detach().exp())
    for side, layers in (("mouth", networks.mouth_layers), ("sound", networks.sound_layers)):
        for i, layer in enumerate(layers):
            # The scale of the product goes into the mouth's last layer.
            factor = scale if side == "mouth" and i == len(layers) - 1 else 1.0
            weights = layer.weight.detach().numpy() * factor
            weights = weights.transpose(2, 1, 0).reshape(-1, len(weights))
            # Half precision is a thousandth of a weight, and half the size.
            stored[f"{side}_{i}_weights"] = weights.astype(np.float16)
            stored[f"{side}_{i}_biases"] = (layer.bias.detach().numpy() * factor).astype(np.float16)
        stored[f"{side}_places"] = np.array([(la.stride[0], reach(la)[0]) for la in layers])
    if left_out:
        stored["left_out"] = np.array(sorted(left_out))
    np.savez(path, **stored)
    stored["typical"], stored["spread"] = speech_of(speakers, mesh.load_network(path))
    np.savez(path, **stored)
    mesh.load_network.cache_clear()


def speech_of(
    speakers: list[Speaker], network: mesh.LipSyncNetwork
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (E,) and covariance (E, E) of what speech sounds like to a network, float32; of nobody
    more than LONGEST frames."""
    people: dict[str, list[np.ndarray]] = {}
    for speaker in speakers:
        heard = speaker.face.speech > 0.5
        vectors = network.sounds(speaker.levels[1.0])[:, :-1]
        people.setdefault(speaker.face.video.person, []).append(vectors[heard])
    sounds = np.concatenate([np.concatenate(parts)[:LONGEST] for parts in people.values()])
    return sounds.mean(axis=0), np.cov(sounds.T).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, default=ROOT / ".talkers")
    parser.add_argument("--out", type=Path, default=mesh.WEIGHTS)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    vertices = speaking_vertices()
    shape = MouthShape(CANONICAL, vertices, MIRROR[vertices])
    speakers = []
    for path, video in find_videos(options.folders):
        if video.use == "fit" and video.label == "talk":
            faces = read_faces(path, video, options.cache)
            speakers += [s for s in (prepare(face, shape) for face in faces[:1]) if s]
    people = sorted({speaker.face.video.person for speaker in speakers})
    seconds = sum(len(speaker.shapes) for speaker in speakers) / 25
    print(f"{len(people)} people, {len(speakers)} videos, {seconds:.0f} s")
    parts = parts_of(people, options.folds) if options.folds else []
    for number, left_out in enumerate([set(), *parts]):
        started = time.perf_counter()
        kept = [s for s in speakers if s.face.video.person not in left_out]
        path = options.out if not number else options.out.with_suffix(f".{number}.npz")
        basis = main_components(kept, Recipe().components)
        networks = fit(kept, basis, Recipe(), options.seed)
        save(path, vertices, basis, networks, kept, left_out)
        print(f"{path}: {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
