"""Compute the log-mel features of every clip's sound."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from talkingface.log import logged
from talkingface.media.audio import read_wav
from talkingface.mel import mel_features
from talkingface.products import make_products

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    sound = read_wav(Path(snakemake.input.folder, f"{clip.clip_id}.wav"))
    np.save(folder / f"{clip.clip_id}.npy", mel_features(sound, **snakemake.params.settings))


with logged(snakemake.log[0]):
    make_products(snakemake.input.manifest, *snakemake.output, make)
