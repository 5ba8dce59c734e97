"""Compute the MEL features of every clip's sound."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from talkingface.files import aside, read_table, write_table
from talkingface.log import logged
from talkingface.media.audio import read_wav
from talkingface.mel import mel_features

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    clips = read_table(snakemake.input.manifest)[["clip_id", "n_frames"]]
    with aside(snakemake.output.folder) as folder:
        folder.mkdir()
        for clip in clips.clip_id:
            sound = read_wav(Path(snakemake.input.folder, f"{clip}.wav"))
            np.save(folder / f"{clip}.npy", mel_features(sound, **snakemake.params.settings))
    write_table(clips, snakemake.output.manifest)
