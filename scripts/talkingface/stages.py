"""The register of stages: what is known of each beyond its own module, stated once.

Rules, script, module, config section, results folder, log folder and tests of a stage bear its
name. Dataset columns, status, the overlay, the docs and the tests read the rest here. Paths are
relative to the results folder; N is the number of frames of a clip, H and W its height and width.
"""

from __future__ import annotations

from collections.abc import Iterable

from talkingface.export_stages import EXPORT_STAGES
from talkingface.stage import Product, Stage

# In the order of the rules.
_REGISTER = (
    Stage(
        "download",
        "gets the file, looks into it, notes where it came from and its checksum",
        folder="videos",
        suffix=".json",
        others=("raw/{video}.media",),
        disposable=("raw/{video}.media",),
    ),
    Stage(
        "proxy",
        "decodes it once to a small copy at 25 fps, which the next four work on",
        ("download",),
        suffix=".json",
        others=("proxy/{video}.mp4", "proxy/{video}.wav"),
        disposable=("proxy/{video}.mp4", "proxy/{video}.wav", "proxy/{video}.json"),
    ),
    Stage("scenes", "finds cuts and gradual transitions", ("proxy",)),
    Stage(
        "tracks",
        "detects faces, also small ones, and follows each through its shot",
        ("proxy", "scenes"),
    ),
    Stage("speech", "finds where somebody is heard to speak", ("proxy",)),
    Stage(
        "sync",
        "compares every face's lips with the sound: who speaks, and is the sound early or late?",
        ("download", "proxy", "tracks", "speech"),
        others=("sync/{video}.frames.csv",),
    ),
    Stage(
        "segments",
        "keeps or rejects every stretch of every face, and says why; on request only the "
        "stretches in which it speaks",
        ("download", "proxy", "tracks", "speech", "sync"),
    ),
    Stage(
        "clips",
        "cuts, crops and encodes the kept ones, once, from the original; moves their sound",
        ("download", "proxy", "tracks", "segments"),
        products=(
            Product(
                "video",
                "clips/{video}/{clip}.mp4",
                "H.264 at constant 25 fps with its sound (AAC, mono, at the source's rate)",
                "(N, H, W, 3)",
                "uint8",
            ),
            Product(
                "audio",
                "clips/{video}/{clip}.wav",
                "16 kHz mono 16 bit",
                "(640 N)",
                "int16",
            ),
            Product(
                "boxes",
                "clips/{video}/{clip}.csv",
                "per frame: grid frame, face box and crop",
                "N rows",
                unit="source pixels",
            ),
        ),
    ),
    Stage(
        "landmarks",
        "finds the face mesh and the 68 points of 300-W",
        ("clips",),
        feature=True,
        products=(
            Product(
                "landmarks",
                "landmarks/{video}/{clip}.npz",
                "`points` (N, 478, 3), `points68` (N, 68, 2), `present` (N) bool",
                "(N, 478, 3)",
                "float32",
                "clip pixels",
            ),
            Product(
                "landmarks68",
                "landmarks/{video}/{clip}.txt",
                "the 68 points as text, `000001.png x_y x_y ...`; `-1_-1` without a face",
                "N lines of 68",
                "int",
                "clip pixels",
            ),
        ),
    ),
    Stage(
        "pose",
        "finds how the head is turned and where it is",
        ("proxy", "clips", "landmarks"),
        feature=True,
        products=(
            Product(
                "pose",
                "pose/{video}/{clip}.npy",
                "yaw, pitch, roll; NaN without a face; `{clip}.csv` beside it has speeds and place",
                "(N, 3)",
                "float32",
                "degrees",
            ),
        ),
        others=("pose/{video}/{clip}.csv",),
    ),
    Stage(
        "expression",
        "measures what eyes, mouth and brows do",
        ("clips", "landmarks"),
        feature=True,
        products=(
            Product(
                "expression",
                "expression/{video}/{clip}.csv",
                "per frame: opening of eyes and mouth, blinks, width of the mouth, height of brows",
                "N rows",
                unit="eye and face widths",
            ),
        ),
    ),
    Stage(
        "depth",
        "finds how near the face is, or with a network every pixel",
        ("clips", "landmarks"),
        feature=True,
        products=(
            Product(
                "depth",
                "depth/{video}/{clip}",
                "`000001.png` ...: nearer is larger, 0 is no depth",
                "(N, H, W)",
                "uint16",
                "see depth_scale",
            ),
            Product(
                "depth_scale",
                "depth/{video}/{clip}.json",
                "the clip's one scale: quantity = offset + scale x value",
            ),
        ),
    ),
    Stage(
        "frames",
        "writes every frame as a picture",
        ("clips",),
        feature=True,
        products=(
            Product(
                "frames",
                "frames/{video}/{clip}",
                "`000001.png` ... (or `.jpg`)",
                "(N, H, W, 3)",
                "uint8",
            ),
        ),
    ),
    Stage(
        "parsing",
        "says what every pixel shows",
        ("clips", "landmarks"),
        feature=True,
        products=(
            Product(
                "parsing",
                "parsing/{video}/{clip}",
                "`000001.png` ...: labels 0 to 18 in the order of CelebAMask-HQ (`l_` is left in "
                "the picture)",
                "(N, H, W)",
                "uint8",
            ),
        ),
    ),
    Stage(
        "background",
        "finds the room without the person",
        ("clips", "parsing"),
        feature=True,
        products=(
            Product(
                "background",
                "background/{video}/{clip}.png",
                "the room without the person",
                "(H, W, 3)",
                "uint8",
            ),
        ),
    ),
    Stage(
        "torso",
        "cuts out the person without the head",
        ("clips", "parsing"),
        feature=True,
        products=(
            Product(
                "torso",
                "torso/{video}/{clip}",
                "`000001.png` ...: RGBA, the person without the head",
                "(N, H, W, 4)",
                "uint8",
            ),
        ),
    ),
    Stage(
        "overlay",
        "draws all that was found in a clip over it, as a film to check the dataset by",
        ("clips", "sync"),
        feature=True,
        shows=("landmarks", "pose", "expression", "parsing", "depth"),
        products=(
            Product(
                "overlay", "overlay/{video}/{clip}.mp4", "all that was found, as a film with sound"
            ),
        ),
    ),
    Stage(
        "mfcc",
        "computes MFCC and their deltas",
        ("clips",),
        feature=True,
        products=(
            Product(
                "mfcc",
                "mfcc/{video}/{clip}.npy",
                "13 MFCC and two deltas, 100 rows a second",
                "(4 N, 39)",
                "float32",
            ),
        ),
    ),
    Stage(
        "mel",
        "computes log-mel spectrograms",
        ("clips",),
        feature=True,
        products=(
            Product(
                "mel",
                "mel/{video}/{clip}.npy",
                "log-mel, 100 rows a second; with `layout: wav2lip` that project's own 80",
                "(4 N or 3.2 N, bands)",
                "float32",
            ),
        ),
    ),
    Stage(
        "hubert",
        "computes the hidden states of a speech network",
        ("clips",),
        feature=True,
        products=(
            Product(
                "hubert",
                "hubert/{video}/{clip}.npy",
                "hidden states, 50 rows a second",
                "(layers, 2 N, channels)",
                "float32 or float16",
            ),
        ),
    ),
    Stage(
        "quality",
        "measures size, place, light and sharpness of the face, pose, hands in front of it, how "
        "good the finished clip's sound is and by how many frames it is still off",
        ("proxy", "clips", "landmarks", "pose"),
        others=("quality/{video}/{clip}.csv",),
    ),
    Stage(
        "preview",
        "makes what the report shows of every stretch: small pictures, curves, exact measures",
        ("tracks", "speech", "sync", "segments", "clips", "landmarks", "pose", "quality"),
        report=True,
        others=("preview/{video}/{clip}.jpg", "preview/{video}/{clip}.js"),
    ),
    *EXPORT_STAGES,
)

STAGES = {stage.name: stage for stage in _REGISTER}
# The stage and the product to which every column of the dataset's tables leads.
PRODUCTS = {product.column: (stage, product) for stage in _REGISTER for product in stage.products}
# What the config can ask for.
FEATURES = tuple(stage.name for stage in _REGISTER if stage.feature)


def products_of(features: tuple[str, ...] | list[str]) -> list[Product]:
    """The products of the clips themselves and of `features`, in this order."""
    return [product for name in ("clips", *features) for product in STAGES[name].products]


def stages_made(
    features: Iterable[str], exports: Iterable[str] = (), *, report: bool = False
) -> tuple[str, ...]:
    """The stages that a run makes with these features and exports, and with the report or without,
    in the order of the rules."""
    wanted: set[str] = set()
    waiting = ["quality", *features, *(name for name in exports if name in STAGES)]
    waiting += [stage.name for stage in _REGISTER if stage.report and report]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += STAGES[name].reads
    return tuple(name for name in STAGES if name in wanted)
