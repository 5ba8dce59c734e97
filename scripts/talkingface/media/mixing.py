"""Sound of several channels as one, in which a voice is as loud as it is in the file."""

from __future__ import annotations

from functools import cache

import av
import numpy as np

# Weight in the sum of the channels by libav's names. Left and right share what is between them. A
# voice in the centre is as loud as in the file: ITU-R BS.775 takes it by 3 dB less, but into each
# of two loudspeakers. What comes from the sides and behind is 3 dB less in each of the two there.
_WEIGHTS = dict.fromkeys(("FL", "FR", "FLC", "FRC", "DL", "DR"), 0.5)
_WEIGHTS |= {"FC": 1.0, "LFE": 0.0, "LFE2": 0.0}
_AROUND = 0.5 * 0.5**0.5
# Channels of which a file says how many there are and no more, as players take them.
_USUAL = {
    2: ("FL", "FR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
# Left and right with a correlation below this have something in opposite phase that would be lost
# in their sum; in the sound of rooms and in music it is rarely below 0.
OPPOSITE = -0.4


class Levels:
    """What is measured of the channels of a whole file, and how they are best made one."""

    def __init__(self) -> None:
        self._left = self._right = self._product = 0.0
        self._peak = 0.0

    def add(self, samples: np.ndarray, mono: np.ndarray) -> None:
        """Take in (channels, n) float32 samples, and the (n,) that were made of them."""
        if len(samples) == 2:
            left, right = samples
            self._left += float(left @ left)
            self._right += float(right @ right)
            self._product += float(left @ right)
        elif len(samples) > 2 and mono.size:
            self._peak = max(self._peak, float(np.abs(mono).max()))

    @property
    def channel(self) -> int | None:
        """The channel of two that is to be heard alone, the louder one, where the two cancel each
        other; None where they do not."""
        if self._product < OPPOSITE * (self._left * self._right) ** 0.5:
            return int(self._right > self._left)
        return None

    @property
    def gain(self) -> float:
        """Factor that keeps the sum of all channels from clipping, 1 where nothing clips."""
        return min(1.0, 1.0 / self._peak) if self._peak else 1.0


def mono(
    samples: np.ndarray, layout: av.AudioLayout, channel: int | None, gain: float
) -> np.ndarray:
    """(channels, n) float32 samples of a layout as (n,), by a file's `Levels`."""
    if len(samples) == 1:
        return samples[0]
    if len(samples) == 2 and channel is not None:
        return samples[channel]
    weights = _weights(tuple(one.name for one in layout.channels))
    return (weights * np.float32(gain if len(samples) > 2 else 1)) @ samples


@cache
def _weights(names: tuple[str, ...]) -> np.ndarray:
    """(channels,) float32 weights of channels with these names in the sum."""
    if "NONE" in names:  # Nobody says where they stand.
        names = _USUAL.get(len(names), names)
    if not _WEIGHTS.keys() & set(names):
        return np.full(len(names), 1 / len(names), np.float32)
    return np.array([_WEIGHTS.get(name, _AROUND) for name in names], np.float32)
