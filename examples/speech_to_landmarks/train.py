"""Train landmarks from speech on the export `landmarks_hdf5`, and compare it with the mean face."""

from __future__ import annotations

import argparse

import torch
from model import MOUTH, SpeechToLandmarks, delayed, read_side, save
from torch import Tensor


def main() -> None:
    """Train, print the losses, save the weights."""
    options = parse()
    torch.manual_seed(options.seed)
    features, landmarks, mean_face = read_side(options.export, "train")
    held_out = read_side(options.export, "eval")[:2]
    model = SpeechToLandmarks(options.context, options.delay, options.units, options.dropout)
    model.fit_scales(features, landmarks, mean_face)
    optimizer = torch.optim.Adam(model.parameters(), options.rate)
    print(f"{len(features)} samples to train, {len(held_out[0])} held out")
    for epoch in range(1, options.epochs + 1):
        model.train()
        for batch in torch.randperm(len(features)).split(options.batch):
            loss = (model(features[batch]) - delayed(landmarks[batch], model.delay)).square().mean()
            optimizer.zero_grad()
            (loss / model.movement.square()).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        if epoch % 10 == 0 or epoch == options.epochs:
            seen, heldout = losses(model, features, landmarks), losses(model, *held_out)
            print(f"epoch {epoch}: train {seen[0]:.2e}, held out {heldout[0]:.2e}", flush=True)
    save(model, options.out)
    print("\nmean squared error           all points             mouth")
    for name, part in (("train", (features, landmarks)), ("held out", held_out)):
        ours, mean = losses(model, *part), losses(None, *part, mean_face, model.delay)
        print(f"{name:9} model           {ours[0]:14.3e} {ours[1]:17.3e}")
        print(f"{name:9} mean face       {mean[0]:14.3e} {mean[1]:17.3e}")
        print(f"{name:9} ratio           {ours[0] / mean[0]:14.3f} {ours[1] / mean[1]:17.3f}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", help="folder with train.h5 and eval.h5")
    parser.add_argument("--out", default="speech_to_landmarks.pt", help="where the weights go")
    parser.add_argument("--context", type=int, default=3, help="frames before each that it sees")
    parser.add_argument("--delay", type=int, default=1, help="frames that it may listen ahead")
    parser.add_argument("--units", type=int, default=64, help="of every LSTM")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=4, help="samples")
    parser.add_argument("--rate", type=float, default=3e-3, help="learning rate of Adam")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


@torch.no_grad()
def losses(
    model: SpeechToLandmarks | None,
    features: Tensor,
    landmarks: Tensor,
    mean_face: Tensor | None = None,
    delay: int = 0,
) -> tuple[float, float]:
    """Mean squared error of all coordinates and of the mouth's, in shares of the picture's side.

    Without a model it is that of the mean face.
    """
    if model is None:
        assert mean_face is not None
        predicted = mean_face.reshape(-1).expand_as(landmarks)
    else:
        model.eval()
        delay = model.delay
        predicted = torch.cat([model(part) for part in features.split(64)])
    squares = (predicted - delayed(landmarks, delay)).square()
    return float(squares.mean()), float(squares[..., MOUTH].mean())


if __name__ == "__main__":
    main()
