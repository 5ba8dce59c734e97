from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from talkingface.report import times
from talkingface.report.times import Lengths, stage_times

# As Snakemake 9 writes it.
HEADER = (
    "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\tcpu_usage"
)


def note(
    results: Path,
    name: str,
    seconds: Any,
    memory: Any = "NA",
    cpu: Any = "NA",
    header: str = HEADER,
) -> None:
    """The record of a job: one line."""
    line = f"{seconds}\t0:00:01\t{memory}\t1.0\t1.0\t1.0\t0.0\t0.0\t50.0\t{cpu}\t55.0\n"
    write(results, name, f"{header}\n{line}")


def write(results: Path, name: str, text: str) -> None:
    path = results / f"benchmarks/{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def lengths(*videos: str) -> dict[str, Lengths]:
    """Every video has 1000 frames, 600 of them in candidates and 250 in clips."""
    return dict.fromkeys(videos, Lengths(1000, 600, 250))


def test_a_stage_took_what_its_jobs_took(tmp_path: Path) -> None:
    note(tmp_path, "tracks/a", 10.5, 200.0, 15)
    note(tmp_path, "tracks/b", 4.0, 320.5, 5)
    note(tmp_path, "tracks/c", 5.5, 120.0, 2.5)
    assert stage_times(tmp_path, lengths("a", "b", "c")) == [
        {
            "stage": "tracks", "jobs": 3, "sampled": 3, "seconds": 20.0, "cpu_seconds": 22.5,
            "median_rss_mb": 200.0, "max_rss_mb": 320.5, "frames": 3000,
        }
    ]  # fmt: skip


def test_stages_stand_in_their_order_and_go_through_their_own_frames(tmp_path: Path) -> None:
    folders = ["preview", "quality", "sync", "clips", "download", "wav2lip"]
    for name in [*(f"{folder}/a" for folder in folders), "dataset", "exports/wav2lip", "card"]:
        note(tmp_path, name, 2)
    rows = stage_times(tmp_path, lengths("a"))
    assert [(row["stage"], row["frames"]) for row in rows] == [
        ("download", 1000), ("sync", 1000), ("clips", 250), ("quality", 250), ("preview", 600),
        ("wav2lip", 250), ("dataset", 0), ("card", 0), ("export_wav2lip", 0),
    ]  # fmt: skip


def test_what_was_measured_too_rarely_is_not_measured(tmp_path: Path) -> None:
    """Of a job below a second Snakemake has seen next to nothing; its time is right."""
    note(tmp_path, "pose/a", 0.4, 0.23, 0.0)
    (row,) = stage_times(tmp_path, lengths("a"))
    assert row["seconds"] == 0.4
    assert (row["cpu_seconds"], row["median_rss_mb"], row["max_rss_mb"]) == (None, None, None)
    note(tmp_path, "pose/b", 3.5, 100.0, 1.75)
    (row,) = stage_times(tmp_path, lengths("a", "b"))
    assert row["seconds"] == 3.9
    assert (row["cpu_seconds"], row["max_rss_mb"]) == (pytest.approx(1.95), 100.0)


@pytest.mark.parametrize(
    ("seconds", "looked"),
    [(1.0, 1.0), (1.4, 1.0), (14.9, 14.5), (15, 15), (44.9, 15), (45, 45), (74.9, 45), (75, 75)],
)
def test_processor_time_is_that_of_the_whole_job(
    tmp_path: Path, seconds: float, looked: float
) -> None:
    """Snakemake notes what it was when it last looked: at 0, 0.5, 1 ... 15, 45, 75 ... seconds.
    Two processors are at work here all the time."""
    note(tmp_path, "tracks/a", seconds, 100, 2 * looked)
    (row,) = stage_times(tmp_path, lengths("a"))
    assert row["cpu_seconds"] == pytest.approx(2 * seconds)


def test_of_many_records_some_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From all over the list, and the others are taken to be like them."""
    monkeypatch.setattr(times, "SAMPLE", 4)
    videos = [f"v{number:02d}" for number in range(10)]
    for number, video in enumerate(videos):
        note(tmp_path, f"sync/{video}", 100 + number)
    (row,) = stage_times(tmp_path, lengths(*videos))
    assert (row["jobs"], row["sampled"]) == (10, 4)
    assert row["seconds"] == pytest.approx((100 + 103 + 106 + 109) * 10 / 4)
    assert row["frames"] == 10_000


@pytest.mark.parametrize("count", [1, 499, 500, 501, 999, 1001, 20_000])
def test_a_sample_is_never_larger_nor_much_smaller(count: int) -> None:
    picked = times.sample([str(number) for number in range(count)])
    assert len(picked) <= 500 and len(picked) >= min(count, 250)


def test_other_videos_do_not_count(tmp_path: Path) -> None:
    note(tmp_path, "sync/gone", 5)
    assert stage_times(tmp_path, lengths("a")) == []
    note(tmp_path, "sync/a", 7)
    assert [row["seconds"] for row in stage_times(tmp_path, lengths("a"))] == [7]


def test_the_last_of_several_lines_counts(tmp_path: Path) -> None:
    """Snakemake writes one for every repetition."""
    line = "{}\t0:00:02\t{}\t1\t1\t1\t0\t0\t1\t{}\t1\n"
    write(tmp_path, "mel/a", HEADER + "\n" + line.format(9, 5, 5) + line.format(2, 50, 1.5))
    (row,) = stage_times(tmp_path, lengths("a"))
    assert (row["seconds"], row["max_rss_mb"], row["cpu_seconds"]) == (2, 50, 1.5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        HEADER,
        f"{HEADER}\n",
        f"{HEADER}\n5.0\t0:00:05\n",
        f"{HEADER}\n{'x' * 20}\n",
        f"{HEADER}\nNA\t" + "\t".join(["NA"] * 10) + "\n",
        f"{HEADER}\nnan\t" + "\t".join(["1"] * 10) + "\n",
        f"{HEADER}\ninf\t" + "\t".join(["1"] * 10) + "\n",
        f"{HEADER}\n-1\t" + "\t".join(["1"] * 10) + "\n",
        "max_rss\n5\n",
        "\x00\x01\x02",
    ],
)
def test_a_damaged_record_is_passed_over(tmp_path: Path, text: str) -> None:
    note(tmp_path, "tracks/a", 6.0, 10, 3)
    write(tmp_path, "tracks/b", text)
    write(tmp_path, "dataset", text)
    (row,) = stage_times(tmp_path, lengths("a", "b"))
    assert (row["jobs"], row["sampled"], row["seconds"]) == (2, 1, 12.0)


def test_what_is_no_record_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks/tracks"
    (folder / "a.tsv").mkdir(parents=True)
    (folder / "b.tsv").write_bytes(b"\xff\xfe\x00")
    (folder / "c.tsv").symlink_to("nowhere")
    (tmp_path / "benchmarks/sync").write_text("no folder")
    assert stage_times(tmp_path, lengths("a", "b", "c")) == []


def test_columns_may_stand_elsewhere_or_lack(tmp_path: Path) -> None:
    """Earlier versions of Snakemake had no processor time."""
    write(tmp_path, "tracks/a", "h:m:s\tmax_rss\ts\n0:00:04\t77.5\t4.5\n")
    (row,) = stage_times(tmp_path, lengths("a"))
    assert (row["seconds"], row["max_rss_mb"], row["cpu_seconds"]) == (4.5, 77.5, None)


def test_without_records_there_is_nothing(tmp_path: Path) -> None:
    assert stage_times(tmp_path, lengths("a")) == []
