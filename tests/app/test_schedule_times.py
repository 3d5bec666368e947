"""When the collector's jobs are due: after a pause, at midnight, where the clock is set.

APScheduler is real and waits in real time; the wall clock is the test's.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.interval
import pytest

from app import schedule
from app.config import Settings
from app.evidence.host_clock import Clocks
from app.evidence.recording import FinishedSweep
from app.evidence.store import Stored
from collectors.pauses import boottime
from collectors.sweep import SweepResult

HOUR_S = 3600.0


class WallClock:
    """The real time and `ahead` seconds."""

    ahead = 0.0

    def time(self) -> float:
        return time.time() + self.ahead


class Diary:
    """In place of `Collecting`: notes when it was asked to sweep."""

    def __init__(self, clock: WallClock, interval_at: Callable[[float], int]) -> None:
        self.clock = clock
        self.interval_at = interval_at
        self.swept: list[float] = []
        self.jumps: list[float] = []

    async def sweep_slot(self) -> FinishedSweep:
        now = self.clock.time()
        self.swept.append(now)
        return FinishedSweep(int(now), 1, int(now), SweepResult({}, 0, 0), {})

    def record(self, _finished: FinishedSweep) -> Stored:
        return Stored()

    def note_jump(self, seconds: float) -> None:
        self.jumps.append(seconds)


class Alone:
    """In place of the claim: nobody else collects."""

    def renew(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """Everything that schedules goes by this clock."""
    wall = WallClock()

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(wall.time(), tz)

    for module in (
        apscheduler.schedulers.base,
        apscheduler.executors.base,
        apscheduler.triggers.interval,
    ):
        monkeypatch.setattr(module, "datetime", Moved)
    monkeypatch.setattr(schedule, "time", wall)
    monkeypatch.setattr(schedule, "SYSTEM_CLOCKS", Clocks(wall.time, boottime))
    monkeypatch.setattr(schedule, "CLOCK_LOOK_S", 0.1)
    for work in ("beat", "follow_evidence", "keep_faults", "prepare_days"):
        monkeypatch.setattr(schedule, work, lambda *_arguments: None)
    return wall


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - nothing tells when APScheduler has run a job
            await asyncio.sleep(0.02)


def collect(diary: Diary, steps: Callable[[], Any]) -> None:
    """Run the jobs while the steps are gone through."""

    async def scenario() -> None:
        database: Any = None
        alone: Any = Alone()
        collecting: Any = diary
        jobs = schedule._Jobs(database, Settings(), collecting, 1, alone)
        jobs.start()
        await steps()
        await jobs.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 40 * 365 * 86_400.0])
def test_a_clock_that_is_set_has_its_slots_at_once(clock: WallClock, jump_s: float) -> None:
    diary = Diary(clock, lambda _now: 1)

    async def steps() -> None:
        await until(lambda: len(diary.swept) >= 3)
        clock.ahead = jump_s
        before = len(diary.swept)
        await until(lambda: len(diary.swept) >= before + 3)

    collect(diary, steps)
    assert diary.jumps == [pytest.approx(jump_s, abs=1)]
    after = [at for at in diary.swept[1:] if abs(at - time.time() - jump_s) < 60]
    assert len(after) >= 3
    assert len({int(at) for at in after}) == len(after)  # one in a slot


def test_a_slewed_clock_has_not_jumped(clock: WallClock) -> None:
    diary = Diary(clock, lambda _now: 1)

    async def steps() -> None:
        for _ in range(10):
            clock.ahead += 0.3
            await asyncio.sleep(0.15)

    collect(diary, steps)
    assert diary.jumps == []


def test_after_a_pause_nothing_has_piled_up(clock: WallClock) -> None:
    """The whole process stands still for five slots; one sweep is made up for, not five."""
    diary = Diary(clock, lambda _now: 1)
    resumed = 0.0

    async def steps() -> None:
        nonlocal resumed
        await until(lambda: len(diary.swept) >= 2)
        time.sleep(5)  # noqa: ASYNC251 - stands still on purpose
        resumed = clock.time()
        await until(lambda: diary.swept[-1] > resumed + 1.5)

    collect(diary, steps)
    at_once = [at for at in diary.swept if resumed <= at < resumed + 0.5]
    assert len(at_once) <= 2  # the one made up for, and perhaps the next slot's own
    slots = [int(at) for at in diary.swept[1:]]
    assert len(set(slots)) == len(slots)


def test_another_interval_holds_from_the_next_day(clock: WallClock) -> None:
    """Slots of 1 s until midnight, of 2 s from then on; midnight is at an even second."""
    midnight = 2 * (int(time.time()) // 2) + 6
    diary = Diary(clock, lambda now: 1 if now < midnight else 2)

    async def steps() -> None:
        await until(lambda: diary.swept[-1:] > [midnight + 5.9])

    collect(diary, steps)
    slots = [int(at) - midnight for at in diary.swept[1:]]
    assert any(slot % 2 for slot in slots if slot < 0)
    assert {slot % 2 for slot in slots if slot >= 0} == {0}
    assert len(set(slots)) == len(slots)
