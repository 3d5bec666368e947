"""One sweep of the fleet, from the register to the record.

1. The slot: its tick is the start of the slot that the sweep begins in.
2. The targets: the devices in service on that day; those of the last sweep where the database is
   away, so that the sweep is not (see `app.evidence.backlog`).
3. The sweep, spread over the first half of the slot, over before the slot is.
4. The judgement: what the sweep is worth, and what it tells of this host (`app.evidence.judging`).
5. The record, in one transaction.
"""

import asyncio
from dataclasses import dataclass

import structlog

from app.config import Settings
from app.database import DATABASE_AWAY, Database
from app.evidence.host_clock import SYSTEM_CLOCKS, Clocks, jump_fact
from app.evidence.host_log import note_fact
from app.evidence.judging import judge
from app.evidence.queries import has_sweep
from app.evidence.recording import FinishedSweep, Recorder
from app.evidence.store import Stored, slot_length
from app.fleet.roster import roster
from app.fleet.targets import sweep_targets
from collectors.canary import canary
from collectors.plan import phases
from collectors.probe import Probers, Target
from collectors.sweep import SweepOptions, SweepResult, sweep
from kpi.calendar import floor_to_slot, local_day

log = structlog.get_logger()
SLOT_SHARE = 0.97
"""Part of a slot that its sweep may take."""
REGISTER_WITHIN_S = 5.0
"""How long a sweep waits for the register; a tenth of the slot where that is less."""


@dataclass(frozen=True, slots=True)
class _Fleet:
    """Whom to ask, and the cohort of every device in service (by its id)."""

    interval_s: int
    targets: list[Target]
    members: dict[int, int]


class Collecting:
    """Sweeps with one set of probers, which remember what worked with each camera."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        probers: Probers,
        clocks: Clocks = SYSTEM_CLOCKS,
    ) -> None:
        self._database = database
        self._settings = settings
        self._probers = probers
        self._wall = clocks.wall
        self._swept_until = 0
        self._recorder = Recorder(database, settings)
        self._last: _Fleet | None = None
        self._options = SweepOptions(
            timeout_s=settings.attempt_timeout,
            concurrency=settings.probe_concurrency,
            canaries=tuple(map(canary, settings.canaries)),
        )

    def interval_at(self, instant: float) -> int:
        """Slot length of the local day, in seconds: a new one takes effect at midnight."""
        day = local_day(int(instant), self._settings.zone)
        with self._database.read() as session:
            return slot_length(session, day, self._settings.poll_interval)

    async def sweep_slot(self) -> FinishedSweep | None:
        """Sweep the present slot; None where too little of it is left.

        The rooms are spread over its first half; a sweep that begins later (the collector has just
        started) asks them all at once.
        """
        now = self._wall()
        fleet = await self._registered(now)
        interval_s, targets = fleet.interval_s, fleet.targets
        tick = _begun_slot(now, interval_s)
        left_s = tick + interval_s * SLOT_SHARE - self._wall()
        if left_s < 2 * self._options.timeout_s or await asyncio.to_thread(self._comes_again, tick):
            return None
        spread_s = interval_s / 2 if left_s > interval_s / 2 + 2 * self._options.timeout_s else 0
        result = await sweep(
            targets,
            self._probers,
            self._options,
            phase=phases((target.group for target in targets), spread_s),
            ends_in_s=left_s,
        )
        return self._finished(tick, interval_s, result, fleet.members)

    async def _registered(self, now: float) -> _Fleet:
        """What the register says of the slot under way, or what it said last."""
        limit_s = min(REGISTER_WITHIN_S, self._settings.poll_interval / 10)
        try:
            async with asyncio.timeout(limit_s if self._last else None):
                self._last = await asyncio.to_thread(self._read_register, now)
        except (*DATABASE_AWAY, TimeoutError):
            if self._last is None:
                raise
            log.warning("register out of reach: the devices of the last sweep are asked")
        return self._last

    def _read_register(self, now: float) -> _Fleet:
        interval_s = self.interval_at(now)
        targets, members = self._fleet(_begun_slot(now, interval_s), None)
        return _Fleet(interval_s, targets, members)

    def record(self, finished: FinishedSweep) -> Stored:
        """Store a sweep."""
        return self._recorder.record(finished)

    def note_jump(self, seconds: float) -> None:
        """Record that the wall clock was set; `seconds` ahead, or back where negative."""
        now = self._wall()
        self._swept_until = int(now - seconds) if seconds < 0 else 0
        with self._database.write() as session:
            note_fact(session, jump_fact(now, seconds))

    def _comes_again(self, tick: int) -> bool:
        """Whether a slot was swept before the clock was set back: what it lacks stays unknown."""
        if tick > self._swept_until:
            return False
        with self._database.read() as session:
            return has_sweep(session, tick)

    async def sweep_once(self, room: str | None, *, keep: bool) -> tuple[SweepResult, int]:
        """Sweep at once, without phases; returns what it is worth and how many samples were stored.

        A sweep that is kept waits for the next slot where this one is nearly over. The sweep of one
        room keeps its samples, but is no sweep of the fleet.
        """
        interval_s = self.interval_at(self._wall())
        left = interval_s - self._wall() % interval_s
        if keep and left < 2 * self._options.timeout_s:
            await asyncio.sleep(left)
        tick = floor_to_slot(self._wall(), interval_s)
        targets, members = self._fleet(tick, room)
        result = await sweep(targets, self._probers, self._options)
        finished = self._finished(tick, interval_s, result, None if room else members)
        return finished.result, self.record(finished).inserted if keep else 0

    def _fleet(self, tick: int, room: str | None) -> tuple[list[Target], dict[int, int]]:
        """Whom to ask, and the cohort of every device in service."""
        day = local_day(tick, self._settings.zone)
        with self._database.read() as session:
            return sweep_targets(session, self._settings, day, room), roster(session, day)

    def _finished(
        self, tick: int, interval_s: int, result: SweepResult, members: dict[int, int] | None
    ) -> FinishedSweep:
        """The sweep as it is judged."""
        finished_at = int(self._wall())
        in_slot = tick <= finished_at <= tick + interval_s
        if not in_slot:
            log.warning("sweep overran its slot", tick=tick, finished_at=finished_at)
        judged, host = judge(
            result,
            finished_at,
            in_slot=in_slot,
            whole_fleet=members is not None,
            tolerance_s=self._settings.clock_tolerance,
        )
        return FinishedSweep(tick, interval_s, finished_at, judged, members, host)


def _begun_slot(now: float, interval_s: int) -> int:
    """The slot under way, or the one that is about to begin: a timer may fire early."""
    return floor_to_slot(now + min(0.5, interval_s / 20), interval_s)
