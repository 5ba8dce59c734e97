"""Whether the files of a video are as they were written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.finished_results import finish_dataset, finish_video, halve, one_file
from talkingface.job.checksums import checksummed, take_checksum
from talkingface.monitor.check import Checked, Fault, check_others, check_video
from talkingface.report.files import DATA_FILES, PAGE_FILES
from talkingface.stages import STAGES

CLIP = "v_000000_000004_00"
OUTPUTS = [
    one_file(path).format(video="v", clip=CLIP)
    for stage in STAGES.values()
    for path in (*stage.video_files, *stage.clip_files)
    if path != "raw/{video}.media"
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of which all checksums are noted, and a copy without any beside them."""
    folder = tmp_path_factory.mktemp("check")
    finish_video(folder / "results", "v")
    finish_dataset(folder / "results")
    shutil.copytree(folder / "results", folder / "old", symlinks=True)
    for checked in (
        check_video(folder / "results", "v", record=True),
        check_others(folder / "results", record=True),
    ):
        assert checked.faults == []
    return folder


@pytest.fixture
def results(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made / "results", tmp_path / "results", symlinks=True)


@pytest.fixture
def old(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made / "old", tmp_path / "old", symlinks=True)


def faults(results: Path, **options: bool) -> list[Fault]:
    return check_video(results, "v", **options).faults


@pytest.mark.parametrize("decode", [False, True])
def test_whole_files_have_no_faults(results: Path, old: Path, decode: bool) -> None:
    for folder, unknown in ((results, False), (old, True)):
        checked = check_video(folder, "v", decode=decode)
        files = sum(
            len(list((folder / p).parent.iterdir())) if "/000003" in p else 1 for p in OUTPUTS
        )
        assert checked == Checked([], files, files if unknown else 0, 1)


@pytest.mark.parametrize("path", OUTPUTS)
def test_half_a_file_is_found_with_and_without_checksums(
    results: Path, old: Path, path: str
) -> None:
    size = (results / path).stat().st_size
    halve(results / path)
    assert faults(results) == [Fault(path, f"{size // 2} bytes, {size} were written")]
    halve(old / path)
    # A list of clips that is cut names fewer of them, so it comes first.
    assert path in [fault.path for fault in faults(old)]


@pytest.mark.parametrize("path", OUTPUTS)
def test_one_wrong_byte_is_found(results: Path, path: str) -> None:
    content = bytearray((results / path).read_bytes())
    content[len(content) // 2] ^= 1
    (results / path).write_bytes(content)
    assert faults(results) == [Fault(path, "its checksum is another than when it was written")]


@pytest.mark.parametrize("path", OUTPUTS)
def test_a_missing_file_is_found_but_for_those_that_may_be_deleted(
    results: Path, old: Path, path: str
) -> None:
    expected = [] if path.startswith("proxy/") else [Fault(path, "missing", missing=True)]
    (results / path).unlink()
    assert faults(results) == expected
    if CLIP in path:
        (old / path).unlink()
        assert faults(old) == expected


def test_a_missing_folder_is_told_once(results: Path) -> None:
    shutil.rmtree(results / "parsing/v" / CLIP)
    assert faults(results) == [Fault(f"parsing/v/{CLIP}", "missing", missing=True)]
    shutil.rmtree(results / "parsing/v")
    assert faults(results) == [Fault("parsing/v", "missing", missing=True)]


def test_a_feature_that_was_given_up_is_not_missed(results: Path) -> None:
    shutil.rmtree(results / "mel")
    shutil.rmtree(results / "proxy")
    assert faults(results) == []


def test_links_are_not_followed(results: Path, tmp_path: Path) -> None:
    (results / "pose").rename(tmp_path / "elsewhere")
    (results / "pose").symlink_to(tmp_path / "elsewhere")
    (results / "scenes/v.csv").unlink()
    (results / "scenes/v.csv").symlink_to(tmp_path / "nowhere")
    halve(tmp_path / f"elsewhere/v/{CLIP}.npy")
    checked = check_video(results, "v")
    assert checked.faults == [] and checked.links > 1


def test_a_results_folder_may_be_a_link(results: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(results)
    halve(results / "scenes/v.csv")
    assert [fault.path for fault in faults(tmp_path / "link")] == ["scenes/v.csv"]


def test_a_download_is_checked_against_its_record(results: Path) -> None:
    raw = results / "raw/v.media"
    raw.unlink()
    raw.write_bytes(b"22 bytes of other kind")
    shutil.rmtree(results / "checksums/videos")
    words = "its checksum is another than when it was downloaded"
    assert faults(results) == [Fault("raw/v.media", words)]
    halve(raw)
    assert faults(results) == [Fault("raw/v.media", "11 bytes, 22 were downloaded")]
    for record in ("{}", '{"provenance": 3}'):
        (results / "videos/v.json").write_text(record)
        assert faults(results) == []


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("", "it has no header"),
        ("path,size,crc32\npose/v.csv,1,0\n../../etc/passwd,1,0\n", "it names files of others"),
        ("path,size,crc32\npose/v/../../clips/v.csv,1,0\n", "it names files of others"),
        ("path,size,crc32\nclips/v.csv,1,00000000\n", "it names files of others"),
    ],
)
def test_checksums_that_are_damaged_are_told_and_not_believed(
    results: Path, text: str, how: str
) -> None:
    (results / "checksums/pose/v.csv").write_text(text)
    checked = check_video(results, "v")
    assert checked.faults == [Fault("checksums/pose/v.csv", how)]
    assert checked.unknown == 3


@pytest.mark.parametrize(
    ("name", "wrong"),
    [(f"{CLIP}.mp4", f"{CLIP}.lp4"), (CLIP, "v_000000_000005_00"), ("/v/", "/v/deep/")],
)
def test_a_wrong_name_in_checksums_is_no_file_that_a_run_could_make(
    results: Path, name: str, wrong: str
) -> None:
    table = results / "checksums/clips/v.csv"
    table.write_text(table.read_text().replace(name, wrong, 1))
    told = [fault.path for fault in faults(results)]
    assert told == ["checksums/clips/v.csv"]
    # Without them the files are looked into.
    halve(results / f"clips/v/{CLIP}.wav")
    assert f"clips/v/{CLIP}.wav" in [fault.path for fault in faults(results)]


@pytest.mark.parametrize("stage", ["landmarks", "parsing"])
def test_a_table_that_names_what_is_no_clip_is_damaged(old: Path, stage: str) -> None:
    table = old / f"{stage}/v.csv"
    table.write_text(table.read_text().replace(CLIP, "w_000000_000004_00"))
    for record in (False, True):
        assert [fault.path for fault in faults(old, record=record)] == [f"{stage}/v.csv"]
    assert not (old / f"checksums/{stage}").exists()


def test_pictures_of_another_format_that_are_missing_are_no_damage_of_the_checksums(
    results: Path,
) -> None:
    folder, table = results / "frames/v" / CLIP, results / "checksums/frames/v.csv"
    for path in folder.glob("*.png"):
        path.rename(path.with_suffix(".jpg"))
    table.write_text(table.read_text().replace(".png", ".jpg"))
    assert faults(results) == []
    shutil.rmtree(folder)
    assert faults(results) == [Fault(f"frames/v/{CLIP}", "missing", missing=True)]


def test_checksums_are_noted_only_of_what_is_whole(old: Path) -> None:
    halve(old / f"mfcc/v/{CLIP}.npy")
    check_video(old, "v", record=True)
    noted = {path.parent.name for path in (old / "checksums").rglob("*.csv")}
    assert noted == {stage.folder or stage.name for stage in STAGES.values()} - {"mfcc"}
    text = (old / "checksums/scenes/v.csv").read_text()
    size, crc = take_checksum(old / "scenes/v.csv")
    assert text == f"path,size,crc32\nscenes/v.csv,{size},{crc:08x}\n"


def test_the_dataset_and_the_models_are_checked(results: Path, old: Path) -> None:
    for folder in (results, old):
        (folder / "models").mkdir()
        (folder / "models/a.1@b.json").write_text('{"model": ')
        halve(folder / "dataset/train.csv")
        (folder / "dataset/eval.csv").unlink()
        found = {(fault.path, fault.missing) for fault in check_others(folder).faults}
        assert found >= {("models/a.1@b.json", False), ("dataset/eval.csv", True)}
    assert "dataset/train.csv" in {fault.path for fault in check_others(results).faults}


def test_a_video_whose_copy_could_not_be_made_has_empty_files(old: Path) -> None:
    for suffix in ("mp4", "wav"):
        (old / f"proxy/v.{suffix}").write_bytes(b"")
    assert len(faults(old)) == 2
    record = (old / "proxy/v.json").read_text()
    (old / "proxy/v.json").write_text(record.replace('"ok"', '"no_audio"'))
    assert faults(old, decode=True) == []


def test_a_damaged_card_is_found_and_one_that_is_not_there_is_not_missed(results: Path) -> None:
    assert check_others(results).faults == []
    for name in ("settings.json", "README.md"):
        (results / "dataset" / name).write_text('{"a": 1}\n')
    assert check_others(results, record=True).faults == []
    halve(results / "dataset/README.md")
    (fault,) = check_others(results).faults
    assert fault == Fault("dataset/README.md", "4 bytes, 9 were written")
    (results / "dataset/README.md").unlink()
    assert check_others(results).faults == [Fault("dataset/README.md", "missing", True)]


def test_pictures_of_what_was_rejected_are_checked_where_there_were_some(
    results: Path, old: Path
) -> None:
    """Its table names what is no clip; of what the small copy was needed for, nothing is missed
    where that was gone."""
    name, without = "v_000100_000200_01", "v_000200_000300_01"
    for folder in (results, old):
        table = folder / "preview/v.csv"
        lines = table.read_text().splitlines()
        cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
        rejected = cells | {"clip_id": name, "pictures": "10", "cause_frame": "150"}
        lines.append(",".join(rejected.values()))
        lines.append(",".join((rejected | {"clip_id": without, "pictures": "0"}).values()))
        table.write_text("\n".join([*lines, ""]))
        for clip in (name, without):
            shutil.copy(folder / f"preview/v/{CLIP}.js", folder / f"preview/v/{clip}.js")
        for suffix in (".jpg", ".why.jpg"):
            shutil.copy(folder / f"preview/v/{CLIP}.jpg", folder / f"preview/v/{name}{suffix}")
    (results / "checksums/preview/v.csv").unlink()
    for folder in (results, old):
        assert faults(folder, record=True) == []
        (folder / f"preview/v/{name}.why.jpg").unlink()
        gone = f"preview/v/{name}.why.jpg"
        assert faults(folder) == [Fault(gone, "missing", missing=True)]


def test_a_report_is_checked_and_one_that_is_not_there_is_not_missed(results: Path) -> None:
    assert check_others(results).faults == []
    outputs = [results / "report"]
    with checksummed(outputs, results / "report/index.html"):
        for name in (*PAGE_FILES, *DATA_FILES):
            path = results / "report" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"what is in {name}")
    assert (results / "checksums/report/index.csv").exists()
    assert check_others(results, decode=True).faults == []
    halve(results / "report/data/run.js")
    (results / "report/page.css").unlink()
    found = {(fault.path, fault.missing) for fault in check_others(results).faults}
    assert found == {("report/data/run.js", False), ("report/page.css", True)}
