"""The folders and lists of fudan-generative-vision/hallo, for both stages of its training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.dataset.split import SIDES
from talkingface.export_tables import HALLO
from talkingface.exports.conditions import Condition, at_least, equal
from talkingface.exports.export_clips import ExportClip
from talkingface.exports.hallo_masks import hallo_masks
from talkingface.exports.tree import Tree
from talkingface.faces.arcface import WIDTH, ArcFace
from talkingface.faces.landmark_files import Landmarks, clip_landmarks
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.media.picture import write_picture
from talkingface.models.store import StoredModel
from talkingface.networks.backend import import_learned

# Folder and suffix of every product, by its column, as scripts/data_preprocess.py names them.
FILES = {
    "video": ("videos", ".mp4"),
    "audio": ("audios", ".wav"),
    "hallo_mask": ("face_mask", ".png"),
    "hallo_border": ("sep_pose_mask", ".png"),
    "hallo_face": ("sep_face_mask", ".png"),
    "hallo_lips": ("sep_lip_mask", ".png"),
    "hallo_embedding": ("face_emb", ".pt"),
    "hallo_sound": ("audio_emb", ".pt"),
}
PICTURES = "images"
# Key of every file in the lists of the two stages (scripts/extract_meta_info_stage{1,2}.py).
FIRST = {"mask_path": "hallo_mask", "face_emb": "hallo_embedding"}
SECOND = {
    "video_path": "video",
    "mask_path": "hallo_mask",
    "sep_mask_border": "hallo_border",
    "sep_mask_face": "hallo_face",
    "sep_mask_lip": "hallo_lips",
    "face_emb_path": "hallo_embedding",
    "audio_path": "audio",
    "vocals_emb_base_all": "hallo_sound",
}
# TalkingVideoDataset wants more frames than 14 of a sample, 2 of motion and 2 on both sides
# (configs/train/stage2.yaml).
LEAST_FRAMES = 21
# Of the network that its projection of the sound is made for (scripts/train_stage2.py).
SOUND_LAYERS, SOUND_CHANNELS = 12, 768


def make_hallo(
    clips: Sequence[Clip],
    landmarks: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    model: StoredModel,
    face_model: StoredModel,
    device: str,
    threads: int,
) -> None:
    """Write what Hallo reads of every clip beside film and sound, into `folder`, and the table
    HALLO. Without clips nothing is loaded.

    {clip}.png: where the face is, (H, W). {clip}.border.png, {clip}.face.png, {clip}.lips.png:
    (64, 64), see hallo_masks. {clip}.embedding.pt: ArcFace of the first frame with a face, (512,)
    float32. {clip}.sound.pt: (N, layers, width) float32, see sound.frame_states. The last two are
    tensors in torch's format.

    landmarks: the folder with the clips' landmarks. model: of the sound, wav2vec 2.0. face_model:
    ArcFace. device, threads: see devices.open_device; ArcFace runs on the processor.
    For what is raised see import_learned, speech_models.load_network, ArcFace and FrameStates.
    """
    cells: dict[str, Any] = {
        "model": model.name,
        "face_model": face_model.name,
        "sha256": f"{model.weights_sha256} {face_model.weights_sha256}",
        "sound_layers": 0,
        "sound_channels": 0,
    }
    if clips:
        devices, frame_states = import_learned("talkingface.sound.frame_states", model.name)
        import torch

        network = frame_states.load(
            model.checked_folder(),
            model.files,
            devices.open_device(device, threads),
            devices.number_format("float32"),
        )
        cells |= {"sound_layers": network.layers, "sound_channels": network.width}
        arcface = ArcFace(face_model, threads=threads)

    def make(clip: Clip, into: Path) -> Mapping[str, Any]:
        found = clip_landmarks(landmarks, clip)
        masks = hallo_masks(found.points[found.present], clip.width, clip.height)
        name = into / clip.clip_id
        write_picture(masks.union, f"{name}.png")
        write_picture(masks.border, f"{name}.border.png")
        write_picture(masks.face, f"{name}.face.png")
        write_picture(masks.lips, f"{name}.lips.png")
        embedding = _first_embedding(arcface, clip.frames(), found)
        torch.save(torch.from_numpy(embedding), f"{name}.embedding.pt")
        torch.save(network.run(clip.sound()), f"{name}.sound.pt")
        return {"faceless_frames": int((~found.present).sum()), **cells}

    make_for_clips(make, clips, folder, manifest, HALLO)


def _first_embedding(
    arcface: ArcFace, frames: Iterable[np.ndarray], landmarks: Landmarks
) -> np.ndarray:
    """(512,) float32 of the first frame with a face; zeros where none has one."""
    if not landmarks.present.any():
        return np.zeros(WIDTH, np.float32)
    first = int(np.argmax(landmarks.present))
    frame = next(islice(iter(frames), first, None))
    return arcface.run(frame, landmarks.points68[first])


def lay_out(clips: Sequence[ExportClip], tree: Tree, **settings: Any) -> None:
    """A folder for every kind of file, and of either side a list for each stage of training.

    settings: those of the stage; the layout is the same with all.
    """
    chosen: dict[str, list[ExportClip]] = {side: [] for side in SIDES}
    for clip in clips:
        if _is_read(clip, tree):
            for column, (folder, suffix) in FILES.items():
                tree.link(clip.path(column), f"{folder}/{clip.clip_id}{suffix}")
            tree.link_folder(clip.path("frames"), f"{PICTURES}/{clip.clip_id}")
            chosen[clip.side].append(clip)
    for side in SIDES:
        names = [clip.clip_id for clip in chosen[side]]
        first = [
            {"image_path": tree.absolute(f"{PICTURES}/{name}")} | _paths(name, FIRST, tree)
            for name in names
        ]
        second = [_paths(name, SECOND, tree) for name in names]
        tree.write_text(f"{side}_stage1.json", json.dumps(first, indent=4) + "\n")
        tree.write_text(f"{side}_stage2.json", json.dumps(second, indent=4) + "\n")


def _is_read(clip: ExportClip, tree: Tree) -> bool:
    """Whether both stages take a clip; what it does not meet is noted."""
    measures, size = clip.measures, f"{clip.width} x {clip.height}"
    return tree.check(
        clip,
        at_least("frames", clip.n_frames, LEAST_FRAMES),
        Condition("width x height (px)", size, "a square", clip.width == clip.height),
        equal("frames without a face", measures.faceless_frames, 0),
        equal("layers of the speech network", measures.sound_layers, SOUND_LAYERS),
        equal("channels of the speech network", measures.sound_channels, SOUND_CHANNELS),
    )


def _paths(name: str, keys: Mapping[str, str], tree: Tree) -> dict[str, str]:
    """Where the files of a clip will be, by their keys in a list."""
    return {
        key: tree.absolute(f"{FILES[column][0]}/{name}{FILES[column][1]}")
        for key, column in keys.items()
    }
