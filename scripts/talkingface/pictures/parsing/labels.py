"""The labels of face parsing: their numbers, names and colours, and pictures of them on the disk.

Labels are those of zllrunning/face-parsing.PyTorch (CelebAMask-HQ's attributes in its order).

Left and right are CelebAMask-HQ's, not the subject's: `l_brow`, `l_eye` and `l_ear` lie LEFT IN THE
PICTURE, on the subject's right. Sources: FaRL's loader of CelebAMask-HQ (FacePerceiver/FaRL,
`CelebAMaskHQDataset`) reads `l_ear`, `l_brow`, `l_eye` as right ear, right brow, right eye;
CelebA's own `lefteye_x` is the smaller x. (face-crop-plus' documentation says the contrary, and
that it is "not always accurate".) zllrunning swaps l_ and r_ when it mirrors a picture, so its
network keeps to sides of the picture too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from talkingface.job.files import DamagedFile
from talkingface.media.picture import read_picture
from talkingface.pictures.numbered import numbered_path

LABELS = (
    "background", "skin", "l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "l_ear", "r_ear", "ear_r",
    "nose", "mouth", "u_lip", "l_lip", "neck", "neck_l", "cloth", "hair", "hat",
)  # fmt: skip
(
    BACKGROUND, SKIN, L_BROW, R_BROW, L_EYE, R_EYE, EYE_G, L_EAR, R_EAR, EAR_R,
    NOSE, MOUTH, U_LIP, L_LIP, NECK, NECK_L, CLOTH, HAIR, HAT,
) = range(len(LABELS))  # fmt: skip
FACE = tuple(range(SKIN, NECK))  # what RAD-NeRF counts as face, with hair and hat as head
TORSO = (NECK, NECK_L, CLOTH)

# Colour of every label where labels are shown, blue green red.
PALETTE = np.array(
    [
        (0, 0, 0), (110, 160, 255), (0, 230, 230), (60, 170, 0), (255, 80, 60), (210, 0, 210),
        (150, 150, 150), (50, 110, 190), (190, 110, 50), (0, 255, 120), (0, 180, 255),
        (40, 30, 130), (255, 0, 255), (120, 0, 255), (130, 255, 130), (255, 255, 255),
        (255, 190, 70), (50, 70, 100), (80, 120, 0),
    ],
    np.uint8,
)  # fmt: skip


def read_labels(folder: str | Path, n_frames: int) -> Iterator[np.ndarray]:
    """The label maps of a clip in order, (H, W) uint8.

    Raises ValueError when there are not exactly `n_frames`, DamagedFile when one cannot be read.
    """
    for number in range(1, n_frames + 1):
        path = numbered_path(folder, number)
        labels = read_picture(path)
        if labels.ndim != 2 or labels.max(initial=0) >= len(LABELS):
            raise DamagedFile(path, f"no label map: expected one channel of 0 to {HAT}")
        yield labels
    if numbered_path(folder, n_frames + 1).exists():
        raise ValueError(f"{folder} holds more than the {n_frames} label maps expected")
