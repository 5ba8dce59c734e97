"""Find how the head is turned and where it is in every frame of every clip."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from talkingface.faces.landmarks import read_npz
from talkingface.faces.pose import SUMMARY, pose_summary, pose_table, solve_pose, to_source
from talkingface.job.files import read_json, read_table, write_table
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    crops = read_table(Path(snakemake.input.folder, f"{clip.clip_id}.csv"))
    found = read_npz(Path(snakemake.input.landmarks, f"{clip.clip_id}.npz"))
    boxes = crops[["crop_x", "crop_y", "crop_w", "crop_h"]].to_numpy()
    points = to_source(found.points, boxes, (clip.width, clip.height))
    size = record["width"], record["height"]
    pose = solve_pose(points, found.present, size, snakemake.params.settings["focal"])
    table = pose_table(pose)
    np.save(folder / f"{clip.clip_id}.npy", pose.angles)
    write_table(table, folder / f"{clip.clip_id}.csv")
    return pose_summary(table)


with logged(snakemake.log[0]):
    record = read_json(snakemake.input.record)
    make_products(snakemake.input.manifest, *snakemake.output, make, SUMMARY)
