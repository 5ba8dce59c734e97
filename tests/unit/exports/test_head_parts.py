"""Colours and masks, as the readers' own code takes them apart."""

from __future__ import annotations

import numpy as np

from talkingface.exports.head_parts import PARTS, PARTS_AND_HAIR, face_mask, person_over
from talkingface.pictures.parsing.labels import LABELS

ALL = np.arange(19, dtype=np.uint8)[None]  # one pixel of every label


def named(mask: np.ndarray) -> set[str]:
    return {LABELS[k] for k in np.flatnonzero(mask[0])}


def test_head_neck_and_torso_have_the_colours_of_rad_nerf() -> None:
    """data_utils/process.py looks for these, in cv2's order blue, green, red."""
    blue, green, red = np.moveaxis(PARTS[ALL].astype(int), -1, 0)
    assert named((blue == 255) & (green == 0) & (red == 0)) == {
        *LABELS[1:14], "hair", "hat",
    }  # fmt: skip
    assert named((blue == 0) & (green == 255) & (red == 0)) == {"neck", "neck_l"}
    assert named((blue == 0) & (green == 0) & (red == 255)) == {"cloth"}
    assert named((blue == 255) & (green == 255) & (red == 255)) == {"background"}


def test_talkinggaussian_tells_hair_and_mouth_from_the_face() -> None:
    """scene/dataset_readers.py looks for these, in the order red, green, blue."""
    blue, green, red = np.moveaxis(PARTS_AND_HAIR[ALL].astype(int), -1, 0)
    face = (blue > 254) & (red == 0) & (green == 0)
    assert named(face) == {*LABELS[1:14], "hat"} - {"mouth"}
    assert named((red < 1) & (green < 1) & (blue < 1)) == {"hair"}
    assert named((red == 100) & (green == 100) & (blue == 100)) == {"mouth"}


def test_the_mask_of_the_face_is_soft_and_reaches_below_the_chin() -> None:
    labels = np.zeros((512, 512), np.uint8)
    labels[350:, 100:400] = 14  # neck
    labels[100:350, 150:350] = 1
    labels[100:350, 130:150] = 7  # an ear
    share = (255 - face_mask(labels)[..., 1]) / 255.0  # as the reader takes it
    assert share[200, 250] == 1
    assert share[200, 135] == 0
    assert share[50, 250] == share[450, 250] == 0
    np.testing.assert_allclose(share[200, 148:152], [0.3, 0.45, 0.55, 0.7], atol=0.08)
    # In the middle half it covers ten pixels from the lowest one of the face on.
    ends = [np.flatnonzero(share[:, x] > 0.5)[-1] for x in (160, 190, 210, 250, 290, 310, 340)]
    assert ends == [349, 349, 358, 358, 358, 349, 349]
    mask = face_mask(labels)
    assert mask.shape == (512, 512, 3)
    assert mask.dtype == np.uint8
    assert mask[200, 250].tolist() == [255, 0, 0]


def test_the_mask_scales_with_the_picture_and_may_be_empty() -> None:
    labels = np.zeros((1024, 1024), np.uint8)
    labels[200:700, 300:700] = 1
    share = (255 - face_mask(labels)[..., 1]) / 255.0
    assert np.flatnonzero(share[:, 500] > 0.5)[-1] == 718
    assert (face_mask(np.full((64, 64), 16, np.uint8)) == 255).all()


def test_the_background_is_that_of_the_plate() -> None:
    frame = np.full((2, 19, 3), 7, np.uint8)
    plate = np.full((2, 19, 3), 200, np.uint8)
    made = person_over(frame, np.repeat(ALL, 2, axis=0), plate)
    assert (made[:, 0] == 200).all()
    assert (made[:, 1:] == 7).all()
    assert made.dtype == np.uint8
