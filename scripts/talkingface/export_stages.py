"""The stages that are made for an export of their name only, as in `stages`."""

from __future__ import annotations

from talkingface.stage import Product, Stage

# What RAD-NeRF's kind reads of a clip beside the dataset: name, suffix, what it is, shape, unit.
_OF_SCENES = (
    ("ori_imgs", "", "`000001.jpg` ...: the frames", "(N, H, W, 3)", ""),
    ("lms", "", "`000001.lms` ...: the 68 points as text; -1 without a face", "", "clip pixels"),
    ("gt_imgs", "", "`000001.jpg` ...: the person before the background", "(N, H, W, 3)", ""),
    ("parsing", "", "`000001.png` ...: head, neck and torso in colours", "(N, H, W, 3)", ""),
    ("hair", "", "`000001.png` ...: the same, hair and mouth apart", "(N, H, W, 3)", ""),
    ("face", "", "`000001.png` ...: the face with a soft edge", "(N, H, W, 3)", ""),
    ("bc", ".jpg", "the background without the person", "(H, W, 3)", ""),
    ("train", ".json", "the camera in the first 10 of 11 parts of the frames", "", "m"),
    ("val", ".json", "the camera in the rest of the frames", "", "m"),
)

# In the order of the rules.
EXPORT_STAGES = (
    Stage(
        "voxceleb",
        "cuts every clip anew from the original so that the face stays in the centre",
        ("download", "proxy", "sync", "clips"),
        export=True,
        products=(
            Product(
                "voxceleb",
                "voxceleb/{video}/{clip}.mp4",
                "the clip in a square that follows the face, with its sound",
                "(N, 224, 224, 3)",
                "uint8",
            ),
            Product(
                "voxceleb_boxes",
                "voxceleb/{video}/{clip}.csv",
                "per frame: what of the picture the film shows",
                "N rows",
                unit="widths and heights of the picture",
            ),
        ),
    ),
    Stage(
        "landmarks_hdf5",
        "computes how the sound's spectrum changes and moves the landmarks' eyes into place",
        ("clips", "landmarks"),
        export=True,
        products=(
            Product(
                "landmarks_hdf5",
                "landmarks_hdf5/{video}/{clip}.npz",
                "`features` (N, 128), deltas of a log-mel spectrum; `landmarks` (N, 136) in shares "
                "of the reader's picture, NaN without a face",
                "(N, 128)",
                "float32",
            ),
        ),
    ),
    Stage(
        "latentsync",
        "cuts every clip anew from the original with the face aligned in every frame",
        ("download", "proxy", "sync", "clips", "landmarks"),
        export=True,
        products=(
            Product(
                "latentsync",
                "latentsync/{video}/{clip}.mp4",
                "the clip with its face aligned, with its sound",
                "(N, S, S, 3)",
                "uint8",
            ),
            Product(
                "latentsync_maps",
                "latentsync/{video}/{clip}.csv",
                "per frame: the map from source pixels to the film's",
                "N rows",
            ),
        ),
    ),
    Stage(
        "wav2lip",
        "cuts the face out of every frame, for the export of that name",
        ("clips", "landmarks"),
        export=True,
        products=(
            Product(
                "wav2lip",
                "wav2lip/{video}/{clip}",
                "`000001.jpg` ...: the face, brows to chin, of its own size in every frame",
                "(N, h, w, 3)",
                "uint8",
            ),
        ),
    ),
    Stage(
        "pc_avs",
        "lays eyes and mouth of every frame in one place, for the export of that name",
        ("clips", "landmarks"),
        export=True,
        products=(
            Product(
                "pc_avs",
                "pc_avs/{video}/{clip}",
                "`000001.jpg` ...: aligned crops, black beyond the clip",
                "(N, 224, 224, 3)",
                "uint8",
            ),
        ),
    ),
    Stage(
        "musetalk",
        "notes face boxes and landmarks as MuseTalk reads them",
        ("clips", "landmarks"),
        export=True,
        products=(
            Product("musetalk", "musetalk/{video}/{clip}.json", "MuseTalk's record of a clip"),
        ),
    ),
    Stage(
        "hallo",
        "computes masks, who the face is, and its speech as Hallo reads them",
        ("clips", "landmarks"),
        export=True,
        products=(
            Product(
                "hallo_mask",
                "hallo/{video}/{clip}.png",
                "where the face is in any frame",
                "(H, W)",
                "uint8",
            ),
            Product(
                "hallo_border",
                "hallo/{video}/{clip}.border.png",
                "soft, what is around the face",
                "(64, 64)",
                "uint8",
            ),
            Product(
                "hallo_face",
                "hallo/{video}/{clip}.face.png",
                "soft, the face without the lips",
                "(64, 64)",
                "uint8",
            ),
            Product(
                "hallo_lips", "hallo/{video}/{clip}.lips.png", "soft, the lips", "(64, 64)", "uint8"
            ),
            Product(
                "hallo_embedding",
                "hallo/{video}/{clip}.embedding.pt",
                "ArcFace of the first frame with a face",
                "(512)",
                "float32",
            ),
            Product(
                "hallo_sound",
                "hallo/{video}/{clip}.sound.pt",
                "hidden states of wav2vec 2.0, a row a frame",
                "(N, layers, channels)",
                "float32",
            ),
        ),
    ),
    Stage(
        "aniportrait",
        "writes the face mesh of every frame as AniPortrait reads it",
        ("clips", "landmarks"),
        export=True,
        products=(
            Product(
                "aniportrait",
                "aniportrait/{video}/{clip}",
                "`000001.npy` ...: x and y as shares of width and height; NaN without a face",
                "(N, 478, 3)",
                "float32",
                "shares",
            ),
        ),
    ),
    Stage(
        "radnerf",
        "makes pictures and cameras of a head that keeps still",
        ("proxy", "clips", "landmarks", "parsing", "background"),
        export=True,
        products=tuple(
            Product(
                f"radnerf_{name}",
                f"radnerf/{{video}}/{{clip}}_{name}{suffix}",
                content,
                shape,
                "uint8" if shape else "",
                unit,
            )
            for name, suffix, content, shape, unit in _OF_SCENES
        ),
    ),
)
