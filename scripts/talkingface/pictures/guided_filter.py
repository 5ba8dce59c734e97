"""Guided filter: smooths maps so that their edges follow the edges of a picture.

The filter of He, Sun and Tang, "Guided Image Filtering" (TPAMI 2013, equations 14 to 16, colour
guide), in the fast form of He and Sun, "Fast Guided Filter" (arXiv:1505.00996): the linear
coefficients are found on a small picture, enlarged, and applied to the full one. Written with
`cv2.blur` because cv2.ximgproc is not in every build of OpenCV.
"""

from __future__ import annotations

import cv2
import numpy as np


class GuidedFilter:
    """Filters any number of maps with one picture.

    guide: (h, w, 3) uint8, the small picture; maps to filter have its height and width.
    radius: half side of the window, in pixels of the small picture.
    picture: (H, W, 3) uint8, the full picture that the guide is a smaller copy of, whose size the
        results get; None: the guide itself.
    eps: edges whose variance is well below it are smoothed away; colours are counted from 0 to 1.
    """

    def __init__(
        self, guide: np.ndarray, radius: int, picture: np.ndarray | None = None, eps: float = 1e-4
    ) -> None:
        self._window = (2 * radius + 1, 2 * radius + 1)
        self._guide = guide.astype(np.float32) / 255
        self._mean = self._blur(self._guide)
        self._full = [
            plane.astype(np.float32) / 255
            for plane in cv2.split(guide if picture is None else picture)
        ]
        self._is_same_size = self._full[0].shape == guide.shape[:2]
        b, g, r = cv2.split(self._guide)
        mb, mg, mr = cv2.split(self._mean)
        bb = self._blur(b * b) - mb * mb + eps
        bg = self._blur(b * g) - mb * mg
        br = self._blur(b * r) - mb * mr
        gg = self._blur(g * g) - mg * mg + eps
        gr = self._blur(g * r) - mg * mr
        rr = self._blur(r * r) - mr * mr + eps
        # Inverse of the symmetric matrix of covariances by its cofactors.
        c00, c01, c02 = gg * rr - gr * gr, br * gr - bg * rr, bg * gr - br * gg
        c11, c12, c22 = bb * rr - br * br, bg * br - bb * gr, bb * gg - bg * bg
        scale = 1 / (bb * c00 + bg * c01 + br * c02)
        self._inverse = [
            [c00 * scale, c01 * scale, c02 * scale],
            [c01 * scale, c11 * scale, c12 * scale],
            [c02 * scale, c12 * scale, c22 * scale],
        ]

    def _blur(self, image: np.ndarray) -> np.ndarray:
        return cv2.blur(image, self._window, borderType=cv2.BORDER_REFLECT)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Filter a map.

        values: (h, w) float32. Returns (H, W) float32. The filter is linear and keeps constants;
        edges can overshoot the range of the values a little.
        """
        mean = self._blur(values)
        cross = [
            self._blur(plane * values) - of_plane * mean
            for plane, of_plane in zip(cv2.split(self._guide), cv2.split(self._mean), strict=True)
        ]
        factors = [r[0] * cross[0] + r[1] * cross[1] + r[2] * cross[2] for r in self._inverse]
        constant = mean
        for factor, of_plane in zip(factors, cv2.split(self._mean), strict=True):
            constant -= factor * of_plane
        total = self._enlarge(self._blur(constant))
        for factor, plane in zip(factors, self._full, strict=True):
            cv2.accumulateProduct(self._enlarge(self._blur(factor)), plane, total)
        return total

    def _enlarge(self, values: np.ndarray) -> np.ndarray:
        if self._is_same_size:
            return values
        height, width = self._full[0].shape
        return cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
