"""Which windows of which clips there are, and what is said where there are none."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from helpers.numbered_results import NumberedClip, digest, numbered_results
from helpers.synthetic import read_number
from talkingface.job.files import DamagedFile
from talkingface.job.tables import OtherColumns
from talkingface.loader import ITEMS, TalkingFaceDataset


def starts(dataset):
    return [dataset.window(i).start for i in range(len(dataset))]


@pytest.fixture
def own_results(results, tmp_path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(results, tmp_path / "results"))


def test_windows_side_by_side(results):
    dataset = TalkingFaceDataset(results, "train", ["pose"], n_frames=20, windows="all")
    assert [(dataset[i]["clip_id"][0], dataset[i]["start"]) for i in range(len(dataset))] == [
        ("a", 0), ("a", 20), ("a", 40), ("a", 0), ("b", 0), ("b", 20),
    ]  # fmt: skip
    dataset = TalkingFaceDataset(results, "train", ["pose"], n_frames=20, windows="all", stride=13)
    assert starts(dataset) == [0, 13, 26, 39, 0, 13, 0, 13, 26]
    assert dataset[-1]["start"] == 26
    for index in (9, -10):
        with pytest.raises(IndexError, match=rf"element {index} of 9"):
            dataset[index]


@pytest.mark.parametrize("index", [np.int64(1), np.uint8(1), np.array(1), -5])
def test_any_whole_number_is_an_index(results, index):
    dataset = TalkingFaceDataset(results, "train", ["pose"], n_frames=20, windows="all")
    assert dataset.window(index) == dataset.window(1)


@pytest.mark.parametrize("index", [1.5, "1", None, slice(2)])
def test_nothing_else_is_an_index(results, index):
    dataset = TalkingFaceDataset(results, "train", ["pose"], n_frames=20, windows="all")
    with pytest.raises(TypeError):
        dataset[index]


def test_a_folder_is_given_once(results, other_results, tmp_path):
    (tmp_path / "link").symlink_to(results)
    with pytest.raises(ValueError, match=f"given twice: {results} and {tmp_path}/link"):
        TalkingFaceDataset(
            [results, other_results, tmp_path / "link"], "train", ["pose"], n_frames=9
        )


def test_a_plain_loop_ends(results):
    dataset = TalkingFaceDataset(results, "eval", ["pose"], n_frames=20, windows="all")
    assert [sample["start"] for sample in dataset] == [0, 20]


def test_shorter_clips_are_left_out(results):
    dataset = TalkingFaceDataset(results, "train", ["pose"], n_frames=47)
    assert [dataset[i]["clip_id"] for i in range(len(dataset))] == [
        "a_000100_000160_00",
        "b_000000_000047_00",
    ]
    assert dataset[1]["start"] == 0


def test_random_windows_come_of_seed_and_epoch_alone(results, other_results):
    dataset = TalkingFaceDataset(results, "train", ["pose"], n_frames=5)
    first = starts(dataset)
    assert starts(dataset) == first, "an epoch has one window a clip"
    dataset.set_epoch(1)
    assert dataset.epoch == 1 and starts(dataset) != first
    dataset.set_epoch(0)
    assert starts(dataset) == first
    again = TalkingFaceDataset(results, "train", ["frames"], n_frames=5)
    assert starts(again) == first
    seeded = TalkingFaceDataset(results, "train", ["pose"], n_frames=5, seed=1)
    assert starts(seeded) != first
    # Other clips beside them, before and behind, move none.
    both = TalkingFaceDataset([other_results, results], "train", ["pose"], n_frames=5)
    assert starts(both)[-3:] == first and len(both) == 5
    some = TalkingFaceDataset(
        results, "train", ["pose"], n_frames=5, where=lambda row: row.identity == "bob"
    )
    assert starts(some) == first[2:]


def test_random_windows_are_everywhere_alike(other_results):
    """Chi-square over 296 starts in 20,000 epochs: mean 295, standard deviation 24."""
    dataset = TalkingFaceDataset(other_results, "train", ["pose"], n_frames=5)
    counts = Counter()
    for epoch in range(20_000):
        dataset.set_epoch(epoch)
        counts[dataset.window(0).start] += 1
    assert set(counts) == set(range(296))
    expected = 20_000 / 296
    assert sum((n - expected) ** 2 / expected for n in counts.values()) < 295 + 4 * 24


def test_several_folders(results, other_results):
    dataset = TalkingFaceDataset([results, str(other_results)], "train", ["mfcc"], n_frames=None)
    assert [dataset[i]["n_frames"] for i in range(5)] == [60, 33, 47, 300, 10]
    assert [dataset[i]["identity"] for i in range(5)] == ["ann", "ann", "bob", "dan", "dan"]
    assert dataset.window(4).results == other_results
    assert dataset[3]["mfcc"].shape == (1200, 39)


@pytest.mark.parametrize("number", [np.int64, np.uint8, np.int16])
def test_numbers_of_numpy_give_the_same_windows(results, number):
    plain = TalkingFaceDataset(results, "train", ["audio"], n_frames=5, seed=3)
    dataset = TalkingFaceDataset(results, "train", ["audio"], n_frames=number(5), seed=number(3))
    assert starts(dataset) == starts(plain)
    assert [digest(dataset[i]) for i in range(3)] == [digest(plain[i]) for i in range(3)]


def test_a_stride_of_few_bits_does_not_overflow(other_results):
    dataset = TalkingFaceDataset(
        other_results, "train", ["pose"], n_frames=5, windows="all", stride=np.int8(100)
    )
    assert starts(dataset) == [0, 100, 200, 0]


def test_any_order_gives_the_same(results):
    dataset = TalkingFaceDataset(results, "train", ["frames", "audio"], n_frames=5)
    inorder = [digest(dataset[i]) for i in range(3)]
    assert {i: digest(dataset[i]) for i in (2, 0, 1)} == dict(enumerate(inorder))
    assert len(set(inorder)) == 3


def test_a_copy_has_an_epoch_of_its_own(results):
    dataset = TalkingFaceDataset(results, "train", ["pose"], n_frames=5)
    dataset.set_epoch(3)
    for other in (pickle.loads(pickle.dumps(dataset)), copy.deepcopy(dataset)):
        assert other.epoch == 3 and starts(other) == starts(dataset)
        other.set_epoch(4)
        assert dataset.epoch == 3
    with pytest.raises(ValueError, match="epoch -1"):
        dataset.set_epoch(-1)


def _in_process(dataset, wanted, answers):
    for index in iter(wanted.get, None):
        answers.put((dataset.epoch, digest(dataset[index])))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_that_stay_learn_of_the_epoch(results, method):
    """Each reads the same as this one does, which has read before they were made."""
    dataset = TalkingFaceDataset(results, "train", ["frames", "audio", "mel"], n_frames=5)
    digest(dataset[0])
    context = multiprocessing.get_context(method)
    wanted, answers = context.Queue(), context.Queue()
    process = context.Process(target=_in_process, args=(dataset, wanted, answers))
    process.start()
    try:
        for epoch in (0, 5):
            dataset.set_epoch(epoch)
            for index in range(3):
                wanted.put(index)
                assert answers.get(timeout=60) == (epoch, digest(dataset[index]))
    finally:
        wanted.put(None)
        process.join(60)


def test_nothing_stays_open(own_results):
    dataset = TalkingFaceDataset(own_results, "train", [*ITEMS], n_frames=5)
    kept = [dataset[i % 3] for i in range(12)]
    opened = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    assert not [path for path in opened if path.startswith(str(own_results))]
    assert str(own_results) not in Path("/proc/self/maps").read_text()
    assert len(kept) == 12


def test_where_the_window_is_decoded_from(results, tmp_path):
    """A frame after a keyframe needs none before it: they may be damaged."""
    clips = [NumberedClip("a", 60)]
    folder = numbered_results(tmp_path / "results", clips, features=(), keyframe_interval=12)
    path = folder / f"clips/a/{clips[0].name}.mp4"
    content = bytearray(path.read_bytes())
    place = content.index(b"mdat")
    content[place + 4 : place + 700] = bytes(696)
    path.write_bytes(content)
    dataset = TalkingFaceDataset(folder, "train", ["frames"], n_frames=5, windows="all", stride=1)
    assert [read_number(picture) for picture in dataset[50]["frames"]] == list(range(50, 55))
    with pytest.raises(DamagedFile, match=re.escape(path.name)):
        dataset[0]


@pytest.mark.parametrize("item", ["mel", "hubert", "parsing", "depth", "torso", "background"])
def test_what_was_not_made_names_the_setting(other_results, item):
    message = rf"train.csv has no column {item}.*`features: \[.*{item}.*\]`"
    with pytest.raises(ValueError, match=message):
        TalkingFaceDataset(other_results, "train", ["pose", item], n_frames=5)


def test_one_of_several_folders_lacks_an_item(results, other_results):
    with pytest.raises(ValueError, match=str(other_results)):
        TalkingFaceDataset([results, other_results], "train", ["mel"], n_frames=5)


@pytest.mark.parametrize(
    ("item", "file"),
    [
        ("frames", "clips/{video}/{clip}.mp4"),
        ("audio", "clips/{video}/{clip}.wav"),
        ("landmarks", "landmarks/{video}/{clip}.npz"),
        ("mfcc", "mfcc/{video}/{clip}.npy"),
        ("boxes", "clips/{video}/{clip}.csv"),
        ("parsing", "parsing/{video}/{clip}/000003.png"),
        ("parsing", "parsing/{video}/{clip}"),
        ("depth", "depth/{video}/{clip}.json"),
        ("speech", "speech/{video}.csv"),
    ],
)
def test_a_file_that_is_gone_is_named(own_results, item, file):
    dataset = TalkingFaceDataset(own_results, "train", [item], n_frames=None)
    path = own_results / file.format(video="a", clip="a_000100_000160_00")
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    message = f"{re.escape(str(path))}.* is gone.*[Rr]un the workflow again"
    with pytest.raises(FileNotFoundError, match=message):
        dataset[0]


def test_a_folder_that_is_none(results, tmp_path):
    with pytest.raises(FileNotFoundError, match=f"give the folder {re.escape(str(results))}"):
        TalkingFaceDataset(results.parent, "train", ["pose"], n_frames=5)
    with pytest.raises(FileNotFoundError, match=f"give the folder {re.escape(str(results))}$"):
        TalkingFaceDataset(results / "dataset", "train", ["pose"], n_frames=5)
    with pytest.raises(FileNotFoundError, match=r"dataset/eval.csv is not there.*finished"):
        TalkingFaceDataset(tmp_path, "eval", ["pose"], n_frames=5)


def test_a_folder_of_another_version(own_results):
    path = own_results / "dataset/train.csv"
    path.write_text(path.read_text().replace("speech_share", "share_of_speech", 1))
    with pytest.raises(OtherColumns, match=r"it has share_of_speech.*install the version"):
        TalkingFaceDataset(own_results, "train", ["pose"], n_frames=5)


def test_a_side_without_clips(tmp_path):
    folder = numbered_results(tmp_path / "results", [NumberedClip("a", 10)], features=())
    with pytest.raises(ValueError, match=r"eval.csv: no clip is listed.*`split\.eval_fraction`"):
        TalkingFaceDataset(folder, "eval", ["audio"], n_frames=5)
    with pytest.raises(ValueError, match="no clip has 11 frames; the longest of 1 has 10"):
        TalkingFaceDataset(folder, "train", ["audio"], n_frames=11)
    with pytest.raises(ValueError, match="`where` is true of none of the 1 clips"):
        TalkingFaceDataset(folder, "train", ["audio"], n_frames=5, where=lambda row: False)


@pytest.mark.parametrize("where", [lambda row: row.identiti == "a", lambda row: row["identiti"]])
def test_a_column_that_is_not_there_is_named_with_those_that_are(results, where):
    with pytest.raises(ValueError, match=r"train.csv: `where` fails:.*identiti.*identity"):
        TalkingFaceDataset(results, "train", ["audio"], n_frames=5, where=where)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"items": ["Frames"]}, "unknown item 'Frames': choose from frames, audio"),
        ({"items": []}, "no item was asked for"),
        ({"side": "test"}, "side is 'test', not one of train, eval"),
        ({"windows": "some"}, "windows is 'some'"),
        ({"n_frames": 0}, "n_frames is 0"),
        ({"n_frames": 5.0}, "n_frames is 5.0: a whole number"),
        ({"n_frames": "5"}, "n_frames is '5': a whole number"),
        ({"stride": 0, "windows": "all"}, "stride is 0"),
        ({"stride": 2.5, "windows": "all"}, "stride is 2.5: a whole number"),
        ({"seed": 2.7}, "seed is 2.7: a whole number"),
        ({"stride": 5}, "a stride goes with windows='all'"),
        ({"results": []}, "no results folder"),
    ],
)
def test_arguments_that_make_no_sense(results, arguments, message):
    given = {"results": results, "side": "train", "items": ["pose"], "n_frames": 5} | arguments
    with pytest.raises(ValueError, match=re.escape(message)):
        TalkingFaceDataset(**given)


def test_names_are_text_whatever_they_look_like(tmp_path):
    clips = [NumberedClip("00012", 10, identity="NA"), NumberedClip("é", 10, identity="=1+1")]
    folder = numbered_results(tmp_path / "results", clips, features=())
    dataset = TalkingFaceDataset(folder, "train", ["audio"], n_frames=5)
    assert [dataset[i]["video_id"] for i in range(2)] == ["00012", "é"]
    assert [dataset[i]["identity"] for i in range(2)] == ["NA", "=1+1"]
    assert all(type(dataset[0][name]) is str for name in ("clip_id", "video_id", "identity"))
    assert np.issubdtype(type(dataset[0]["start"]), np.integer) or dataset[0]["start"] >= 0
