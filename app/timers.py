"""Keeps the intervals of a scheduler where the host's clock is set.

APScheduler waits for times of day: once the clock is set back it would wait until they come again.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from apscheduler.schedulers.base import BaseScheduler

from app.evidence.host_clock import SYSTEM_CLOCKS, Clocks, ClockWatch
from app.triggers import Every

LOOK_S = 1.0
JUMP_S = 2.0


@contextmanager
def following_the_clock(scheduler: BaseScheduler, clocks: Clocks = SYSTEM_CLOCKS) -> Iterator[None]:
    """Let the scheduler's intervals begin anew whenever the clock was set by more than `JUMP_S`."""
    stopped = threading.Event()
    watch = ClockWatch(clocks)

    def follow() -> None:
        while not stopped.wait(LOOK_S):
            if abs(watch.jumped()) > JUMP_S:
                _begin_anew(scheduler)

    follower = threading.Thread(target=follow, name="clock", daemon=True)
    follower.start()
    try:
        yield
    finally:
        stopped.set()
        follower.join()


def _begin_anew(scheduler: BaseScheduler) -> None:
    for job in scheduler.get_jobs():
        if isinstance(job.trigger, Every):
            trigger = Every(job.trigger.interval_length)
            scheduler.reschedule_job(job.id, trigger=trigger)
