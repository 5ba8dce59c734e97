"""Tar archives as WebDataset reads them: streamed, and grouped by names up to the first dot."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from helpers.small_results import CLIPS, FEATURES, write_dataset
from helpers.tables import read_frame
from talkingface.exports.export import make_export
from talkingface.exports.table import check_exports
from talkingface.settings.load import check_config
from talkingface.settings.schema import ConfigError

NAMES = [clip.clip_id for clip in CLIPS]
# Of the features that are no pictures of every frame and no films.
ONE_FILE = {
    "background.png", "boxes.csv", "expression.csv", "hubert.npy", "json", "landmarks.npz",
    "landmarks68.txt", "mel.npy", "mfcc.npy", "mp4", "pose.npy", "wav",
}  # fmt: skip
PICTURES = ["frames", "parsing", "depth", "torso"]


def export(
    results: Path, folder: Path, max_shard: float = 1e9, features: list[str] | None = None
) -> Path:
    """The export of `results` in a folder below `folder`."""
    folder = folder / "webdataset"
    make_export("webdataset", results, folder, {"max_shard": max_shard, "features": features})
    return folder


def stream(shard: Path) -> dict[str, dict[str, bytes]]:
    """The samples of a shard as WebDataset's own reader groups them: what follows one another with
    the same name up to the first dot is a sample."""
    samples: dict[str, dict[str, bytes]] = {}
    with tarfile.open(shard, "r|") as tar:
        parts = []
        for member in tar:
            assert member.isreg()
            key, suffix = re.fullmatch(r"([^.]+)[.]([^/]*)", member.name).groups()
            parts.append((key, suffix, tar.extractfile(member).read()))
    for key, group in itertools.groupby(parts, key=lambda part: part[0]):
        assert key not in samples, "the files of a sample are not side by side"
        files = [(suffix, content) for _, suffix, content in group]
        samples[key] = dict(files)
        assert len(samples[key]) == len(files)
    return samples


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.*")}


def test_a_sample_has_the_clip_s_files(finished: Path, tmp_path: Path) -> None:
    folder = export(finished, tmp_path)
    train, held_out = (stream(folder / f"{side}-000000.tar") for side in ("train", "eval"))
    assert list(train) == NAMES[:2]
    assert list(held_out) == NAMES[2:]
    assert all(set(sample) == ONE_FILE for sample in (train | held_out).values())
    for clip in CLIPS:
        sample = (train | held_out)[clip.clip_id]
        for suffix in ("mp4", "wav"):
            path = finished / f"clips/{clip.video}/{clip.clip_id}.{suffix}"
            assert sample[suffix] == path.read_bytes()
        pose = np.load(io.BytesIO(sample["pose.npy"]))
        assert np.allclose(pose, clip.angles, atol=1e-5)
        with np.load(io.BytesIO(sample["landmarks.npz"])) as landmarks:
            assert np.array_equal(landmarks["points"], clip.points)


def test_the_row_of_the_clip_is_plain_json(finished: Path, tmp_path: Path) -> None:
    sample = stream(export(finished, tmp_path) / "eval-000000.tar")[NAMES[2]]
    row = json.loads(sample["json"], parse_constant=lambda name: pytest.fail(name))
    assert row["clip_id"] == NAMES[2]
    assert row["identity"] == "Böb/../Ünal"
    assert (row["n_frames"], row["duration_s"], row["split"]) == (170, 6.8, "eval")
    # Not where it lies on this machine.
    assert row["source"] == "talk2.mp4"
    assert not any(isinstance(value, str) and "/" in value for name, value in row.items()
                   if name != "identity")  # fmt: skip


def test_every_clip_has_the_same_columns(results: Path, tmp_path: Path) -> None:
    """`datasets` takes the types of all clips from a few: a column that a side has nothing in would
    be one that no number fits into."""
    path = results / "dataset/clips.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    quality, sharpness = (lines[0].index(name) for name in ("speech_quality", "sharpness"))
    lines[3][quality] = lines[1][sharpness] = ""
    path.write_text("".join(f"{','.join(line)}\n" for line in lines))
    folder = export(results, tmp_path)
    samples = stream(folder / "train-000000.tar") | stream(folder / "eval-000000.tar")
    rows = [json.loads(sample["json"]) for sample in samples.values()]
    assert len({tuple(row) for row in rows}) == 1
    assert [row["sharpness"] for row in rows] == [None, 0.0, 0.0]
    assert "speech_quality" not in rows[0]


def test_pictures_of_every_frame_are_a_zip_archive(finished: Path, tmp_path: Path) -> None:
    folder = export(finished, tmp_path, features=PICTURES)
    sample = stream(folder / "train-000000.tar")[NAMES[0]]
    assert set(sample) == {
        "boxes.csv", "depth.zip", "depth_scale.json", "frames.zip", "json", "mp4", "parsing.zip",
        "torso.zip", "wav",
    }  # fmt: skip
    for name in PICTURES:
        with zipfile.ZipFile(io.BytesIO(sample[f"{name}.zip"])) as archive:
            assert archive.namelist() == [f"{k:06d}.png" for k in range(1, 61)]
            assert {about.date_time for about in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            for picture in ("000001.png", "000060.png"):
                path = finished / f"{name}/talk1/{NAMES[0]}/{picture}"
                assert archive.read(picture) == path.read_bytes()


@pytest.mark.parametrize("features", [None, PICTURES])
def test_the_same_clips_are_the_same_bytes(
    results: Path, tmp_path: Path, features: list[str] | None
) -> None:
    before = digests(export(results, tmp_path, features=features))
    for path in results.glob("clips/talk1/*"):
        path.touch()
        path.chmod(0o600)
    assert digests(export(results, tmp_path, features=features)) == before
    with tarfile.open(tmp_path / "webdataset/train-000000.tar") as tar:
        for member in tar:
            about = member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode
            assert about == (0, 0, 0, "", "", 0o644)


def test_a_shard_is_not_larger_than_asked_for(finished: Path, tmp_path: Path) -> None:
    whole = (export(finished, tmp_path) / "train-000000.tar").stat().st_size
    folder = export(finished, tmp_path, whole)
    assert len(list(folder.glob("train-*.tar"))) == 1
    folder = export(finished, tmp_path, whole - 1)
    shards = sorted(folder.glob("train-*.tar"))
    assert [shard.name for shard in shards] == ["train-000000.tar", "train-000001.tar"]
    assert [list(stream(shard)) for shard in shards] == [[NAMES[0]], [NAMES[1]]]
    assert all(shard.stat().st_size < whole for shard in shards)


def test_the_size_of_pictures_is_known_beforehand(finished: Path, tmp_path: Path) -> None:
    whole = (export(finished, tmp_path, features=PICTURES) / "train-000000.tar").stat().st_size
    assert len(list(export(finished, tmp_path, whole, PICTURES).glob("train-*.tar"))) == 1
    assert len(list(export(finished, tmp_path, whole - 1, PICTURES).glob("train-*.tar"))) == 2


def test_a_clip_that_is_larger_has_a_shard_of_its_own(finished: Path, tmp_path: Path) -> None:
    folder = export(finished, tmp_path, 1)
    assert [list(stream(shard)) for shard in sorted(folder.glob("train-*.tar"))] == [
        [NAMES[0]], [NAMES[1]],
    ]  # fmt: skip


def test_the_lists_say_what_is_in_the_shards(finished: Path, tmp_path: Path) -> None:
    folder = export(finished, tmp_path, 1)
    for side in ("train", "eval"):
        index = json.loads((folder / f"{side}.json").read_text())
        assert index["wids_version"] == 1
        shards = sorted(folder.glob(f"{side}-*.tar"))
        assert index["shardlist"] == [
            {"url": shard.name, "nsamples": len(stream(shard)), "filesize": shard.stat().st_size}
            for shard in shards
        ]


def test_a_video_at_the_end_leaves_the_shards_before_as_they_were(
    results: Path, tmp_path: Path
) -> None:
    write_dataset(results, CLIPS[:1])
    first = digests(export(results, tmp_path, 1))
    write_dataset(results, CLIPS)
    more = digests(export(results, tmp_path, 1))
    assert more["train-000000.tar"] == first["train-000000.tar"]
    assert set(more) - set(first) == {"train-000001.tar", "eval-000000.tar", "eval.json"}
    assert "validation" not in first


def test_names_are_in_order_inside_a_shard_only(results: Path, tmp_path: Path) -> None:
    """Shards follow the list of videos; in an archive the names are sorted."""
    write_dataset(results, (CLIPS[1], CLIPS[0]))
    assert list(stream(export(results, tmp_path) / "train-000000.tar")) == NAMES[:2]
    folder = export(results, tmp_path, 1)
    assert list(stream(folder / "train-000000.tar")) == NAMES[1:2]


def test_a_side_without_clips_has_no_files(results: Path, tmp_path: Path) -> None:
    write_dataset(results, CLIPS[:2])
    folder = export(results, tmp_path)
    assert not list(folder.glob("eval*"))
    card = (folder / "README.md").read_text()
    assert "path: train-*.tar" in card
    assert "eval" not in card


def test_a_clip_whose_feature_is_gone_is_skipped(results: Path, tmp_path: Path) -> None:
    (results / f"mfcc/talk1/{NAMES[0]}.npy").unlink()
    folder = export(results, tmp_path)
    assert list(stream(folder / "train-000000.tar")) == NAMES[1:2]
    skipped = read_frame(folder / "skipped.csv")
    assert skipped.needed.tolist() == [f"mfcc/talk1/{NAMES[0]}.npy"]


def test_features_that_are_not_made_are_not_in_it(results: Path, tmp_path: Path) -> None:
    write_dataset(results, CLIPS, tuple(name for name in FEATURES if name not in ("mel", "hubert")))
    sample = stream(export(results, tmp_path) / "eval-000000.tar")[NAMES[2]]
    assert set(sample) == ONE_FILE - {"mel.npy", "hubert.npy"}


def test_a_feature_that_is_chosen_has_to_be_made() -> None:
    chosen = {"features": ["landmarks"], "webdataset": {"features": ["landmarks", "frames"]}}
    config = check_config(chosen)
    with pytest.raises(ConfigError, match=r"needs frames: features: \[landmarks, frames\]"):
        check_exports(["webdataset"], config)
    config["features"].append("frames")
    check_exports(["webdataset"], config)
