"""Makes the table of scripts/talkingface/faces/ibug68.py again, from dlib's answers on given faces.

    python benchmarks/fit_ibug68.py VIDEO_OR_IMAGE ...        prints the lines of PLACES
    python benchmarks/fit_ibug68.py --rectangles FILE ...     dlib's HOG rectangle against the mesh

The table in use came from `seated_woman.mp4` (LatentSync, assets/) and `astronaut`, which is taken
from scikit-image. Each file weighs the same. Takes two minutes. Never give it the test's video.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from scipy.optimize import least_squares

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from talkingface.faces import dlib68, ibug68, mesh
from talkingface.faces.region import POINTS_SCALE, region_of_points

SAMPLES = 500  # varied pictures per file
SIDE = 400


def frames_of(name: str, step: int = 2) -> list[np.ndarray]:
    if name == "astronaut":
        import skimage.data

        return [np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])]
    with av.open(name) as container:  # reads images as well
        return [f.to_ndarray(format="bgr24") for f in container.decode(video=0)][::step]


def varied(frame: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The face in a 400 x 400 picture: turned, scaled, stretched, in perspective, mirrored, lit."""
    low, high = points[:468, :2].min(axis=0), points[:468, :2].max(axis=0)
    scale = SIDE * rng.uniform(0.35, 0.6) / max(high - low)
    angle = np.radians(rng.uniform(-20, 20))
    warp = np.eye(3)
    warp[:2, :2] = scale * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    warp[0] *= rng.uniform(0.93, 1.07)
    warp[:2, 2] = SIDE / 2 - warp[:2, :2] @ ((low + high) / 2)
    if rng.random() < 0.5:
        warp = np.array([[-1, 0, SIDE], [0, 1, 0], [0, 0, 1.0]]) @ warp
    tilt = np.eye(3)
    tilt[2, :2] = rng.uniform(-2e-4, 2e-4, 2)
    tilt[2, 2] = 1 - tilt[2, :2].sum() * SIDE / 2
    picture = cv2.warpPerspective(frame, tilt @ warp, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    light = picture * rng.uniform(0.7, 1.25) + rng.uniform(-15, 15)
    return np.clip(light, 0, 255).astype(np.uint8)


def examples(frames: list[np.ndarray], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Mesh (n, 478, 2) and dlib (n, 68, 2), in units of the distance of the outer eye corners."""
    rng = np.random.default_rng(seed)
    predictor = dlib68.load_predictor()
    inputs, targets = [], []
    with mesh.FaceMesh() as faces:
        for frame in frames:
            faces.reset()
            seen = faces.follow(frame)
            if seen is None:
                continue
            for _ in range(-(-SAMPLES // len(frames))):
                picture = varied(frame, seen, rng)
                faces.reset()
                points = faces.follow(picture)
                if points is None:
                    continue
                target = dlib68.predict(predictor, picture, points)
                unit = np.linalg.norm(target[36] - target[45])
                inputs.append(points[:, :2] / unit)
                targets.append(target / unit)
    return np.array(inputs, float), np.array(targets, float)


def fitted(
    index: int, curve: str, data: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[float, float]:
    """Place and depth of one point: least squares over both halves of every face."""
    rule, main, companion = ibug68.CURVES[curve]
    unit = 0.1 if rule == "arc" else 1.0  # so that both numbers have steps of like size
    span = (1.0 if rule == "arc" else len(main) - 1.0) / unit

    def residuals(p: np.ndarray) -> np.ndarray:
        parts = [0.01 * p[1:]]  # depth is drawn to 0 where the data do not care
        for points, target in data:
            for mirrored in (False, True):
                goal = target[:, ibug68.MIRROR68[index] if mirrored else index]
                got = ibug68.place_on(points, curve, p[0] * unit, p[1], mirrored)
                parts.append((got - goal).ravel() / np.sqrt(len(points)))
        return np.concatenate(parts)

    def start(place: float) -> list[float]:
        return [place, 0.3 if companion else 0.0]

    bounds = ([-0.1 * span, -1.0], [1.1 * span, 1.5])
    tries = [
        least_squares(residuals, start(s), bounds=bounds, diff_step=1e-3, max_nfev=30)
        for s in np.linspace(0, span, 13)
    ]
    best = min(tries, key=lambda t: t.cost).x
    return float(best[0] * unit), float(best[1]) if companion else 0.0


def fit(files: list[str]) -> Iterator[str]:
    data = []
    for name in files:
        inputs, targets = examples(frames_of(name))
        step = max(1, len(inputs) // 250)
        data.append((inputs[::step], targets[::step]))
    for index, (curve, _, _) in ibug68.PLACES.items():
        place, depth = fitted(index, curve, data)
        yield f'    {index}: ("{curve}", {place:.2f}, {depth:.2f}),'


def rectangles(files: list[str]) -> Iterator[str]:
    import dlib

    detector = dlib.get_frontal_face_detector()
    rows = []
    with mesh.FaceMesh() as faces:
        for frame in (f for name in files for f in frames_of(name, step=10)):
            for picture in (frame, np.ascontiguousarray(frame[:, ::-1])):
                faces.reset()
                points = faces.follow(picture)
                if points is None:
                    continue
                x, y, side, _ = region_of_points(points)
                extent = side / POINTS_SCALE
                for found in detector(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), 0):
                    centre = found.dcenter()
                    row = [(centre.x - x) / extent, (centre.y - y) / extent, found.width() / extent]
                    if abs(row[0]) < 0.3 and abs(row[1]) < 0.3:
                        rows.append(row)
    yield f"{len(rows)} detections: right, down, side in units of the mesh's extent"
    yield f"median {np.median(rows, axis=0).round(3)}, spread {np.std(rows, axis=0).round(3)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rectangles", action="store_true")
    parser.add_argument("files", nargs="+", help="videos, images, or the word astronaut")
    given = parser.parse_args()
    for line in (rectangles if given.rectangles else fit)(given.files):
        print(line)
