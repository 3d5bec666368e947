"""Brings the ledger up to date: from samples to seconds per device, day and class.

Each step is one transaction and leaves ledger, cohort sums and `through` in agreement:

1. Forward: the slots between `through` and the end of those that exist are added for all devices
   in service on the day, so many at a time that no sweep waits long for its turn.
2. Repair: device-days marked dirty are made anew from their first slot to `through`.

The days of a sealed month (`app.evidence.sealing`) stay as they are; what is dirty waits.
Where more than `MANY` of a day's devices are dirty, or its slots have another length now, the day
is forgotten and made by step 1.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.evidence import queries
from app.evidence.archive.queries import known_days
from app.evidence.covers import covers_of
from app.evidence.revisions import mark_revised
from app.evidence.samples import read_statuses
from app.evidence.sealing.queries import is_sealed, sealed_months
from app.evidence.store import require_zone
from app.evidence.video_queries import good_video_covers
from app.fleet.roster import first_service_day, roster
from app.fleet.touched import DeviceDays
from kpi.calendar import Month, Slots, day_bounds, days_between, existing_end, local_day
from kpi.ledger import Seconds, classify, intact_by_video, seconds_by_class
from kpi.policy import DEFAULT_POLICY

SAMPLES_A_STEP = 1_000_000
FILED_A_STEP = 5_000_000
"""A file is read from its start each time, and quickly."""
MANY = 500


@dataclass(frozen=True, slots=True)
class _Day:
    """A local day with the slots of it that exist: `[start, end)` in steps of `interval_s`."""

    day: date
    interval_s: int
    start: int
    end: int
    has_evidence: bool
    is_filed: bool


def bring_up_to_date(
    database: Database,
    settings: Settings,
    first: date,
    last: date,
    now: int,
    *,
    lag_slots: int = 0,
) -> None:
    """Make the ledger of the days `first` to `last` follow from all evidence up to `now`.

    A day that lags behind by no more than `lag_slots` is left to the collector, which brings up
    the present day after each sweep.
    """
    for day in _stale_days(database, settings, first, last, now, lag_slots):
        while _step(database, settings.zone, day):
            pass


def follow_evidence(database: Database, settings: Settings, now: int) -> None:
    """Bring up today, and every day of which something new has become known."""
    today = local_day(now, settings.zone)
    with database.read() as session:
        dirty = queries.dirty_days(session, date.min, today)
        sealed = sealed_months(session)
    for day in sorted({day for day in dirty if Month.of(day) not in sealed} | {today}):
        bring_up_to_date(database, settings, day, day, now)


def mark_touched(session: Session, touched: Iterable[DeviceDays]) -> None:
    """Mark device-days of which the register or the dated facts say something new."""
    spans: dict[tuple[date, date], list[int]] = defaultdict(list)
    since: dict[int, date] = {}
    for days in touched:
        spans[days.first, days.last or date.max].append(days.device_id)
        since[days.device_id] = min(days.first, since.get(days.device_id, days.first))
    mark_revised(session, since)
    for (first, last), device_ids in spans.items():
        for day in queries.ledger_days(session, first, last):
            queries.mark_dirty(session, day, device_ids)


def _stale_days(
    database: Database, settings: Settings, first: date, last: date, now: int, lag_slots: int
) -> list[_Day]:
    with database.read() as session:
        require_zone(session, settings.timezone)
        earliest = first_service_day(session)
        if earliest is None:
            return []
        first, last = max(first, earliest), min(last, local_day(now, settings.zone))
        lengths = queries.slot_lengths(session, first, last)
        ledgers = queries.ledger_days(session, first, last)
        dirty = queries.dirty_days(session, first, last)
        filed = {row.day for row in known_days(session, first, last) if row.is_filed}
        sealed = sealed_months(session)
    stale = []
    for day in days_between(first, last):
        if Month.of(day) in sealed:
            continue
        interval_s = lengths.get(day, settings.poll_interval)
        start, end = day_bounds(day, settings.zone)
        reached = max(start, min(end, existing_end(now, interval_s)))
        view = _Day(day, interval_s, start, reached, day in lengths, day in filed)
        made_of, through = ledgers.get(day, (interval_s, view.start - 1))
        behind = view.end - through > lag_slots * interval_s
        if day in dirty or made_of != interval_s or behind:
            stale.append(view)
    return stale


def _step(database: Database, zone: ZoneInfo, day: _Day) -> bool:
    """One transaction towards an up-to-date ledger; False when nothing was left to do."""
    with database.write() as session:
        state = queries.lock_ledger_day(session, day.day, day.interval_s, day.start)
        if is_sealed(session, day.day):
            return False
        dirty = queries.take_dirty(session, day.day)
        much_is_dirty = len(dirty) > MANY and state.through > day.start
        if much_is_dirty or state.interval_s != day.interval_s:
            queries.forget_ledger_day(session, day.day)
            return True
        members = roster(session, day.day)
        if dirty:
            done = Slots.between(day.start, state.through, state.interval_s)
            _repair(session, zone, day.day, dirty, members.keys(), done)
        ahead = _next_step(day, state.through, len(members))
        _add(session, zone, day.day, list(members), ahead)
        state.through = max(state.through, ahead.end)
        queries.sum_up_cohorts(session, day.day)
        return state.through < day.end


def _next_step(day: _Day, through: int, devices: int) -> Slots:
    """The slots to add next; where there is nothing to read, all of them."""
    slots = Slots.between(through, day.end, day.interval_s)
    if not day.has_evidence:
        return slots
    most = FILED_A_STEP if day.is_filed else SAMPLES_A_STEP
    return replace(slots, count=min(slots.count, max(1, most // max(1, devices))))


def _repair(
    session: Session,
    zone: ZoneInfo,
    day: date,
    dirty: Sequence[int],
    members: Iterable[int],
    done: Slots,
) -> None:
    queries.drop_from_ledger(session, day, dirty)
    in_service = set(members)
    _add(session, zone, day, [device for device in dirty if device in in_service], done)


def _add(
    session: Session, zone: ZoneInfo, day: date, device_ids: Sequence[int], slots: Slots
) -> None:
    if slots.count and device_ids:
        seconds = _seconds(session, zone, device_ids, slots).tolist()
        rows = ((device, *row) for device, row in zip(device_ids, seconds, strict=True))
        queries.add_to_ledger(session, day, rows)


def _seconds(session: Session, zone: ZoneInfo, device_ids: Sequence[int], slots: Slots) -> Seconds:
    """The stored amounts of each device: by class, then those intact by video."""
    statuses = read_statuses(session, np.array(device_ids, dtype=np.int64), slots)
    covers = covers_of(session, zone, device_ids, slots.start, slots.end)
    checked = good_video_covers(session, device_ids, slots.start, slots.end)
    classes = classify(statuses, slots, DEFAULT_POLICY.class_table(), *covers)
    by_video = intact_by_video(classes, slots, checked)
    return np.column_stack([seconds_by_class(classes, slots.interval_s), by_video])
