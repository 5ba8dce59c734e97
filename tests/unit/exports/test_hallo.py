"""The layout that hallo/datasets of fudan-generative-vision/hallo read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from helpers.exports import VIDEOS, clips_of, counts, export, lose_faces, make_stage, set_cells
from helpers.small_results import CLIPS, SIZE
from helpers.tables import read_frame
from helpers.tiny_onnx import put_arcface
from talkingface import export_tables
from talkingface.exports.hallo import make_hallo
from talkingface.exports.hallo_masks import hallo_masks
from talkingface.exports.table import check_exports
from talkingface.faces.arcface import FILE, ArcFace
from talkingface.faces.landmark_files import read_landmarks
from talkingface.job.tables import table_of_rows, write_table
from talkingface.models.store import StoredModel
from talkingface.settings.load import check_config
from talkingface.settings.schema import ConfigError
from talkingface.stages import STAGES

SETTINGS = {"model": "facebook/wav2vec2-base-960h", "revision": None}
# Frames of the second clip without a face, where networks are run.
LOST = (0, 1)
SECOND = {
    "video_path": "videos/{}.mp4",
    "mask_path": "face_mask/{}.png",
    "sep_mask_border": "sep_pose_mask/{}.png",
    "sep_mask_face": "sep_face_mask/{}.png",
    "sep_mask_lip": "sep_lip_mask/{}.png",
    "face_emb_path": "face_emb/{}.pt",
    "audio_path": "audios/{}.wav",
    "vocals_emb_base_all": "audio_emb/{}.pt",
}


@pytest.fixture
def listed(results: Path) -> Path:
    """The small results with files of the stage that hold their own names, for what only links."""
    for clip in CLIPS:
        for product in STAGES["hallo"].products:
            path = results / product.path.format(video=clip.video, clip=clip.clip_id)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(path.name)
    say(results)
    return results


def say(results: Path, **cells: Any) -> None:
    """Write the stage's manifests, as of the published networks but for `cells`."""
    known = {"faceless_frames": 0, "sound_layers": 12, "sound_channels": 768, "model": "m"}
    for video in VIDEOS:
        rows = [
            {"clip_id": clip.clip_id, "n_frames": clip.n_frames, "face_model": "f", "sha256": "0"}
            | known
            | cells
            for clip in CLIPS
            if clip.video == video
        ]
        table = table_of_rows(export_tables.HALLO, rows)
        write_table(table, results / f"hallo/{video}.csv", export_tables.HALLO)


def test_the_lists_lead_to_every_file(listed: Path) -> None:
    folder = export(listed, "hallo", SETTINGS)
    for side in ("train", "eval"):
        names = [clip.clip_id for clip in CLIPS if clip.side == side]
        first = json.loads((folder / f"{side}_stage1.json").read_text())
        assert first == [
            {
                "image_path": str(folder / "images" / name),
                "mask_path": str(folder / f"face_mask/{name}.png"),
                "face_emb": str(folder / f"face_emb/{name}.pt"),
            }
            for name in names
        ]
        second = json.loads((folder / f"{side}_stage2.json").read_text())
        assert second == [
            {key: str(folder / path.format(name)) for key, path in SECOND.items()} for name in names
        ]
        paths = [Path(path) for record in [*first, *second] for path in record.values()]
        assert all(path.exists() for path in paths)
    assert counts(folder) == (3, 0)


def test_every_file_is_what_its_key_says(listed: Path) -> None:
    folder = export(listed, "hallo", SETTINGS)
    for clip in CLIPS:
        name = clip.clip_id
        for kind, suffix in (
            ("face_mask", ".png"),
            ("sep_pose_mask", ".border.png"),
            ("sep_face_mask", ".face.png"),
            ("sep_lip_mask", ".lips.png"),
            ("face_emb", ".embedding.pt"),
            ("audio_emb", ".sound.pt"),
        ):
            (path,) = (folder / kind).glob(f"{name}.*")
            assert path.read_text() == f"{name}{suffix}"
        pictures = sorted((folder / f"images/{name}").iterdir())
        assert len(pictures) == clip.n_frames
        np.testing.assert_array_equal(cv2.imread(str(pictures[9])), clip.picture(9))


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        ({"faceless_frames": 1}, "frames without a face,1,0"),
        ({"sound_layers": 24}, "layers of the speech network,24,12"),
        ({"sound_channels": 1024}, "channels of the speech network,1024,768"),
    ],
)
def test_what_the_reader_fails_on_is_left_out(
    listed: Path, cells: dict[str, int], row: str
) -> None:
    say(listed, **cells)
    folder = export(listed, "hallo", SETTINGS)
    assert counts(folder) == (0, 3)
    skipped = (folder / "skipped.csv").read_text().splitlines()[1:]
    assert skipped == [f"{clip.clip_id},{row}" for clip in CLIPS]
    assert json.loads((folder / "train_stage2.json").read_text()) == []


@pytest.mark.parametrize(("frames", "stays"), [(20, False), (21, True)])
def test_a_sample_of_the_second_stage_must_fit(listed: Path, frames: int, stays: bool) -> None:
    """It wants more than 14 frames, 2 before them, and 2 on both sides for the sound."""
    set_cells(listed, 0, n_frames=frames)
    for picture in sorted((listed / f"frames/talk1/{CLIPS[0].clip_id}").iterdir())[frames:]:
        picture.unlink()
    folder = export(listed, "hallo", SETTINGS)
    assert ("frames,20,at least 21" not in (folder / "skipped.csv").read_text()) == stays
    assert counts(folder) == ((3, 0) if stays else (2, 1))


def test_a_picture_that_would_be_squeezed_is_left_out(listed: Path) -> None:
    set_cells(listed, 1, width=455)
    folder = export(listed, "hallo", SETTINGS)
    row = f"{CLIPS[1].clip_id},width x height (px),455 x 256,a square"
    assert (folder / "skipped.csv").read_text().splitlines()[1:] == [row]


def test_without_frames_it_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"export hallo needs frames: features: \[.*frames\]"):
        check_exports(["hallo"], check_config({"exports": ["hallo"]}))


def stored(name: str, folder: Path) -> StoredModel:
    return StoredModel(name, folder, name[:4])


def test_without_clips_nothing_is_loaded(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    make_hallo(
        [], tmp_path, tmp_path / "made", tmp_path / "made.csv", model=stored("sound", gone),
        face_model=stored("face", gone), device="cpu", threads=1,
    )  # fmt: skip
    assert list((tmp_path / "made").iterdir()) == []
    assert len(read_frame(tmp_path / "made.csv")) == 0


@pytest.fixture(scope="module")
def made(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small results with the stage's files by small random networks of the published layout."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    import shutil

    folder = tmp_path_factory.mktemp("hallo")
    results = Path(shutil.copytree(finished, folder / "results"))
    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(
        hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=64,
        conv_dim=[16] * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    transformers.Wav2Vec2ForCTC(config).save_pretrained(folder / "sound")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder / "sound")
    (folder / "face").mkdir()
    put_arcface(folder / "face" / FILE)
    lose_faces(results, CLIPS[1], LOST)
    make_stage(
        results, "hallo", make_hallo, model=stored("sound", folder / "sound"),
        face_model=stored("face", folder / "face"), device="cpu", threads=1,
    )  # fmt: skip
    return results


def test_sound_and_face_are_tensors_that_load_without_unpickling(made: Path) -> None:
    import torch

    arcface = ArcFace(stored("face", made.parent / "face"), threads=1)
    for clip in CLIPS:
        path = made / f"hallo/{clip.video}/{clip.clip_id}"
        sound = torch.load(f"{path}.sound.pt", weights_only=True)
        assert sound.shape == (clip.n_frames, 3, 32) and sound.dtype == torch.float32
        embedding = torch.load(f"{path}.embedding.pt", weights_only=True)
        assert embedding.shape == (512,) and embedding.dtype == torch.float32
        (source,) = (c for c in clips_of(made, clip.video) if c.clip_id == clip.clip_id)
        found = read_landmarks(made / f"landmarks/{clip.video}/{clip.clip_id}.npz")
        first = len(LOST) if clip is CLIPS[1] else 0
        frame = list(source.frames())[first]
        expected = arcface.run(frame, found.points68[first])
        np.testing.assert_allclose(embedding.numpy(), expected, rtol=1e-5)


def test_masks_are_those_of_the_clip_s_landmarks(made: Path) -> None:
    for clip in CLIPS:
        path = made / f"hallo/{clip.video}/{clip.clip_id}"
        masks = hallo_masks(clip.points[len(LOST) * (clip is CLIPS[1]) :], SIZE, SIZE)
        for suffix, expected in (
            ("", masks.union), (".border", masks.border), (".face", masks.face),
            (".lips", masks.lips),
        ):  # fmt: skip
            found = cv2.imread(f"{path}{suffix}.png", cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(found, expected)


def test_the_manifest_says_what_it_was_made_with(made: Path) -> None:
    for video in VIDEOS:
        table = read_frame(made / f"hallo/{video}.csv")
        of_video = [clip for clip in CLIPS if clip.video == video]
        assert list(table.clip_id) == [clip.clip_id for clip in of_video]
        assert list(table.faceless_frames) == [len(LOST) * (c is CLIPS[1]) for c in of_video]
        assert set(table.sound_layers) == {3} and set(table.sound_channels) == {32}
        assert set(table.model) == {"sound"} and set(table.face_model) == {"face"}
        assert set(table.sha256) == {"soun face"}
