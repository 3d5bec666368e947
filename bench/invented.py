"""Evidence made up for a benchmark: the results of successive sweeps, the ledger of a month."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import count, islice

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.evidence import queries
from app.evidence.recording import FinishedSweep, Recorder, count_by_cohort
from app.evidence.sample_queries import SampleRow
from app.evidence.tables import (
    DayOrigin,
    EvidenceDay,
    EvidenceZone,
    LedgerDay,
    Sweep,
    SweepCount,
)
from app.fleet.roster import roster
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.calendar import Month, day_bounds, days_between, floor_to_slot, local_day
from kpi.status import SlotClass, Status

SEED = 5
DOWN_SHARE = 0.005
CHANGES_A_SWEEP = 5
_DOWN = Observation(Status.TIMEOUT, detail="no answer")


def successive_sweeps(
    members: Mapping[int, int], first_tick: int, interval_s: int
) -> Iterator[FinishedSweep]:
    """Sweeps of a fleet (device id → cohort id) at rest: half a per cent is down, a handful changes
    from one to the next.

    Latencies differ in every sweep; what is kept as a device's state does not.
    """
    dice = random.Random(SEED)  # noqa: S311 - made-up evidence, no secret
    device_ids = list(members)
    down = set(dice.sample(device_ids, round(DOWN_SHARE * len(device_ids))))
    for number in count():
        down ^= set(dice.sample(device_ids, min(CHANGES_A_SWEEP, len(device_ids))))
        observations = {
            device: _DOWN
            if device in down
            else Observation(Status.INTACT, dice.uniform(2.0, 60.0), 0.0)
            for device in device_ids
        }
        tick = first_tick + number * interval_s
        result = SweepResult(observations, wall_s=1.0, cpu_s=0.4)
        yield FinishedSweep(tick, interval_s, tick + interval_s // 2, result, members)


def samples_of(sweep: FinishedSweep) -> list[SampleRow]:
    """The rows of a sweep as the bare peers store them."""
    return [
        (
            sweep.tick,
            device,
            int(seen.status),
            None if seen.latency_ms is None else round(seen.latency_ms),
        )
        for device, seen in sweep.result.observations.items()
    ]


def fill_month(database: Database, settings: Settings, month: Month) -> None:
    """Write a finished month: each device-day with its seconds, as the ledger would have them."""
    dice = random.Random(SEED)  # noqa: S311 - made-up evidence
    with database.write() as session:
        session.execute(insert(EvidenceZone).values(id=1, timezone=settings.timezone))
        for day in days_between(month.first, month.last):
            _fill_day(session, settings, day, dice)
    with database.write() as session:
        session.connection().exec_driver_sql("ANALYZE")


def fill_present(database: Database, settings: Settings, days: int, now: int) -> None:
    """Write the last days up to `now`: their ledger, and of the present day every sweep's counts,
    the last of them with its samples and states."""
    dice = random.Random(SEED)  # noqa: S311 - made-up evidence
    today = local_day(now, settings.zone)
    with database.write() as session:
        session.execute(insert(EvidenceZone).values(id=1, timezone=settings.timezone))
        for day in days_between(today - timedelta(days=days - 1), today):
            _fill_day(session, settings, day, dice)
        members = roster(session, today)
        _fill_counts(session, settings, members, now)
        queries.put_states(session, [_steady(device_id, now) for device_id in members])
    last = floor_to_slot(now, settings.poll_interval)
    for sweep in islice(successive_sweeps(members, last, settings.poll_interval), 1):
        Recorder(database, settings).record(replace(sweep, finished_at=now))
    with database.write() as session:
        session.connection().exec_driver_sql("ANALYZE")


def _steady(device_id: int, now: int) -> queries.StateRow:
    """A device that has been intact for a day."""
    return queries.StateRow(device_id, int(Status.INTACT), now - 86_400, None, "", None)


def _fill_counts(
    session: Session, settings: Settings, members: Mapping[int, int], now: int
) -> None:
    """The counts of the day's sweeps before `now`."""
    dice = np.random.default_rng(SEED)
    interval_s = settings.poll_interval
    start, _end = day_bounds(local_day(now, settings.zone), settings.zone)
    cohort_ids, no_video = list(members.values()), np.zeros(len(members), dtype=np.bool_)
    told = {"by_status": {}, "latency_ms": {}, "wall_s": 1.0, "cpu_s": 0.4}
    for tick in range(start, floor_to_slot(now, interval_s), interval_s):
        swept = {"tick": tick, "interval_s": interval_s, "finished_at": tick + interval_s // 2}
        counted = {"devices": len(members), "stored": len(members)}
        queries.insert_all(session, Sweep, [{**swept, **counted, **told}])
        is_down = dice.random(len(members)) < DOWN_SHARE
        classes = np.where(is_down, SlotClass.OFFLINE, SlotClass.INTACT).astype(np.uint8)
        counts = count_by_cohort(tick, cohort_ids, classes, no_video)
        queries.insert_all(session, SweepCount, counts)


def _fill_day(session: Session, settings: Settings, day: date, dice: random.Random) -> None:
    interval_s = settings.poll_interval
    start, end = day_bounds(day, settings.zone)
    origin = DayOrigin.COLLECTOR.value
    session.execute(insert(EvidenceDay).values(day=day, interval_s=interval_s, origin=origin))
    session.execute(insert(LedgerDay).values(day=day, interval_s=interval_s, through=end))
    seconds = (
        (device, *_seconds(end - start, interval_s, dice)) for device in roster(session, day)
    )
    queries.add_to_ledger(session, day, seconds)
    queries.sum_up_cohorts(session, day)


def _seconds(day_s: int, interval_s: int, dice: random.Random) -> tuple[int, ...]:
    """Intact, impaired, offline, unknown, suspended, exempted: whole slots that add up.

    None of it by video.
    """
    offline, impaired = (dice.choice((0, 0, 0, dice.randrange(60))) * interval_s for _ in range(2))
    return day_s - offline - impaired, impaired, offline, 0, 0, 0, 0
