"""The register of exports: whose training code reads each, and what it cannot do without.

Light: the Snakefile imports this.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface.settings.describe import markdown_table
from talkingface.settings.schema import ConfigError

logger = logging.getLogger(__name__)

# Relative to the workspace, in which the workflow runs.
EXPORTS_FOLDER = "results/exports"


@dataclass(frozen=True)
class Export:
    """A layout, which the rule `export_{name}` makes of a finished dataset.

    `reader` is the project whose training code reads it, `purpose` what is in it. `needs`: the
    features that it cannot do without, `takes` those that it adds where they are made. `settings`:
    keys of the config, dotted, each with the values that the layout can be made with.
    `chooses_features`: whether its section of the config has a list `features` of those that go in.
    `has_card`: whether the dataset's card is in it, so that it is made first. `absolute`: whether
    it has absolute paths, so that it is made again where the workspace has been moved or copied.
    `blanks`: whether the path of its folder may have blanks, at which lists of paths may be
    divided. An export for which pictures are made, or much is read, of every clip has a stage of
    its name in the register of stages.
    """

    name: str
    reader: str
    purpose: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    settings: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    chooses_features: bool = False
    has_card: bool = False
    absolute: bool = False
    blanks: bool = True

    @property
    def place(self) -> str | None:
        """The absolute path of its folder, in the working directory; None where it has none."""
        return os.path.abspath(f"{EXPORTS_FOLDER}/{self.name}") if self.absolute else None

    def faults(self, config: Mapping[str, Any]) -> list[str]:
        """What of a complete config, or of the working directory, keeps the export from being made,
        and what to set."""
        chosen = config[self.name]["features"] or () if self.chooses_features else ()
        wanted: Any = [*self.needs, *chosen]
        lacking = [name for name in dict.fromkeys(wanted) if name not in config["features"]]
        faults = []
        if lacking:
            features = ", ".join([*config["features"], *lacking])
            faults.append(f"export {self.name} needs {', '.join(lacking)}: features: [{features}]")
        for key, allowed in self.settings:
            value: Any = config
            for part in key.split("."):
                value = value[part]
            if value not in allowed:
                choices = " or ".join(map(str, allowed))
                faults.append(f"export {self.name} needs {key}: {choices}, not {value}")
        folder = os.path.abspath(EXPORTS_FOLDER)
        if not self.blanks and len(folder.split()) > 1:
            faults.append(
                f"export {self.name} needs a path without blanks, at which its lists are divided: "
                f"work in another folder than {folder!r}"
            )
        return faults


_REGISTER = (
    Export(
        "talking_face_preprocessing",
        "liutaocode/talking_face_preprocessing and what trains on its folders",
        "videos, sound, landmarks as text, pose; frames and HuBERT features where they are made",
        needs=("landmarks", "pose"),
        takes=("frames", "hubert"),
    ),
    Export(
        "liveportrait_train",
        "liutaocode/LivePortrait-Train",
        "pictures of 512 x 512 pixels, landmarks as text, pose",
        needs=("landmarks", "pose", "frames"),
    ),
    Export(
        "radnerf",
        "RAD-NeRF, ER-NeRF, SyncTalk, TalkingGaussian",
        "a scene for every clip: pictures, cameras, background, torso, parsing, points, sound",
        needs=("landmarks", "parsing", "background", "torso"),
        takes=("expression", "hubert"),
        settings=(("clips.crop", ("fixed", "none")),),
    ),
    Export(
        "pc_avs",
        "Hangz-nju-cuhk/Talking-Face_PC-AVS",
        "aligned crops of 224 pixels as pictures, sound, lists of eight fields",
        needs=("landmarks",),
        absolute=True,
        blanks=False,
    ),
    Export(
        "wav2lip",
        "Rudrabha/Wav2Lip and its forks, Academic-Hammer/talkingface-toolkit",
        "the face of every frame as a picture, sound, videos, lists",
        needs=("landmarks",),
    ),
    Export(
        "voxceleb",
        "what trains on the folders of VoxCeleb2 and TalkingVideo, as clovaai/voxceleb_trainer",
        "224 crops that follow the face, sound, metafiles, lists",
    ),
    Export(
        "landmarks_hdf5",
        "eeskimez/Talking-Face-Landmarks-from-Speech",
        "HDF5 of 3 s samples: deltas of the sound's mel spectrum, and landmarks on a mean face",
        needs=("landmarks",),
    ),
    Export(
        "latentsync",
        "bytedance/LatentSync",
        "films with sound in which the face is aligned in every frame, lists of their paths",
        needs=("landmarks",),
        absolute=True,
    ),
    Export(
        "musetalk",
        "TMElyralab/MuseTalk 1.5",
        "films, sound, and of every frame a face box and landmarks as JSON",
        needs=("landmarks",),
    ),
    Export(
        "hallo",
        "fudan-generative-vision/hallo",
        "films, frames, masks of face and lips, ArcFace embeddings, wav2vec 2.0 features",
        needs=("landmarks", "frames"),
        absolute=True,
    ),
    Export(
        "aniportrait",
        "Zejun-Yang/AniPortrait",
        "frames and their face meshes, and the list of both",
        needs=("landmarks", "frames"),
        absolute=True,
    ),
    Export(
        "webdataset",
        "WebDataset, wids and Hugging Face datasets, which stream it",
        "tar archives of bounded size, a sample a clip: film, sound, measures, features",
        chooses_features=True,
        has_card=True,
    ),
    Export(
        "huggingface",
        "Hugging Face datasets, and their Hub",
        "a folder to load or to upload: films, sound, measures, features, a card",
        chooses_features=True,
        has_card=True,
    ),
)

EXPORTS = {export.name: export for export in _REGISTER}


def check_exports(exports: Iterable[str], config: Mapping[str, Any]) -> None:
    """Raise ConfigError, naming the settings, where one of `exports` cannot be made with `config`,
    which is complete."""
    faults = [fault for name in exports for fault in EXPORTS[name].faults(config)]
    if faults:
        raise ConfigError("\n".join(["config:", *(f"  {fault}" for fault in faults)]))


def followed_exports(folder: str | Path, config: Mapping[str, Any]) -> list[str]:
    """The exports that a run makes: those that a complete `config` asks for, and those that are in
    `folder` already, so that none is left of an older dataset.

    Raises ConfigError as `check_exports` for those asked for. One that is there and cannot be made
    with these settings stays as it is, and a warning says so.
    """
    check_exports(config["exports"], config)
    try:
        there = set(os.listdir(folder)) - set(config["exports"])
    except FileNotFoundError:
        there = set()
    followed = list(config["exports"])
    for name in EXPORTS:
        if name in there:
            faults = EXPORTS[name].faults(config)
            if faults:
                logger.warning(
                    "%s stays as it is, of an earlier dataset; %s, or delete it",
                    Path(folder, name), "; ".join(faults),
                )  # fmt: skip
            else:
                followed.append(name)
    return followed


def exports_table() -> str:
    """All exports, in Markdown."""
    rows = []
    for export in EXPORTS.values():
        needs = [f"`{name}`" for name in export.needs]
        needs += [f"`{key}: {' or '.join(map(str, v))}`" for key, v in export.settings]
        name = f"[`{export.name}`](exports/{export.name}.md)"
        rows.append((name, export.reader, export.purpose, ", ".join(needs)))
    return markdown_table(("export", "who reads it", "what is in it", "needs"), rows)
