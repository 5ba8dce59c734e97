"""Measure every clip's face: size, place, light, sharpness, pose, and hands in front of it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from talkingface.clips.clips import clip_frames
from talkingface.dataset.quality import COLUMNS, measure_clip
from talkingface.faces.hands import HandFinder
from talkingface.faces.landmark_files import read_landmarks
from talkingface.job.files import read_json, read_table, write_table
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products
from talkingface.media.audio import read_wav
from talkingface.sync.sync import residual_offset

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    source = Path(snakemake.input.folder, clip.clip_id)
    found = read_landmarks(Path(snakemake.input.landmarks, f"{clip.clip_id}.npz"))
    measures, frames = measure_clip(
        clip_frames(f"{source}.mp4", clip.n_frames),
        read_table(f"{source}.csv"),
        found.points,
        found.present,
        np.load(Path(snakemake.input.pose, f"{clip.clip_id}.npy")),
        residual_offset(found.points, read_wav(f"{source}.wav")),
        clip_size=(clip.width, clip.height),
        source_size=(record["width"], record["height"]),
        find_hands=hands.run,
        every=snakemake.params.settings["every"],
    )
    write_table(frames, folder / f"{clip.clip_id}.csv")
    return measures


with logged(snakemake.log[0]), HandFinder() as hands:
    record = read_json(snakemake.input.record)
    make_products(snakemake.input.manifest, *snakemake.output, make, COLUMNS)
