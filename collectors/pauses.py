"""Did this process run? A task that ticks, and notes when it could not.

Time is CLOCK_BOOTTIME: unlike the monotonic clock it goes on while the machine is suspended.
"""

import asyncio
import time
from collections.abc import Callable

from collectors.outage import Span

_TICKS_PER_LIMIT = 8
_NOTED_SHARE = 1 / 4


def boottime() -> float:
    """Seconds since the machine started, suspension included; no setting of the clock moves it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class PauseWatch:
    """Notes when the event loop did not run: stopped, starved in slices, suspended.

    A stretch is spoilt where more than `limit_s` seconds of it were lost. Whoever calls `now` first
    after a pause notes it: nothing depends on the order in which the loop wakes its tasks.
    """

    def __init__(self, limit_s: float, clock: Callable[[], float] = boottime) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._seen = clock()
        self._gaps: list[Span] = []

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(self._limit_s / _TICKS_PER_LIMIT)
            self.now()

    def now(self) -> float:
        """The present instant, at which this process runs."""
        now = self._clock()
        if now - self._seen > self._limit_s * _NOTED_SHARE:
            self._gaps.append(Span(self._seen, now))
        self._seen = now
        return now

    def spoilt(self, start: float) -> bool:
        """Whether too much of the time since `start` was lost."""
        lost = 0.0
        self.now()
        for gap in reversed(self._gaps):
            if gap.end <= start:
                break
            lost += gap.end - max(gap.start, start)
        return lost > self._limit_s

    @property
    def pauses(self) -> list[Span]:
        """The single pauses longer than the limit."""
        return [gap for gap in self._gaps if gap.end - gap.start > self._limit_s]
