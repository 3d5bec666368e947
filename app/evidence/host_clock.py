"""The host's own clock, against one that nobody sets."""

import time
from collections.abc import Callable
from typing import NamedTuple

from app.evidence.judging import HostFact
from app.evidence.tables import HostEventKind
from collectors.pauses import boottime


class Clocks(NamedTuple):
    """`wall` tells UTC seconds and may be set; `steady` only ever goes on, suspended or not."""

    wall: Callable[[], float]
    steady: Callable[[], float]


SYSTEM_CLOCKS = Clocks(time.time, boottime)


class ClockWatch:
    """Tells by how much the wall clock was set; asked often, it takes no slewing for a jump."""

    def __init__(self, clocks: Clocks = SYSTEM_CLOCKS) -> None:
        self._clocks = clocks
        self._difference = clocks.wall() - clocks.steady()

    def jumped(self) -> float:
        """Seconds that the wall clock was moved since this was last asked; ahead is positive."""
        before, self._difference = self._difference, self._clocks.wall() - self._clocks.steady()
        return self._difference - before


def jump_fact(now: float, seconds: float) -> HostFact:
    """That the clock was set to `now` (UTC seconds)."""
    detail = f"the host's clock was set {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'back'}"
    return HostFact(HostEventKind.CLOCK_JUMP, int(now), int(now), seconds, detail)
