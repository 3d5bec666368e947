"""When a scheduler's job is due again, without listing what was missed.

APScheduler goes through every time that a job missed, to run the last of them. A host that comes up
without its clock and is set by decades has missed millions: these triggers pass over them.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

LOOKS_BACK = timedelta(days=1)


class Every(IntervalTrigger):  # type: ignore[misc] # APScheduler has no types
    """Fires every so many seconds; of the times that were missed, the newest alone."""

    def __init__(self, seconds: float, start_date: datetime | None = None) -> None:
        super().__init__(seconds=seconds, start_date=start_date, timezone=UTC)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> Any:
        following = super().get_next_fire_time(previous, now)
        if previous is None or following is None or following >= now:
            return following
        return following + (now - following) // self.interval * self.interval


class At(CronTrigger):  # type: ignore[misc] # APScheduler has no types
    """Fires at times of day; of the times that were missed, those of the last day alone."""

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> Any:
        if previous is not None:
            previous = max(previous, now - LOOKS_BACK)
        return super().get_next_fire_time(previous, now)
