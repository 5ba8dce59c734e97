"""What a run is about to do."""

from talkingface.monitor.plan import BY_HAND, INCOMPLETE, describe_plan

ORDER = ["download", "proxy", "clips", "dataset"]
NEW = "output files have to be generated"
CHANGED = "params have changed since last execution"
NEWER = "updated input files"
AFTER = "input files updated by another job"


def test_causes_come_first_and_what_follows_is_counted() -> None:
    jobs = [
        ("dataset", [AFTER]),
        ("clips", [AFTER]),
        ("clips", [AFTER]),
        ("proxy", [CHANGED]),
        ("proxy", [CHANGED, AFTER]),
    ]
    assert describe_plan(jobs, ORDER) == (
        "to do: proxy (2 settings or version changed); then clips (2), dataset (1)"
    )


def test_reasons_of_one_rule_are_told_apart() -> None:
    jobs = [("download", [NEW]), ("download", [NEW]), ("download", ["incomplete output files"])]
    assert describe_plan(jobs, ORDER) == ("to do: download (2 not there yet, 1 interrupted before)")


def test_a_new_video_s_later_jobs_are_not_there_yet_either() -> None:
    jobs = [("proxy", [NEW, AFTER]), ("download", [NEW])]
    assert describe_plan(jobs, ORDER) == (
        "to do: download (1 not there yet), proxy (1 not there yet)"
    )


def test_what_is_not_there_is_not_called_outdated() -> None:
    """The file of a new video may be newer than what others have."""
    assert describe_plan([("download", [NEWER, NEW])], ORDER) == "to do: download (1 not there yet)"


def test_what_only_follows_stands_alone() -> None:
    assert describe_plan([("dataset", [AFTER])], ORDER) == "to do: dataset (1)"


def test_what_lacks_files_is_told_apart_from_what_was_forced() -> None:
    jobs = [("clips", [reason]) for reason in (INCOMPLETE, "forced", BY_HAND)]
    assert describe_plan([*jobs, ("dataset", [AFTER])], ORDER) == (
        "to do: clips (1 with files gone, 1 forced, 1 decided by hand); then dataset (1)"
    )
