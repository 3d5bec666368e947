"""Finished sweeps that wait to be recorded: while the database is away, sweeping goes on.

They are recorded in their order, under their own ticks. What waits is bounded; the oldest gives way
to the newest, and the log says so.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from app.database import DATABASE_AWAY, in_short
from app.evidence.recording import FinishedSweep
from app.evidence.store import Stored

log = structlog.get_logger()
KEPT_SWEEPS = 60
"""An hour of sweeps at the default interval."""
RETRY_S = 1.0
TRIES = 3
"""Of a sweep that the database refuses; then it makes way for those behind it."""


class Backlog:
    """The sweeps of one collector that are finished and not yet recorded."""

    def __init__(
        self, record: Callable[[FinishedSweep], Stored], kept_sweeps: int = KEPT_SWEEPS
    ) -> None:
        self._record = record
        self._kept_sweeps = kept_sweeps
        self._waiting: deque[FinishedSweep] = deque()
        self._added = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._refusals = 0
        self._told_waiting = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, sweep: FinishedSweep) -> None:
        """Take a finished sweep; the oldest is lost where too many wait."""
        if len(self._waiting) >= self._kept_sweeps:
            lost = self._waiting.popleft()
            log.error("sweep lost", tick=lost.tick, kept=self._kept_sweeps)
        self._waiting.append(sweep)
        self._added.set()

    async def keep_recording(self) -> None:
        """Record what is added, until cancelled."""
        while True:
            self._added.clear()
            await self.record_all()
            if self._waiting:
                await asyncio.sleep(RETRY_S)
            else:
                await self._added.wait()

    async def record_all(self) -> None:
        """Record what waits, the oldest first; stops where the database is away."""
        async with self._one_at_a_time:
            while self._waiting:
                sweep = self._waiting[0]
                try:
                    await asyncio.to_thread(self._record, sweep)
                except DATABASE_AWAY as error:
                    self._tell(in_short(error))
                    return
                except Exception:
                    log.exception("sweep refused", tick=sweep.tick)
                    self._refusals += 1
                    if self._refusals < TRIES:
                        return
                self._done(sweep)

    def _tell(self, reason: str) -> None:
        """Say how many wait, once for each that is added."""
        if len(self) != self._told_waiting:
            self._told_waiting = len(self)
            log.warning("sweeps wait for the database", waiting=len(self), reason=reason)

    def _done(self, sweep: FinishedSweep) -> None:
        self._refusals = self._told_waiting = 0
        if self._waiting and self._waiting[0] is sweep:  # else it was dropped in the meantime
            self._waiting.popleft()
