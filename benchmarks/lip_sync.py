"""How right the lip-sync backend `mesh` is on real talkers, in pieces of 3, 5 and 10 s.

    python benchmarks/lip_sync.py FOLDER... [--use check] [--looks] [--calibrate]

FOLDER holds videos of `talkers.csv`. Everybody is judged by networks that were not fitted on him:
those of `fit_lip_sync.py --folds N` (mesh.1.npz ... beside mesh.npz) for the people of use `fit`,
mesh.npz for those of use `check`. A piece is cut every second and seen as the workflow would see
it, as a whole video. Its sound is moved by up to 8 frames, taken from another person, or put under
a face that does not speak. What is printed:

    offset   share of pieces with their own sound whose offset is right within a frame
    kept     share that the workflow keeps at its default settings, as the only face in the picture
    AUC      how surely the probability tells pieces with their own sound from others: another
             person's voice, a face that moves but does not speak, a photograph, one zoomed into
    two      share of pieces of 4 s in which, of two people who both move their lips, the right one
             is likelier to be the speaker
    turns    share of turns of 4 s in dialogues of two who both move their lips all the time, and a
             third who is not seen, in which he who speaks, or nobody, is the likeliest
    wrong    corrections that make the sound worse by more than a frame, of all that are made

A person counts as much as another, however long the videos are. `--looks` adds harder pictures and
sounds, `--calibrate` fits the `Calibration` to the pieces (of use `fit`).
"""

from __future__ import annotations

import argparse
import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import looks
import numpy as np
from pieces import SEGMENTS, Piece, Seen, pieces, turns, two_faces
from talkers import ROOT, Face, find_videos, read_faces

from talkingface.sound.speech import SpeechDetector
from talkingface.sync import mesh
from talkingface.sync.calibrations import TRUSTED_CERTAINTY
from talkingface.sync.mouth import mouth_opening
from talkingface.sync.probability import Calibration

SECONDS = (3, 5, 10)


def by_person(values: Iterable[tuple[str, float]]) -> float:
    """Mean of the people's means."""
    people = defaultdict(list)
    for person, value in values:
        people[person].append(value)
    return float(np.mean([np.mean(v) for v in people.values()])) if people else float("nan")


def weights_of(found: list[Piece]) -> np.ndarray:
    """So that every person counts as one."""
    counts = defaultdict(int)
    for one in found:
        counts[one.person] += 1
    return np.array([1 / counts[one.person] for one in found])


def area_under_curve(own: list[Piece], other: list[Piece]) -> float:
    """How likely a piece of one is more probable than one of the other, people counting alike."""
    if not own or not other:
        return float("nan")
    a, b = np.array([p.score for p in own]), np.array([p.score for p in other])
    wins = (a[:, None] > b[None]) + 0.5 * (a[:, None] == b[None])
    wa, wb = weights_of(own), weights_of(other)
    return float(wa @ wins @ wb / wa.sum() / wb.sum())


def corrections(own: list[Piece]) -> tuple[int, int]:
    """How many of the pieces the workflow would move, and how many of them to a place that is worse
    than before by more than a frame."""
    moved = [
        p
        for p in own
        if p.certainty >= TRUSTED_CERTAINTY and p.probability >= 0.5 and abs(p.offset) >= 2
    ]
    return len(moved), sum(abs(p.truth - p.offset) > abs(p.truth) + 1 for p in moved)


def fit_calibration(found: list[Piece]) -> Calibration:
    """The calibration under which the means of the pieces are likeliest, a person counting alike.

    The gain of the offset is the one under which the offsets of kind `own` are.
    """
    from scipy.optimize import minimize

    sides = [[p for p in found if (p.kind == "own") is own] for own in (True, False)]
    own, other = (
        (np.array([p.mean for p in side]), np.array([p.frames for p in side]), weights_of(side))
        for side in sides
    )

    def unlikely(values: np.ndarray) -> float:
        speaks, chance, peak = values[:3]
        spreads = np.exp(values[3:])
        total = 0.0
        for (mean, frames, weights), centre, spread in (
            (own, speaks, spreads[0]),
            (other, chance + peak * spreads[2] / np.sqrt(other[1]), spreads[1]),
        ):
            variance = spread**2 + spreads[2] ** 2 / frames
            terms = (mean - centre) ** 2 / variance + np.log(variance)
            total += float(weights @ terms / weights.sum())
        return total

    spreads = own[0].std(), other[0].std(), 5 * other[0].std()
    start = np.r_[own[0].mean(), other[0].mean(), 1.0, np.log(spreads)]
    options = {"maxiter": 20000, "maxfev": 20000, "xatol": 1e-5, "fatol": 1e-7}
    best = minimize(unlikely, start, method="Nelder-Mead", options=options).x
    gains = np.geomspace(0.02, 2, 40)
    weights = weights_of(sides[0])
    likely = [weights @ [_chance_of_truth(p, gain) for p in sides[0]] for gain in gains]
    own_spread, chance_spread, frame_spread = np.exp(best[3:])
    return Calibration(
        speaks=best[0],
        chance=best[1],
        speaks_spread=own_spread,
        chance_spread=chance_spread,
        frame_spread=frame_spread,
        chance_peak=best[2],
        offset_gain=gains[argmax(likely)],
    )


def _chance_of_truth(piece: Piece, gain: float) -> float:
    """Logarithm of what the curve says of the true offset and its neighbours."""
    levels = np.where(np.isfinite(piece.curve), gain * piece.frames * piece.curve, -np.inf)
    chances = np.exp(levels - levels.max())
    at = len(chances) // 2 - round(piece.truth)
    return float(np.log(max(chances[max(0, at - 1) : at + 2].sum() / chances.sum(), 1e-4)))


def argmax(values: Iterable[float]) -> int:
    return int(np.argmax(list(values)))


def networks_for(weights: Path) -> dict[str, mesh.LipSyncNetwork]:
    """By person, the networks that were fitted without him; by "" those fitted on all of `fit`."""
    networks = {"": mesh.load_network(weights)}
    folds = sorted(weights.parent.glob(f"{weights.stem}.[0-9]*.npz"))
    for fold in folds:
        with np.load(fold) as stored:
            for person in stored["left_out"]:
                networks[str(person)] = mesh.load_network(fold)
    return networks


def hear(face: Face, kind: str) -> Face:
    """The face with another of looks.SOUNDS."""
    if kind == "as it is":
        return face
    sound = looks.heard(face.sound, kind, zlib.crc32(face.video.sha256.encode()))
    return replace(face, sound=sound, speech=SpeechDetector(threads=1).run(sound))


def report(title: str, seen: list[Seen], voices: list[Face], quiet: dict[str, list[Seen]]) -> None:
    """Print what is measured of talkers, with others' voices and of faces that do not speak."""
    for seconds in SECONDS:
        own = list(pieces(seen, voices, seconds, "own"))
        if not own:
            continue
        others = list(pieces(seen, voices, seconds, "another's"))
        right = by_person((p.person, abs(p.truth - p.offset) <= 1) for p in own)
        kept = by_person((p.person, p.kept) for p in own)
        made, wrong = corrections(own)
        row = [f"{title:18} {seconds:3} {len(own):5} {len({p.person for p in own}):4}"]
        row += [f"{right:6.2f} {kept:6.2f}"]
        sets = [others] + [list(pieces(faces, voices, seconds, "")) for faces in quiet.values()]
        for found in sets:
            passed = by_person((p.person, p.kept) for p in found)
            row.append(f"{area_under_curve(own, found):6.3f} {passed:5.2f}")
        if seconds == 5:
            row.append(f"two {by_person(two_faces(seen, 4)):.2f}")
            row.append(f"turns {by_person(turns(seen)):.2f}")
        row.append(f"wrong {wrong} of {made}")
        print(" ".join(row), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, default=ROOT / ".talkers")
    parser.add_argument("--weights", type=Path, default=mesh.WEIGHTS)
    parser.add_argument("--use", choices=("fit", "check"), default="check")
    parser.add_argument("--looks", action="store_true")
    parser.add_argument("--calibrate", action="store_true")
    options = parser.parse_args()
    networks = networks_for(options.weights)
    videos = list(find_videos(options.folders))

    def faces(label: str, look: str) -> list[Face]:
        """The face that each video is about, as large as the workflow asks for."""
        # Nothing is fitted on faces that do not speak.
        used = {options.use} if label == "talk" else {"fit", "check"}
        chosen = [(path, v) for path, v in videos if v.label == label and v.use in used]
        found = [read_faces(path, video, options.cache, look)[:1] for path, video in chosen]
        small = look == "faces of 90 px"
        return [
            face
            for [face] in filter(None, found)
            if small or face.height >= SEGMENTS["min_face_height"]
        ]

    def see(several: list[Face]) -> list[Seen]:
        chosen = [(face, networks.get(face.video.person, networks[""])) for face in several]
        return [
            Seen(face, network.components(face.points), mouth_opening(face.points), network)
            for face, network in chosen
        ]

    talkers = faces("talk", "as it is")
    if not talkers:
        raise SystemExit(
            f"no videos of use `{options.use}` in {', '.join(map(str, options.folders))}"
        )
    fitted = {face.video.person for face in talkers} - set(networks)
    if options.use == "fit" and fitted:
        raise SystemExit(
            f"{options.weights} was fitted on {', '.join(sorted(fitted))}; "
            "fit_lip_sync.py --folds makes networks without them"
        )
    if options.calibrate:
        found = []
        for seconds in SECONDS:
            for kind in ("own", "another's"):
                found += pieces(see(talkers), talkers, seconds, kind)
        print(fit_calibration(found))
    quiet = {"silent": see(faces("silent", "as it is"))}
    quiet |= {look: see(faces("talk", look)) for look in looks.LOOKS if "photograph" in look}
    columns = "  ".join(f"AUC, kept: {kind}" for kind in ("another's", *quiet))
    print(f"{'':18}   s pieces people offset kept  {columns}")
    report("as it is", see(talkers), talkers, quiet)
    if not options.looks:
        return
    for look in ("faces of 90 px", "15 fps"):
        harder = faces("talk", look)
        report(look, see(harder), talkers, {})
    for kind in looks.SOUNDS[1:]:
        noisy = [hear(face, kind) for face in talkers]
        report(kind, see(noisy), noisy, {})
    turned = [one for one in see(talkers) if 25 <= abs(turn(one.face)) <= 50]
    report("turned 25 to 50", turned, talkers, {})


def turn(face: Face) -> float:
    """Median yaw of a face, in degrees, by where its nose is between its eyes' outer corners."""
    left, right, nose = (face.points[:, i, :2] for i in (263, 33, 1))
    across = left - right
    place = ((nose - right) * across).sum(axis=1) / (across**2).sum(axis=1)
    return float(np.nanmedian(np.degrees(np.arctan(2 * (place - 0.5) * 1.4))))


if __name__ == "__main__":
    main()
