"""The labels are those of CelebAMask-HQ, and label maps are read as they were written."""

import cv2
import numpy as np
import pytest

from talkingface.pictures.numbered import write_numbered
from talkingface.pictures.parsing import labels

# zllrunning/face-parsing.PyTorch, prepropess_data.py and test.py: `atts`, numbered from 1.
ZLLRUNNING = [
    "skin", "l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "l_ear", "r_ear", "ear_r",
    "nose", "mouth", "u_lip", "l_lip", "neck", "neck_l", "cloth", "hair", "hat",
]  # fmt: skip


def test_labels_are_zllrunnings():
    assert list(labels.LABELS[1:]) == ZLLRUNNING
    for number, name in enumerate(ZLLRUNNING, start=1):
        assert getattr(labels, name.upper()) == number
    assert tuple(range(1, 14)) == labels.FACE and labels.TORSO == (14, 15, 16)


def test_palette():
    assert labels.PALETTE.shape == (19, 3) and labels.PALETTE.dtype == np.uint8
    assert len(np.unique(labels.PALETTE, axis=0)) == 19


def test_maps_that_are_missing_broken_or_too_many(tmp_path):
    write_numbered((np.zeros((4, 4), np.uint8) for _ in range(3)), tmp_path)
    assert len(list(labels.read_labels(tmp_path, 3))) == 3
    with pytest.raises(ValueError, match=r"000004.png: damaged \(it is missing"):
        list(labels.read_labels(tmp_path, 4))
    with pytest.raises(ValueError, match="more than the 2"):
        list(labels.read_labels(tmp_path, 2))
    cv2.imwrite(str(tmp_path / "000002.png"), np.full((4, 4), 19, np.uint8))
    with pytest.raises(ValueError, match=r"000002.png: damaged \(no label map"):
        list(labels.read_labels(tmp_path, 3))
    cv2.imwrite(str(tmp_path / "000002.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=r"000002.png: damaged \(no label map"):
        list(labels.read_labels(tmp_path, 3))
