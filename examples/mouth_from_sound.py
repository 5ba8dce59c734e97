"""Learn how far the mouth is open from the sound alone, in PyTorch, on a finished dataset.

python examples/mouth_from_sound.py demo/results
"""

import sys
from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader

from talkingface.loader import EXPRESSION, TalkingFaceDataset, collate

torch.manual_seed(0)
torch.set_num_threads(1)  # What is so small is slower on several cores.
results, items = sys.argv[1:], ["mfcc", "expression"]
train = TalkingFaceDataset(results, "train", items, n_frames=100)
held_out = TalkingFaceDataset(results, "eval", items, n_frames=None)
batches = partial(DataLoader, batch_size=16, collate_fn=partial(collate, tensors=True))


def sound_and_opening(batch):
    """(B, 4 x 39, N) of the sound, (B, N) of the mouth, and (B, N) where that is known."""
    sound = batch["mfcc"].unflatten(1, (-1, 4)).flatten(2).transpose(1, 2)
    opening = batch["expression"][..., EXPRESSION.index("mouth_open")]
    return sound / 20, opening, batch["mask"] & ~opening.isnan()


model = nn.Sequential(
    nn.Conv1d(4 * 39, 64, 5, padding="same"), nn.ReLU(), nn.Conv1d(64, 1, 5, padding="same")
)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(150):
    train.set_epoch(epoch)
    for sound, opening, known in map(sound_and_opening, batches(train, shuffle=True)):
        loss = (model(sound)[:, 0] - opening)[known].square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

mean = torch.cat([opening[known] for _, opening, known in map(sound_and_opening, batches(train))])
errors = []
with torch.no_grad():
    for sound, opening, known in map(sound_and_opening, batches(held_out)):
        guesses = (model(sound)[:, 0], mean.mean())
        errors.append([(guess - opening)[known].square().sum() for guess in guesses])
of_model, of_mean = torch.tensor(errors).sum(dim=0)
print(f"held-out error: {of_model / of_mean:.3f} of that of always telling the mean")
