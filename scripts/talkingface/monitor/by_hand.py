"""What a person decided about clips, compared with the ledgers there are, before a run plans its
jobs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from talkingface.clips.verdict import BY_HAND, KEPT
from talkingface.grid import video_of_clip
from talkingface.job.files import DamagedFile
from talkingface.job.tables import OtherColumns, read_rows
from talkingface.settings.decisions import KEEP, Decision
from talkingface.stages import STAGES

_UNREADABLE = (DamagedFile, OtherColumns, OSError)


def kept_by_video(decisions: Mapping[str, Decision]) -> dict[str, set[str]]:
    """The clips that are to be kept, by their videos."""
    found: dict[str, set[str]] = {}
    for clip_id, (decision, _) in decisions.items():
        if decision == KEEP:
            found.setdefault(video_of_clip(clip_id), set()).add(clip_id)
    return found


def contradicts(ledger: str | Path, keep: Collection[str]) -> bool:
    """Whether a video's ledger has to be judged again for its clips to `keep`: it rejects one of
    them, or keeps by hand another.

    One that is not there is made anyway, and one that is damaged is for its readers to say.
    """
    try:
        content = Path(ledger).read_bytes()
        # Most videos are nobody's case, and there may be 10,000.
        if not keep and BY_HAND[1].encode() not in content:
            return False
        for clip_id, verdict, *given in read_rows(
            ledger, ("clip_id", "verdict", "stage", "reason")
        ):
            if clip_id in keep:
                if verdict != KEPT.verdict:
                    return True
            elif tuple(given) == BY_HAND:
                return True
    except _UNREADABLE:
        pass
    return False


def find_unknown(decided: Iterable[str], results: str | Path, videos: Collection[str]) -> list[str]:
    """The clips that somebody decided about and that there are not, in their order: of no video
    that is listed, or in its ledger no longer. Of a video without a ledger nothing is known yet."""
    of_video: dict[str, dict[str, None]] = {}
    for clip_id in decided:
        of_video.setdefault(video_of_clip(clip_id), {})[clip_id] = None
    unknown: list[str] = []
    for video, clip_ids in of_video.items():
        if video in videos:
            path = Path(results, STAGES["segments"].manifest.format(video=video))
            try:
                for (clip_id,) in read_rows(path, ("clip_id",)):
                    clip_ids.pop(clip_id, None)
            except _UNREADABLE:
                continue
        unknown += clip_ids
    return unknown
