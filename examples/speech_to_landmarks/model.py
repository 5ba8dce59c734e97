"""Landmarks from speech: four stacked LSTMs, after Eskimez et al., "Generating Talking Face
Landmarks from Speech" (2018). Reads the export `landmarks_hdf5`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor, nn

LAYERS = 4
FEATURES, COORDINATES = 128, 136
MOUTH = slice(2 * 48, 2 * 68)  # x and y of its 20 points


class SpeechToLandmarks(nn.Module):
    """Gives the face of every frame from the sound up to `delay` frames after it.

    A frame is seen with the `context` frames before it. The network tells by how much the face
    differs from the mean face, so one that has learnt nothing gives that.
    """

    mean: Tensor
    scale: Tensor
    mean_face: Tensor
    movement: Tensor

    def __init__(self, context: int, delay: int, units: int, dropout: float) -> None:
        super().__init__()
        self.settings = {"context": context, "delay": delay, "units": units, "dropout": dropout}
        self.context, self.delay = context, delay
        self.drop = nn.Dropout(dropout)
        self.lstm = nn.LSTM(
            FEATURES * (context + 1), units, LAYERS, batch_first=True, dropout=dropout
        )
        self.out = nn.Linear(units, COORDINATES)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))
        self.register_buffer("mean_face", torch.zeros(COORDINATES))
        self.register_buffer("movement", torch.ones(()))

    def fit_scales(self, features: Tensor, landmarks: Tensor, mean_face: Tensor) -> None:
        """Take mean and size of features (B, T, 128), and how far landmarks (B, T, 136) move."""
        self.mean = features.mean((0, 1))
        self.scale = features.std((0, 1)) + 1e-6
        self.mean_face = mean_face.reshape(COORDINATES)
        self.movement = (landmarks - self.mean_face).std()

    def forward(self, features: Tensor) -> Tensor:
        """(B, T, 128) features to (B, T, 136) landmarks, those of frame k in row k + delay."""
        seen = (features - self.mean) / self.scale
        hidden, _ = self.lstm(self.drop(with_context(seen, self.context)))
        return self.mean_face + self.movement * self.out(hidden)


def with_context(features: Tensor, context: int) -> Tensor:
    """(B, T, F) to (B, T, F (context + 1)): each row, the one before it, the one before that ...

    Before the first row stands the first.
    """
    before = features[:, :1].expand(-1, context, -1)
    padded = torch.cat([before, features], dim=1)
    length = features.shape[1]
    rows = [padded[:, context - back : context - back + length] for back in range(context + 1)]
    return torch.cat(rows, dim=2)


def delayed(landmarks: Tensor, delay: int) -> Tensor:
    """(B, T, 136) moved `delay` rows on, the first in the place of those that are not there."""
    first = landmarks[:, :1].expand(-1, delay, -1)
    return torch.cat([first, landmarks], dim=1)[:, : landmarks.shape[1]]


@torch.no_grad()
def predict(model: SpeechToLandmarks, features: np.ndarray) -> np.ndarray:
    """(N, 136) landmarks of N frames from features (N, 128); the last `delay` repeat one."""
    model.eval()
    rows = model(torch.from_numpy(features)[None])[0, model.delay :].numpy()
    return np.concatenate([rows, np.repeat(rows[-1:], model.delay, axis=0)])


def read_side(folder: str | Path, side: str) -> tuple[Tensor, Tensor, Tensor]:
    """Features (B, 75, 128), landmarks (B, 75, 136) and mean face (68, 2) of train or eval."""
    path = Path(folder, f"{side}.h5")
    if not path.exists():
        raise SystemExit(f"{path} is not there: no clip of {side} could be used, see skipped.csv")
    with h5py.File(path) as file:
        names = ("MelFeatures", "flmark", "mean_face")
        features, landmarks, mean_face = (torch.from_numpy(file[name][:]) for name in names)
    return features, landmarks, mean_face


def save(model: SpeechToLandmarks, path: str | Path) -> None:
    """Write the weights and what the network is made with."""
    torch.save({"settings": model.settings, "weights": model.state_dict()}, path)


def load(path: str | Path) -> SpeechToLandmarks:
    """Read what `save` wrote; nothing of the file is run."""
    saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    model = SpeechToLandmarks(**saved["settings"])
    model.load_state_dict(saved["weights"])
    return model
