from __future__ import annotations

from typing import Any

import pytest

from talkingface.dataset.split import (
    SplitError,
    assign_splits,
    same_recordings,
    split_groups,
    split_side,
)


def row(video_id: str, source: str = "", identity: Any = "", split: Any = "") -> dict[str, Any]:
    return {
        "video_id": video_id,
        "source": source or f"https://example.org/{video_id}",
        "identity": identity,
        "split": split,
    }


def test_side_is_the_hash_of_seed_and_group() -> None:
    # printf '0\nalice' | sha256sum: 2aaec7c8e5a1..., as a fraction of 2^48 0.16673.
    assert split_side("alice", 0.1667, 0) == "train"
    assert split_side("alice", 0.1668, 0) == "eval"


def test_fraction_of_groups() -> None:
    for fraction in (0.1, 0.5):
        count = sum(split_side(f"video {i}", fraction, 0) == "eval" for i in range(4000))
        # Four standard deviations of a fair draw.
        assert abs(count - 4000 * fraction) < 4 * (4000 * fraction * (1 - fraction)) ** 0.5


def test_ends_of_the_fraction() -> None:
    assert {split_side(str(i), 0, 0) for i in range(500)} == {"train"}
    assert {split_side(str(i), 1, 0) for i in range(500)} == {"eval"}
    for fraction in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="eval_fraction"):
            split_side("a", fraction, 0)


def test_a_larger_fraction_only_adds_to_eval() -> None:
    groups = [str(i) for i in range(500)]
    small = {g for g in groups if split_side(g, 0.1, 0) == "eval"}
    large = {g for g in groups if split_side(g, 0.2, 0) == "eval"}
    assert small < large


def test_another_seed_is_another_split() -> None:
    groups = [str(i) for i in range(500)]
    a, b = ([split_side(g, 0.5, seed) for g in groups] for seed in (0, 1))
    assert 150 < sum(x == y for x, y in zip(a, b, strict=True)) < 350


def test_sides_survive_adding_removing_and_reordering() -> None:
    videos = [row(f"v{i:03d}", identity=f"person {i % 200}" if i % 2 else "") for i in range(500)]
    sides = assign_splits(videos, 0.2, 0)
    assert set(sides.values()) == {"train", "eval"}
    assert assign_splits(videos[::-1], 0.2, 0) == sides
    fewer = assign_splits(videos[::3], 0.2, 0)
    assert fewer == {video: sides[video] for video in fewer}
    more = assign_splits([row(f"new {i}", identity=f"new {i}") for i in range(99)] + videos, 0.2, 0)
    assert {video: more[video] for video in sides} == sides


def test_an_identity_is_on_one_side() -> None:
    videos = [row(f"v{i}", identity=f"person {i % 50}") for i in range(500)]
    sides = assign_splits(videos, 0.3, 0)
    for person in range(50):
        assert len({sides[f"v{i}"] for i in range(person, 500, 50)}) == 1
    assert set(sides.values()) == {"train", "eval"}


def test_the_group_is_the_identity_or_else_the_video() -> None:
    videos = [row("a", "s1", "alice"), row("b", "s2"), row("c", "s3", None)]
    videos.append(row("d", "s4", float("nan")))
    assert split_groups(videos) == {"a": "alice", "b": "b", "c": "c", "d": "d"}


def test_one_source_under_two_names_is_one_group() -> None:
    videos = [row("a", "same.mp4"), row("b", "./same.mp4"), row("c", "other.mp4")]
    assert split_groups(videos) == {"a": "a", "b": "a", "c": "c"}


def test_groups_join_through_a_third_video() -> None:
    # The film s is listed for both persons, and once without one.
    videos = [
        row("a", "s1", "zoe"),
        row("b", "s", "zoe"),
        row("c", "s", "bob"),
        row("d", "s2", "bob"),
        row("e", "s"),
    ]
    assert set(split_groups(videos).values()) == {"bob"}
    assert split_groups(videos[::-1]) == split_groups(videos)


def test_a_pin_moves_the_whole_identity() -> None:
    for side in ("train", "eval"):
        videos = [row("a", identity="alice"), row("b", identity="alice", split=side), row("c")]
        sides = assign_splits(videos, 0.5, 0)
        assert (sides["a"], sides["b"]) == (side, side)
        assert sides["c"] == split_side("c", 0.5, 0)


def test_a_pin_without_identity_moves_that_row() -> None:
    pinned = assign_splits([row("a", split="eval"), row("b", split="train")], 0.0, 0)
    assert pinned == {"a": "eval", "b": "train"}


@pytest.mark.parametrize(
    "videos",
    [
        [row("a", "s1", "alice", "train"), row("x"), row("b", "s2", "alice", "eval")],
        [row("a", "same", "", "train"), row("b", "same", "", "eval")],
    ],
    ids=["identity", "source"],
)
def test_contrary_pins_name_both_rows(videos: list[dict[str, Any]]) -> None:
    with pytest.raises(SplitError, match=r"'a' pins train and video 'b' pins eval"):
        assign_splits(videos, 0.5, 0)


def test_refuses_lists() -> None:
    with pytest.raises(SplitError, match="'test'"):
        assign_splits([row("a", split="test")], 0.5, 0)
    with pytest.raises(ValueError, match="twice"):
        split_groups([row("a"), row("a")])
    with pytest.raises(ValueError, match="no source"):
        split_groups([{"video_id": "a", "source": "", "identity": ""}])


def test_the_addresses_of_one_youtube_video_are_one_source() -> None:
    addresses = [
        "https://www.youtube.com/watch?v=abcdefghi-_",
        "https://youtu.be/abcdefghi-_?t=10",
        "https://youtu.be/abcdefghi-_?si=AbC&list=x",
        "https://m.youtube.com/watch?t=3&v=abcdefghi-_&list=x",
        "http://music.youtube.com/watch?list=x&v=abcdefghi-_#now",
        "https://WWW.YouTube.com/watch?v=abcdefghi-_&pp=x",
        "https://youtube.com/watch/?v=abcdefghi-_",
        "https://www.youtube.com/shorts/abcdefghi-_?feature=share",
        "https://www.youtube.com/live/abcdefghi-_",
        "https://www.youtube.com/embed/abcdefghi-_?start=3",
        "https://www.youtube-nocookie.com/embed/abcdefghi-_",
        "https://www.youtube.com/v/abcdefghi-_",
        "www.youtube.com/watch?v=abcdefghi-_",
        "youtube.com/watch?v=abcdefghi-_",
        "youtu.be/abcdefghi-_",
        "youtube:abcdefghi-_",
    ]
    others = [
        "https://www.youtube.com/watch?v=ABCDEFGHI-_",
        "https://www.youtube.com/watch?v=abcdefghi-_x",
        "https://www.youtube.com/playlist?list=abcdefghi-_",
        "https://notyoutube.com/watch?v=abcdefghi-_",
        "https://example.org/?u=https://youtu.be/abcdefghi-_",
    ]
    groups = split_groups([row(f"v{i:02}", url) for i, url in enumerate(addresses + others)])
    assert list(groups.values()) == ["v00"] * len(addresses) + [f"v{i:02}" for i in range(16, 21)]


def test_what_of_an_address_does_not_count() -> None:
    one = ["https://example.org/A?b=C", "HTTPS://Example.ORG:443/A?b=C#t=10"]
    others = ["https://example.org/a?b=C", "https://example.org/A?b=c", "https://example.org:80/A"]
    groups = split_groups([row(f"v{i}", url) for i, url in enumerate(one + others)])
    assert list(groups.values()) == ["v0", "v0", "v2", "v3", "v4"]


def test_files_join_groups() -> None:
    videos = [row("a", "s1", "zoe"), row("b", "s2"), row("c", "s3"), row("d", "s4")]
    files = {"a": "1", "b": "1", "c": "2"}
    assert split_groups(videos, files) == {"a": "zoe", "b": "zoe", "c": "c", "d": "d"}
    assert same_recordings(videos, files) == [["a", "b"]]
    # An identity alone is many recordings.
    twice = [row("a", "s1", "zoe"), row("b", "s2", "zoe"), row("c", "./s1")]
    assert same_recordings(twice, {}) == [["a", "c"]]
