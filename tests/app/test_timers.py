"""Intervals of the web process where the host's clock is set; APScheduler waits in real time."""

import time
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.interval
import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from app import timers
from app.evidence.host_clock import Clocks
from app.triggers import Every
from collectors.pauses import boottime

HOUR_S = 3600.0
WITHIN_S = 15.0


class WallClock:
    """The real time and `ahead` seconds."""

    ahead = 0.0

    def time(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """APScheduler goes by this clock."""
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
    monkeypatch.setattr(timers, "LOOK_S", 0.1)
    return wall


@pytest.fixture
def runs() -> list[float]:
    """When the job of `scheduler` ran (monotonic seconds)."""
    return []


@pytest.fixture
def scheduler(clock: WallClock, runs: list[float]) -> Iterator[BackgroundScheduler]:
    scheduler = BackgroundScheduler(job_defaults={"coalesce": True, "max_instances": 1})
    scheduler.add_job(lambda: runs.append(time.monotonic()), Every(0.5))
    scheduler.start()
    yield scheduler
    scheduler.shutdown(wait=False)


def await_runs(runs: list[float], count: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    while len(runs) < count:
        assert time.monotonic() < deadline, f"ran {len(runs)} times only"
        time.sleep(0.02)


@pytest.mark.parametrize("jump_s", [-HOUR_S, HOUR_S])
def test_a_job_goes_on_where_the_clock_is_set(
    clock: WallClock, scheduler: BackgroundScheduler, runs: list[float], jump_s: float
) -> None:
    with timers.following_the_clock(scheduler, Clocks(clock.time, boottime)):
        await_runs(runs, 1)
        clock.ahead = jump_s
        await_runs(runs, len(runs) + 3)
    (job,) = scheduler.get_jobs()
    assert abs(job.next_run_time.timestamp() - clock.time()) < WITHIN_S


def test_without_following_it_waits(
    clock: WallClock, scheduler: BackgroundScheduler, runs: list[float]
) -> None:
    """What the mend is for; where APScheduler mends it, `app.timers` can go."""
    await_runs(runs, 1)
    clock.ahead = -HOUR_S
    time.sleep(0.2)
    (job,) = scheduler.get_jobs()
    assert job.next_run_time.timestamp() - clock.time() > HOUR_S - WITHIN_S


def test_a_slewed_clock_changes_nothing(
    clock: WallClock, scheduler: BackgroundScheduler, runs: list[float]
) -> None:
    (before,) = (job.trigger for job in scheduler.get_jobs())
    with timers.following_the_clock(scheduler, Clocks(clock.time, boottime)):
        for _ in range(5):
            clock.ahead += 0.5
            time.sleep(0.15)
    (job,) = scheduler.get_jobs()
    assert job.trigger is before
