"""A source taken out of a workspace: whose it is, all that is of it, and nothing else."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.finished_workspace import EXPORT, add_video, finish, note, record_path
from helpers.paths import SCRIPTS
from helpers.tables import read_frame
from talkingface.monitor.takedown import rebuild, takedown, traces
from talkingface.monitor.takedown.lookup import (
    NoSuchVideo,
    find_videos,
    known_videos,
    source_spellings,
)
from talkingface.monitor.takedown.takedown import run_takedown
from talkingface.monitor.verify import verify
from talkingface.settings.videos import read_videos, without_rows

# Their names begin alike, one is that of a clip's beginning, and one that of a stage.
VIDEOS = ("talk1", "talk10", "talk1_000000", "clips")
OTHERS = VIDEOS[1:]
# The video and its clips; `talk10`, `talk1_000000` and their clips are others.
TALK1 = re.compile(rb"(?<!\w)talk1(?=_\d{6}_\d{6}_\d\d(?!\d)|[^\w-]|$)", re.ASCII)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of VIDEOS, each of two clips, as a run leaves it."""
    root = tmp_path_factory.mktemp("takedown") / "workspace"
    rows = []
    for number, video in enumerate(VIDEOS):
        add_video(root, video, clips=2, source=f"{video}.mp4")
        identity = "somebody" if number < 2 else ""
        rows.append({"video_id": video, "source": f"{video}.mp4", "identity": identity})
    rows[0]["identity"] = "the one"
    finish(root, rows)
    results = root / "results"
    for path in (
        "raw/talk1.media.part", "raw/talk1.en.vtt", "raw/talk1.info.json", "raw/talk10.en.vtt",
        "clips/.partial-talk1/x.mp4", "raw/.fetch-talk1.media/part", "raw/.fetch-talk10.media/part",
        "exports/.partial-x/talk1.mp4", "dataset/.partial-clips.csv", "report/data/videos.js",
        "report/index.html", ".partial-report/index.html", "checksums/report/index.csv",
    ):  # fmt: skip
        (results / path).parent.mkdir(parents=True, exist_ok=True)
        (results / path).write_text("of it" if "talk10" in path else "of talk1")
    inputs = [f"results/finished/{video}" for video in VIDEOS]
    for output in ("clips.csv", "summary.json"):
        note(root, f"results/dataset/{output}", inputs, [repr(rows), "{'seed': 0}", "3"])
    note(root, "results/dataset/README.md", ["results/dataset/clips.csv"], ["{}"])
    note(root, f"results/exports/{EXPORT}", ["results/dataset/clips.csv"], [f"'{EXPORT}'"])
    previews = [f"results/preview/{video}.csv" for video in VIDEOS]
    note(root, "results/report", ["results/dataset/clips.csv", *previews], [repr(rows)])
    for video in VIDEOS:
        for output in (f"clips/{video}", f"clips/{video}.csv", f"sync/{video}.frames.csv"):
            note(root, f"results/{output}", [f"results/raw/{video}.media"], [f"'{video}.mp4'"])
    record_path(root, "results/mel/talk1", "incomplete").parent.mkdir()
    record_path(root, "results/mel/talk1", "incomplete").write_text("{}")
    logs = root / ".snakemake/log"
    logs.mkdir()
    (logs / "one.snakemake.log").write_text("wildcards: video=talk1\n")
    (logs / "two.snakemake.log").write_text("wildcards: video=talk10\n")
    slurm = root / ".snakemake/slurm_logs/rule_clips/talk1/7.log"
    slurm.parent.mkdir(parents=True)
    slurm.write_text("")
    (results / "logs/dataset.log").write_text("2 videos are one recording: talk1, x\n")
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change, with the sources as they were."""
    root = Path(shutil.copytree(finished, tmp_path / "workspace", symlinks=True))
    return root


def command(root: Path, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(SCRIPTS / "takedown.py"), str(root), *words]
    return subprocess.run(script, capture_output=True, text=True, cwd=cwd)


def contents(root: Path) -> dict[str, str]:
    """Every file and link by its path, with a checksum of what is in it."""
    return {
        str(path.relative_to(root)): os.readlink(path)
        if path.is_symlink()
        else hashlib.md5(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def left_of_talk1(root: Path) -> list[str]:
    """Paths and files in which it or a clip of it is named."""
    return [
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path != root / "talk1.mp4"  # The user's own source.
        if TALK1.search(bytes(path.relative_to(root)))
        or (path.is_file() and not path.is_symlink() and TALK1.search(path.read_bytes()))
    ]


def test_nothing_is_left_of_it_and_the_others_are_whole(root: Path) -> None:
    before = contents(root)
    assert len(left_of_talk1(root)) > 100
    done = command(root, "talk1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "talk1 (talk1.mp4): named\n" in done.stdout
    assert f"{root}/videos.csv: 1 rows removed\n" in done.stdout
    assert "results/dataset/clips.csv: 2 rows removed\n" in done.stdout
    assert f"results/exports/{EXPORT}: built anew, 6 clips\n" in done.stdout
    assert "results/report: deleted whole, the next run makes it again\n" in done.stdout
    assert f"not touched, as it is yours: {root}/talk1.mp4\n" in done.stdout
    assert left_of_talk1(root) == []
    assert (root / "talk1.mp4").exists()
    # Of all others nothing is gone but what a killed run left, and the logs that named it.
    after = contents(root)
    gone = {path for path in before.keys() - after if not TALK1.search(path.encode())}
    metadata = {path for path in gone if path.startswith(".snakemake/metadata/")}
    assert len(metadata) == 4
    report = {"report/data/videos.js", "report/index.html", "checksums/report/index.csv"}
    assert gone - metadata == {f"results/{path}" for path in report} | {
        "results/.partial-report/index.html",
        ".snakemake/incomplete/" + record_path(root, "results/mel/talk1").name,
        ".snakemake/log/one.snakemake.log",
        "results/logs/dataset.log",
        "results/dataset/.partial-clips.csv",
    }
    # And nothing is changed but what is of all videos.
    changed = {path for path in after.keys() & before if after[path] != before[path]}
    of_all = ("results/dataset/", "results/exports/", "results/checksums/dataset/", "videos.csv")
    records = {
        record_path(root, f"results/dataset/{n}").name for n in ("clips.csv", "summary.json")
    }
    records |= {record_path(root, "results/dataset/README.md").name}
    records |= {record_path(root, f"results/exports/{EXPORT}").name}
    assert {p for p in changed if not p.startswith(of_all)} <= {
        f".snakemake/metadata/{name}" for name in records
    }
    assert not (root / ".snakemake/slurm_logs/rule_clips").exists()


def test_the_dataset_is_what_a_run_would_make_of_the_rest(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_takedown(root, ["talk1"])
    dataset = root / "results/dataset"
    names = ("clips.csv", "train.csv", "eval.csv", "rejected.csv", "summary.json", "README.md")
    cleaned = {name: (dataset / name).read_bytes() for name in names}
    assert set(read_frame(dataset / "clips.csv").video_id) == set(OTHERS)
    monkeypatch.chdir(root)
    finish(root, read_videos("videos.csv"))
    assert {name: (dataset / name).read_bytes() for name in names} == cleaned


def test_what_is_left_is_not_damaged(root: Path) -> None:
    shutil.rmtree(root / "results/dataset")
    finish(root, read_videos(root / "videos.csv"))
    run_takedown(root, ["talk1"])
    faults = [fault for checked in verify(root / "results") for fault in checked.faults]
    of_dataset = [fault for fault in faults if fault.path.startswith("dataset")]
    assert of_dataset == []


def test_snakemake_forgets_it_and_makes_the_dataset_again(root: Path) -> None:
    run_takedown(root, ["talk1"])
    for output in ("clips.csv", "summary.json"):
        record = json.loads(record_path(root, f"results/dataset/{output}").read_text())
        assert record["params"] == []
        assert record["input"] == [f"results/finished/{video}" for video in OTHERS]
        assert set(record["input_checksums"]) == set(record["input"])
    # The name of a video is no folder's: `clips` is another video, and clips.csv no file of it.
    card = json.loads(record_path(root, "results/dataset/README.md").read_text())
    assert card["input"] == ["results/dataset/clips.csv"] and card["params"] == ["{}"]
    assert not record_path(root, "results/report").exists()
    assert not record_path(root, "results/clips/talk1").exists()
    assert not record_path(root, "results/sync/talk1.frames.csv").exists()
    assert not record_path(root, "results/mel/talk1", "incomplete").exists()
    for video in OTHERS:
        assert record_path(root, f"results/clips/{video}").exists()


def test_a_video_called_like_a_stage_goes_alone(root: Path) -> None:
    before = contents(root)
    run_takedown(root, ["clips"])
    after = contents(root)
    gone = before.keys() - after
    assert {"results/finished/clips", "results/raw/clips.media", "results/clips/clips.csv"} <= gone
    # Leftovers, and a log of a run in whose name is the word.
    assert {path for path in gone if "talk1" in path} == {
        "results/exports/.partial-x/talk1.mp4",
        ".snakemake/slurm_logs/rule_clips/talk1/7.log",
    }
    assert {f"results/clips/{video}.csv" for video in VIDEOS[:3]} <= set(after)
    assert {"results/dataset/clips.csv", "results/logs/clips/talk1.log"} <= set(after)
    card = json.loads(record_path(root, "results/dataset/README.md").read_text())
    assert card["input"] == ["results/dataset/clips.csv"]


def test_a_dry_run_only_says_it(root: Path) -> None:
    before = contents(root)
    done = command(root, "--dry-run", "talk1.mp4", cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    assert "talk1 (talk1.mp4): from talk1.mp4\nwould be removed:\n" in done.stdout
    assert "  results/clips/talk1: 6 files, " in done.stdout
    assert "  results/dataset/clips.csv: 2 rows\n" in done.stdout
    assert f"  results/exports/{EXPORT}: would be built anew\n" in done.stdout
    assert "talk10" not in done.stdout and "talk1_" not in done.stdout
    assert contents(root) == before


@pytest.mark.parametrize("moment", ["traces", "dataset", "exports", "logs"])
def test_a_second_call_finishes_what_was_killed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    straight = Path(shutil.copytree(root, tmp_path / "straight/workspace", symlinks=True))
    run_takedown(straight, ["talk1"])
    with monkeypatch.context() as patch:
        if moment == "traces":  # After ten files.
            count = iter(range(10))
            patch.setattr(takedown, "delete", lambda path: (next(count), traces.delete(path)))
        elif moment == "dataset":
            patch.setattr(takedown, "clean_dataset", kill)
        elif moment == "exports":
            patch.setattr(rebuild, "make_export", kill)
        else:
            patch.setattr(takedown, "drop_records", kill)
        with pytest.raises((KeyboardInterrupt, StopIteration)):
            run_takedown(root, ["talk1"])
    assert "talk1," not in (root / "videos.csv").read_text()
    assert run_takedown(root, ["talk1"]) is None
    same = {path: text for path, text in contents(straight).items() if "exports" not in path}
    assert {p: text for p, text in contents(root).items() if "exports" not in p} == same
    assert [path for path in contents(root / "results/exports") if "talk1_0000" in path] == [
        path for path in contents(straight / "results/exports") if "talk1_0000" in path
    ]
    # It is done: there is nothing of it to name.
    assert "no video has this name" in str(run_takedown(root, ["talk1"]))


def kill(*args: object, **settings: object) -> None:
    raise KeyboardInterrupt


def test_a_call_that_was_killed_is_finished_by_any_other(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(takedown, "clean_dataset", kill)
        with pytest.raises(KeyboardInterrupt):
            run_takedown(root, [], identity="the one")
    assert run_takedown(root, []) is None
    assert "talk1" not in set(read_frame(root / "results/dataset/clips.csv").video_id)
    assert "name a video" in str(run_takedown(root, []))


def test_a_workspace_at_work_is_refused(root: Path) -> None:
    lock = root / ".snakemake/locks/0.input.lock"
    lock.parent.mkdir()
    lock.write_text("")
    before = contents(root)
    done = command(root, "talk1")
    assert done.returncode == 1 and f"{root} is locked" in done.stderr
    assert contents(root) == before
    assert command(root, "--dry-run", "talk1").returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["talk"], "'talk': no video has this name"),
        (["talk1", "https://example.org/x"], "'https://example.org/x': no video has this name"),
        (["--identity", "nobody"], "identity 'nobody': no video has it"),
        (["--videos", "none.csv", "talk1"], "none.csv: no such file"),
        ([], "name a video, a source or, with --identity, who speaks"),
    ],
)
def test_what_is_nobody_s_is_refused(root: Path, words: list[str], said: str) -> None:
    before = contents(root)
    done = command(root, *words)
    assert done.returncode == 1 and said in done.stderr
    assert contents(root) == before


def test_a_source_within_the_results_is_never_deleted(root: Path) -> None:
    own = root / "results/clips/talk1/own.mp4"
    own.write_bytes(b"own")
    with (root / "videos.csv").open("a") as file:
        file.write(f"mine,{own},,\n")
    before = contents(root)
    assert f"{own}, from which a video comes, lies in" in str(run_takedown(root, ["talk1"]))
    assert contents(root) == before


def test_an_export_that_has_the_last_of_a_file_is_not_built_anew(root: Path) -> None:
    shutil.rmtree(root / "results/clips/talk10")
    before = contents(root)
    said = str(run_takedown(root, ["talk1"]))
    assert "results/clips/talk10" in said and "is gone, of which results/exports/" in said
    assert contents(root) == before
    shutil.rmtree(root / "results/exports" / EXPORT)
    assert run_takedown(root, ["talk1"]) is None


def test_what_cannot_be_made_anew_is_deleted_whole(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = root / "results"
    (results / "exports" / EXPORT / "export.json").write_text("{")
    (results / "dataset/rejected.csv").write_text("clip_id\n")
    (results / "exports/own").mkdir()
    run_takedown(root, ["talk1"])
    said = capsys.readouterr().out
    for path in ("dataset/rejected.csv", "dataset/summary.json", f"exports/{EXPORT}"):
        assert not (results / path).exists()
        assert f"results/{path}: deleted whole, the next run makes it again (" in said
    assert "left, as it is no export: results/exports/own\n" in said


def test_a_link_to_a_folder_is_removed_and_what_it_leads_to_is_said(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "disk"
    shutil.move(root / "results/depth/talk1", elsewhere)
    (root / "results/depth/talk1").symlink_to(elsewhere)
    run_takedown(root, ["talk1"])
    assert not os.path.lexists(root / "results/depth/talk1") and elsewhere.is_dir()
    assert f"left, as results/depth/talk1 is a link to it: {elsewhere}" in capsys.readouterr().out


def test_a_list_without_results_loses_its_row(tmp_path: Path) -> None:
    (tmp_path / "videos.csv").write_text("video_id,source\na,https://x.org/a\nb,https://x.org/b\n")
    assert run_takedown(tmp_path, ["https://x.org/b#t=3"]) is None
    assert (tmp_path / "videos.csv").read_text() == "video_id,source\na,https://x.org/a\n"


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (b"video_id,source\r\na,x\r\nb,y\r\n", b"video_id,source\r\nb,y\r\n"),
        (
            b'\xef\xbb\xbfsource,video_id\nx,"a"\n"y ""z""", b \n',
            b'\xef\xbb\xbfsource,video_id\n"y ""z""", b \n',
        ),
        (b"video_id,source\n\nb,y\na,x", b"video_id,source\n\nb,y\n"),
        (b"video_id,source\rb,y\ra,x\rc,z", b"video_id,source\rb,y\rc,z"),
        (
            b'identity,video_id,source\n"two\nlines",a,x\n"a,b",ab,y\n',
            b'identity,video_id,source\n"a,b",ab,y\n',
        ),
        ("video_id,source\n a ,x\nä,y\n".encode(), "video_id,source\nä,y\n".encode()),
        (b"video_id,source\nb,y\n", b"video_id,source\nb,y\n"),
    ],
)  # fmt: skip
def test_the_rest_of_the_list_stays_byte_for_byte(given: bytes, left: bytes) -> None:
    assert without_rows(given, ["a"]) == left


DECIDED = (
    b"\xef\xbb\xbfclip_id,decision,note\r\n"
    b'talk10_000000_000002_00,keep,"a, b"\r\n'
    b"talk1_000000_000002_00,reject,x\r\n"
    b"talk1_000000_000000_000002_00,,'=1"
)


def test_decisions_about_its_clips_go_too(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decisions = root / "decisions.csv"
    decisions.write_bytes(DECIDED)
    decisions.chmod(0o640)
    left = DECIDED.replace(b"talk1_000000_000002_00,reject,x\r\n", b"")
    assert run_takedown(root, ["talk1"], dry_run=True) is None
    assert f"  {decisions}: 1 rows\n" in capsys.readouterr().out
    assert decisions.read_bytes() == DECIDED
    elsewhere = shutil.copy(decisions, root / "others.csv")
    before = contents(root)
    assert "no such file" in str(run_takedown(root, ["talk1"], decisions=root / "nowhere.csv"))
    decisions.write_text("clip_id,decision\ntalk1,keep\n")
    assert f"{decisions}:\n  line 2: clip_id" in str(run_takedown(root, ["talk1"]))
    decisions.write_bytes(DECIDED)
    assert contents(root) == before
    capsys.readouterr()
    assert run_takedown(root, ["talk1"]) is None
    assert f"{decisions}: 1 rows removed\n" in capsys.readouterr().out
    assert decisions.read_bytes() == left and decisions.stat().st_mode & 0o777 == 0o640
    assert Path(elsewhere).read_bytes() == DECIDED
    assert run_takedown(root, ["talk10"], decisions=elsewhere) is None
    assert Path(elsewhere).read_bytes() == DECIDED.replace(
        b'talk10_000000_000002_00,keep,"a, b"\r\n', b""
    )
    assert decisions.read_bytes() == left


def listed(*rows: tuple[str, str, str]) -> list[dict[str, str]]:
    return [dict(zip(("video_id", "source", "identity"), row, strict=True)) for row in rows]


def record(sha256: str = "", **provenance: str) -> dict[str, object]:
    source = provenance.pop("source", None)
    return {"status": "ok", "source": source, "provenance": {"sha256": sha256, **provenance}}


ROWS = listed(
    ("one", "/v/one.mp4", "ann"),
    ("again", "/v/copy of one.mp4", ""),
    ("tube", "https://youtu.be/abcdefghijk", "ben"),
    ("tube2", "https://www.youtube.com/watch?v=abcdefghijk&t=3", ""),
    ("page", "https://example.org/p", "ben"),
)
RECORDS = {
    "one": record("11"),
    "again": record("11"),
    "page": record("33", webpage_url="https://example.org/real/p"),
    "old": record("44", source="/v/old.mp4"),
}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("one", {"one": "named", "again": "the same recording as one"}),
        ("/v/../v/one.mp4", {"one": "from /v/../v/one.mp4", "again": "the same recording as one"}),
        ("youtube:abcdefghijk", dict.fromkeys(("tube", "tube2"), "from youtube:abcdefghijk")),
        ("https://example.org/real/p", {"page": "from https://example.org/real/p"}),
        # It is in no list any more.
        ("/v/old.mp4", {"old": "from /v/old.mp4"}),
    ],
)
def test_a_reference_means_videos_and_all_that_are_the_same(
    word: str, meant: dict[str, str]
) -> None:
    videos = known_videos(ROWS, RECORDS)
    assert find_videos(videos, {word: source_spellings(word)}, None) == meant


def test_an_identity_means_its_videos_and_all_that_are_the_same() -> None:
    assert find_videos(known_videos(ROWS, RECORDS), {}, "ben") == {
        "tube": "identity ben",
        "page": "identity ben",
        "tube2": "the same recording as tube",
    }


def test_whose_videos_are_that_left_the_list_is_not_known(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their results are still there, and nothing says who speaks in them."""
    path = root / "videos.csv"
    path.write_bytes(without_rows(path.read_bytes(), {"talk10"}))
    said = "not in the list, so who speaks is not known"
    assert run_takedown(root, ["clips"], dry_run=True) is None
    assert said not in capsys.readouterr().out
    assert run_takedown(root, [], identity="the one") is None
    (line,) = [line for line in capsys.readouterr().out.splitlines() if said in line]
    assert line.endswith(": talk10")
    assert (root / "results/clips/talk10").is_dir()


def test_a_word_that_could_be_two_is_refused(tmp_path: Path) -> None:
    videos = known_videos(listed(("a", "b", ""), ("b", "c", "")), {})
    with pytest.raises(NoSuchVideo, match=r"'b' is the name of a video and the source of 'a'"):
        find_videos(videos, {"b": source_spellings("b")}, None)
    assert list(find_videos(videos, {"./b": source_spellings("./b")}, None)) == ["a"]


def test_a_copy_of_the_file_means_the_video(tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(b"of it")
    sha256 = hashlib.sha256(b"of it").hexdigest()
    videos = known_videos(listed(("a", "https://x.org", "")), {"a": record(sha256)})
    found = find_videos(videos, {str(copy): source_spellings(str(copy))}, None)
    assert list(found) == ["a"] and found["a"].startswith("the same file as ")


def test_rows_that_stay_are_written_as_they_were(root: Path) -> None:
    path = root / "results/dataset/clips.csv"
    before = path.read_text().splitlines(keepends=True)
    run_takedown(root, ["talk1"])
    place = next(csv.reader(io.StringIO(before[0]))).index("video_id")
    assert path.read_text().splitlines(keepends=True) == [
        line for line in before if line.split(",")[place] != "talk1"
    ]
