"""Some frames of a film that this workflow wrote, without decoding the rest of it.

A training environment reads clips by this module: it needs PyAV and numpy, and nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise, takewhile
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from talkingface.grid import FPS
from talkingface.job.files import DamagedFile, damage_in
from talkingface.media.decoding import NoVideo, open_video
from talkingface.media.errors import UnreadableMedia, refuse_errors_of_machine

# Seeking goes by decoding times in some containers and versions of libav, which are up to x264's
# largest reordering, in frames, before the times of presentation.
_REORDERING = 16


def window_frames(path: str | Path, start: int, stop: int, *, threads: int = 1) -> np.ndarray:
    """Frames `start` to `stop` (exclusive) of a clip, (n, H, W, 3) uint8 RGB.

    Colours are those that `media.video` gives, by the file's tags. Decoding begins at the keyframe
    before `start` and leaves out what no other frame is predicted from. threads: of the decoder; 1
    is best where several processes read.
    Raises DamagedFile where the file is no film, a frame is missing or cannot be decoded, and
    ValueError where start < stop does not hold.
    """
    if not 0 <= start < stop:
        raise ValueError(f"frames {start} to {stop} are no window")
    with _damage(path):
        container, stream = open_video(path, threads=threads)
        with container:
            pictures: np.ndarray | None = None
            scaler, wanted = VideoReformatter(), start
            for k, frame in _frames_from(container, stream, start):
                if k != wanted or frame.is_corrupt:
                    break
                # Given a format, a frame would set up a scaler of its own.
                picture = scaler.reformat(frame, format="rgb24").to_ndarray()
                if pictures is None:
                    pictures = np.empty((stop - start, *picture.shape), np.uint8)
                pictures[k - start] = picture
                wanted += 1
                if wanted == stop:
                    return pictures
    raise DamagedFile(path, f"its frame {wanted} cannot be decoded")


def picked_frames(
    path: str | Path,
    wanted: Sequence[int],
    *,
    size: tuple[int, int] | None = None,
    threads: int = 1,
) -> Iterator[tuple[int, np.ndarray]]:
    """The frames `wanted`, rising numbers, of a film of ours, each with its number, as (H, W, 3)
    uint8 BGR, in one pass through the file.

    Nothing is decoded between keyframes where no frame is wanted, nor after the last one that is.
    No more is held than what is encoded between two keyframes. size: width and height to which
    frames are scaled; their own where it is None. threads: of the decoder.
    Raises DamagedFile where the file is no film, a frame is missing or cannot be decoded, and
    ValueError where the numbers do not rise.
    """
    left = deque(wanted)
    if any(later <= earlier for earlier, later in pairwise(wanted)):
        raise ValueError("the numbers of frames do not rise")
    with _damage(path):
        container, stream = open_video(path, threads=threads)
        with container:
            number, scaler = _numbering(stream), VideoReformatter()
            width, height = size or (None, None)
            for group in _groups(container, stream):
                last = max(map(number, group))
                inside = list(takewhile(lambda k: k <= last, left))
                for k, frame in _decoded(stream, group, number, inside):
                    if k != left[0] or frame.is_corrupt:
                        break
                    left.popleft()
                    # Given a format, a frame would set up a scaler of its own.
                    image = scaler.reformat(frame, width, height, "bgr24", interpolation="AREA")
                    yield k, image.to_ndarray()
                if not left or left[0] <= last:
                    break
    if left:
        raise DamagedFile(path, f"its frame {left[0]} cannot be decoded")


def _groups(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[list[av.Packet]]:
    """The packets of a stream in groups that begin with a keyframe: each is decoded by itself, as
    no film of ours has frames that are predicted across a keyframe."""
    group: list[av.Packet] = []
    for packet in container.demux(stream):
        if packet.is_keyframe and group:
            yield group
            group = []
        if packet.pts is not None:  # The last one, which is empty, has none.
            group.append(packet)
    if group:
        yield group


def _decoded(
    stream: av.VideoStream,
    group: Sequence[av.Packet],
    number: Callable[[av.Packet | av.VideoFrame], int],
    inside: Collection[int],
) -> Iterator[tuple[int, av.VideoFrame]]:
    """The frames `inside` a group of packets, with their numbers."""
    context, left = stream.codec_context, set(inside)
    context.flush_buffers()
    for packet in (*group, None):
        if not left:
            return
        skips = packet is not None and number(packet) not in left
        context.skip_frame = "NONREF" if skips else "DEFAULT"
        for frame in context.decode(packet):
            if number(frame) in left:
                left.remove(number(frame))
                yield number(frame), frame


def _numbering(stream: av.VideoStream) -> Callable[[av.Packet | av.VideoFrame], int]:
    """What gives the number of a frame, or of the frame of a packet."""
    ticks, origin = _ticks(stream), stream.start_time or 0
    return lambda shown: (shown.pts - origin) // ticks


def _ticks(stream: av.VideoStream) -> int:
    """Ticks of a stream's clock from one frame to the next."""
    ticks = int(1 / (FPS * stream.time_base)) if stream.time_base else 0
    if ticks < 1:
        raise ValueError(f"its clock has {stream.time_base} s a tick")
    return ticks


def _frames_from(
    container: av.container.InputContainer, stream: av.VideoStream, start: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Frames from number `start` on, with their numbers."""
    ticks, origin = _ticks(stream), stream.start_time or 0
    wanted = origin + start * ticks
    for target in (start, start - _REORDERING, 0):
        if start:
            container.seek(origin + max(0, target) * ticks, stream=stream, backward=True)
        began = False
        for packet in container.demux(stream):
            if not began and packet.pts is not None and packet.pts > wanted and target > 0:
                break  # The keyframe is behind what is wanted.
            began = True
            early = packet.pts is not None and packet.pts < wanted
            stream.codec_context.skip_frame = "NONREF" if early else "DEFAULT"
            for frame in packet.decode():
                k = (frame.pts - origin) // ticks
                if k >= start:
                    yield k, frame
        if began:
            return


@contextmanager
def _damage(path: str | Path) -> Iterator[None]:
    """libav's errors of a film of ours mean that it was damaged, but for those of this machine."""
    with damage_in(path, UnreadableMedia, NoVideo, ValueError):
        try:
            yield
        except av.FFmpegError as error:
            refuse_errors_of_machine(error)
            raise DamagedFile(path, error.strerror or type(error).__name__) from error
