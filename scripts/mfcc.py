"""Compute the MFCC features of every clip's sound."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from talkingface.job.log import logged
from talkingface.job.per_clip import make_products
from talkingface.media.audio import read_wav
from talkingface.sound.mfcc import mfcc_features

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    sound = read_wav(Path(snakemake.input.folder, f"{clip.clip_id}.wav"))
    np.save(folder / f"{clip.clip_id}.npy", mfcc_features(sound))


with logged(snakemake.log[0]):
    make_products(snakemake.input.manifest, *snakemake.output, make)
