"""Face parsing of a clip: one label for every pixel of every frame.

Labels are those of zllrunning/face-parsing.PyTorch (CelebAMask-HQ's attributes in its order).

Left and right are CelebAMask-HQ's, not the subject's: `l_brow`, `l_eye` and `l_ear` lie LEFT IN THE
PICTURE, on the subject's right. Sources: FaRL's loader of CelebAMask-HQ (FacePerceiver/FaRL,
`CelebAMaskHQDataset`) reads `l_ear`, `l_brow`, `l_eye` as right ear, right brow, right eye;
CelebA's own `lefteye_x` is the smaller x. (face-crop-plus' documentation says the contrary, and
that it is "not always accurate".) zllrunning swaps l_ and r_ when it mirrors a picture, so its
network keeps to sides of the picture too.

Backends: `mesh` (embedded, `mesh_parsing`), `bisenet`, `segformer` (learned). A backend is a module
with `load(...)`, which gives a `Parser`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Protocol, Self

import cv2
import numpy as np

from talkingface.media.picture import write_picture
from talkingface.networks.backend import load_learned

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

# Colour of every label in previews, blue green red.
PALETTE = np.array(
    [
        (0, 0, 0), (110, 160, 255), (0, 230, 230), (60, 170, 0), (255, 80, 60), (210, 0, 210),
        (150, 150, 150), (50, 110, 190), (190, 110, 50), (0, 255, 120), (0, 180, 255),
        (40, 30, 130), (255, 0, 255), (120, 0, 255), (130, 255, 130), (255, 255, 255),
        (255, 190, 70), (50, 70, 100), (80, 120, 0),
    ],
    np.uint8,
)  # fmt: skip

LEARNED = ("bisenet", "segformer")
BACKENDS = ("mesh", *LEARNED)
BATCH = 8  # frames given to a backend at a time


class Parser(Protocol):
    """A loaded backend, for any number of clips one after another; not for several threads."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def run(
        self, frames: Sequence[np.ndarray], points: np.ndarray, present: np.ndarray
    ) -> np.ndarray:
        """Label maps of a batch of frames of one size.

        frames: B of (H, W, 3) uint8 BGR. points: (B, 478, 3) float32, the mesh in frame pixels (a
        backend may ignore it). present: (B,) bool, whether there is a face; where not, points are
        NaN. Returns (B, H, W) uint8.
        """
        ...


def load(
    backend: str = "mesh",
    *,
    person: str = "both",
    model: str | Path | None = None,
    device: str = "auto",
    precision: str = "float32",
    threads: int = 1,
) -> Parser:
    """Load a backend.

    backend: one of BACKENDS. person: of `mesh`, one of `person.MODELS`. model, device, precision:
    of LEARNED ones, see `learned.load_learned`.
    Raises ValueError for another backend or person model, and what `load_learned` raises.
    """
    if backend == "mesh":
        from talkingface.pictures.parsing import mesh as mesh_parsing

        return mesh_parsing.load(person, threads)
    if backend in LEARNED:
        module = f"talkingface.pictures.parsing.{backend}"
        return load_learned(module, model, device=device, precision=precision, threads=threads)
    raise ValueError(f"parsing backend {backend!r} is none of {', '.join(BACKENDS)}")


def parse_clip(
    parser: Parser,
    frames: Iterable[np.ndarray],
    points: np.ndarray,
    present: np.ndarray,
    folder: str | Path,
    threads: int = 1,
) -> int:
    """Write the label maps of a clip as `000001.png`, `000002.png` ... and give their number.

    frames: (H, W, 3) uint8 BGR; a batch of them is held at a time. points: (N, 478, 3).
    present: (N,). Raises ValueError when there are not N frames.
    """

    def maps() -> Iterator[np.ndarray]:
        waiting = iter(frames)
        done = 0
        while batch := list(islice(waiting, BATCH)):
            part = slice(done, done + len(batch))
            if part.stop > len(present):
                raise ValueError(f"{folder}: more frames than landmarks ({len(present)})")
            yield from parser.run(batch, points[part], present[part])
            done = part.stop
        if done < len(present):
            raise ValueError(f"{folder}: {done} frames, but landmarks of {len(present)}")

    return write_pngs(maps(), folder, threads)


def write_pngs(images: Iterable[np.ndarray], folder: str | Path, threads: int = 1) -> int:
    """Write images as `000001.png`, `000002.png` ... into a new folder and give their number.

    images: uint8, (H, W), (H, W, 3) BGR or (H, W, 4) BGRA. `threads` of them are written beside
    the making of the next ones; few wait at a time. Raises OSError when one cannot be written.
    OpenCV's own settings are used: zlib's level 1 with run lengths. Giving it the level makes it
    try all filters, at two to three times the time for a quarter less on the disk.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    waiting: deque[Future[None]] = deque()
    count = 0
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for count, image in enumerate(images, start=1):
            path = folder / f"{count:06d}.png"
            waiting.append(pool.submit(write_picture, image, path))
            if len(waiting) > 2 * threads:
                waiting.popleft().result()
        for future in waiting:
            future.result()
    return count


def read_labels(folder: str | Path, n_frames: int) -> Iterator[np.ndarray]:
    """The label maps of a clip in order, (H, W) uint8.

    Raises ValueError when there are not exactly `n_frames`, or one cannot be read.
    """
    folder = Path(folder)
    for number in range(1, n_frames + 1):
        path = folder / f"{number:06d}.png"
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if labels is None:
            raise ValueError(f"{path} is missing or broken: {n_frames} label maps were expected")
        if labels.ndim != 2 or labels.max(initial=0) >= len(LABELS):
            raise ValueError(f"{path} is no label map: expected one channel of 0 to {HAT}")
        yield labels
    if (folder / f"{n_frames + 1:06d}.png").exists():
        raise ValueError(f"{folder} holds more than the {n_frames} label maps expected")


def overlay(frame: np.ndarray, labels: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """A frame (H, W, 3) uint8 BGR with its labels' colours over it; the background is paled."""
    colours = PALETTE[labels]
    colours[labels == BACKGROUND] = 255
    return cv2.addWeighted(frame, 1 - opacity, colours, opacity, 0)
