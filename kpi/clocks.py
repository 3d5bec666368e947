"""Whose clock is wrong, the cameras' or ours? Pure arithmetic over the offsets they told."""

from collections.abc import Collection
from statistics import median
from typing import NamedTuple

FEWEST = 3
"""Fewer clocks than this say nothing about ours."""


class CommonOffset(NamedTuple):
    """`alike` of the `told` clocks are off by about `offset_s` seconds (their clock minus ours)."""

    offset_s: float
    alike: int
    told: int

    def shares(self, offset_s: float, tolerance_s: float) -> bool:
        """Whether a clock is off like most."""
        return abs(offset_s - self.offset_s) <= tolerance_s


def common_offset(offsets: Collection[float], tolerance_s: float) -> CommonOffset | None:
    """The offset that more than half of the clocks share, where it is beyond the tolerance.

    Then our own clock is the suspect: None where most are right by it, or off each in its own way.
    The offset is the median; a clock shares it that lies within `tolerance_s` seconds of it.
    """
    if len(offsets) < FEWEST:
        return None
    middle = median(offsets)
    alike = sum(abs(offset - middle) <= tolerance_s for offset in offsets)
    if abs(middle) <= tolerance_s or 2 * alike <= len(offsets):
        return None
    return CommonOffset(middle, alike, len(offsets))
