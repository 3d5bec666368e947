"""Triggers pass over what was missed, however much that is."""

from datetime import UTC, datetime, timedelta

import pytest

from app.triggers import At, Every

START = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("previous", "due"),
    [
        (None, datetime(2026, 11, 25, 12, 1, tzinfo=UTC)),  # none was missed
        (START, datetime(2026, 11, 25, 12, 0, tzinfo=UTC)),  # 30 million were
        (NOW - timedelta(seconds=90), datetime(2026, 11, 25, 12, 0, tzinfo=UTC)),
        (NOW - timedelta(seconds=30), datetime(2026, 11, 25, 12, 1, tzinfo=UTC)),
    ],
)
def test_every_minute(previous: datetime | None, due: datetime) -> None:
    trigger = Every(60, START)
    assert trigger.get_next_fire_time(previous, NOW) == due


def test_what_is_listed_after_decades_is_a_day_at_most() -> None:
    trigger = At(minute=40, timezone=UTC)
    times = []
    at = trigger.get_next_fire_time(START, NOW)
    while at <= NOW:
        times.append(at)
        at = trigger.get_next_fire_time(at, NOW)
    assert len(times) == 24
    assert times[-1] == datetime(2026, 11, 25, 11, 40, tzinfo=UTC)
    assert at == datetime(2026, 11, 25, 12, 40, tzinfo=UTC)
