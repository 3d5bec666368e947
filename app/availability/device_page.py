"""What the page of one camera says: its record, its state, and its past down to the slot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from app.accounts.reach import Reach
from app.availability.device_history import (
    NEWEST_CHANGES,
    ChangeLine,
    Excuse,
    changes,
    excuses,
)
from app.availability.device_latency import LatencyCourse, latency_course
from app.availability.device_slots import DaySlots, day_slots, spoken
from app.availability.devices_listed import seconds_of_devices
from app.availability.figures import Figure, figure
from app.availability.instant import is_stale
from app.availability.outages import OutageLine, outage_lines, outages_of
from app.availability.selection import Filters, select_devices
from app.config import Settings
from app.database import Database
from app.errors import BadParameter
from app.evidence.covers import covers_of
from app.evidence.host_queries import offsets_between
from app.evidence.ledger import bring_up_to_date
from app.evidence.queries import device_states, last_sweep
from app.evidence.samples import device_samples
from app.fleet.changes import Stored
from app.fleet.drift import Difference, differences
from app.fleet.form import FIELD_LABELS
from app.fleet.observed_queries import read_observed
from app.fleet.queries import AssignmentRecord, read_assignments, read_device
from app.fleet.record import RECORD_FIELDS, CohortKey
from app.fleet.roster import Days, Grouping, days_within
from app.fleet.tables import Observed
from app.web.bars import Strip, strip
from app.web.listing import Listing
from app.web.words import STATUS_WORDS, class_name
from kpi.calendar import Slots, days_between, in_service, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts
from kpi.runs import runs
from kpi.status import SlotClass, Status

STRIP_DAYS = 31
CLOCK_DAYS = 31
MOST_OUTAGES = 50
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the register as it is shown; `label` is a text of the catalogue."""

    label: str
    value: Any


@dataclass(frozen=True, slots=True)
class DayRow:
    """One local day: its slots, and (word, seconds) of each class that occurs."""

    day: date
    strip: Strip
    seconds: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Slots that follow one another with the same status; `latency_ms` least and most, or None."""

    start: datetime
    end: datetime
    seconds: int
    status: str
    slot_class: str
    latency_ms: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class ChosenDay:
    """The day that is looked at closely; `hour` None: its stretches, else the hour's slots."""

    day: date
    hour: int | None
    stretches: Sequence[Stretch]


@dataclass(frozen=True, slots=True)
class State:
    """What is known now; `since` None where nothing is."""

    slot_class: str
    status: str
    since: datetime | None
    detail: str
    clock_offset_s: int | None
    swept_at: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class DevicePage:
    """The page of one device; `outages_left_out` counts those beyond the newest `MOST_OUTAGES`."""

    stored: Stored
    fields: Sequence[Field]
    state: State
    month: Figure
    days: Sequence[DayRow]
    chosen: ChosenDay
    outages: Sequence[OutageLine]
    outages_left_out: int
    excuses: Sequence[Excuse]
    latency: LatencyCourse | None
    changes: Sequence[ChangeLine]
    changes_list: Listing
    assignments: Sequence[AssignmentRecord]
    clock: Sequence[tuple[datetime, int]]
    observed: Observed | None
    inspected_at: datetime | None
    differences: Sequence[Difference]


def device_page(
    database: Database,
    settings: Settings,
    code: str,
    reach: Reach,
    day: date | None,
    hour: int | None,
    now: int,
    changes_wanted: Listing = NEWEST_CHANGES,
) -> DevicePage:
    """The page of one device at `now`, of the days on which it was within reach.

    Raises `NotFound` for a code out of reach, `BadParameter` for a day to come.
    """
    today = local_day(now, settings.zone)
    day = day or today
    if day > today:
        raise BadParameter("day", f"{day} lies in the future")
    bring_up_to_date(database, settings, today.replace(day=1), today, now)
    with database.read() as session:
        stored = read_device(session, code, reach)
        theirs = days_within(session, stored.id, reach)
        first = today - timedelta(days=STRIP_DAYS - 1)
        days = [each for each in days_between(first, today) if _shows(stored, theirs, each)]
        outages, left_out = _outages(session, settings, stored, reach, first, now)
        observed = read_observed(session, [stored.id]).get(stored.id)
        inspected_at = observed.inspected_at if observed else None
        told, changes_list = changes(session, settings.zone, stored.id, reach, changes_wanted)
        latency = latency_course(
            session, settings, stored.id, lambda each: _shows(stored, theirs, each), now
        )
        return DevicePage(
            stored=stored,
            fields=_fields(stored),
            state=_state(session, settings, stored, now),
            month=_month(session, stored, today, reach),
            days=[_row(session, settings, stored, each, now) for each in reversed(days)],
            chosen=_chosen(session, settings, stored, theirs, day, hour, now),
            outages=outages,
            outages_left_out=left_out,
            excuses=excuses(session, settings.zone, stored.id, reach),
            latency=latency,
            changes=told,
            changes_list=changes_list,
            assignments=_assignments(session, stored, reach),
            clock=_clock(session, settings, stored, theirs, now),
            observed=observed,
            inspected_at=None if inspected_at is None else _local(settings, inspected_at),
            differences=differences(stored.record, observed),
        )


def _shows(stored: Stored, theirs: Days, day: date) -> bool:
    record = stored.record
    begun = record.commissioned_on or stored.registered_on
    return theirs.hold(day) and in_service(day, begun, record.decommissioned_on)


def _fields(stored: Stored) -> list[Field]:
    """What the register says, without what is empty and what the page says elsewhere."""
    elsewhere = {"name", *CohortKey._fields}
    return [
        Field(FIELD_LABELS[name], value)
        for name in RECORD_FIELDS
        if name not in elsewhere and (value := getattr(stored.record, name)) not in (None, "")
    ]


def _state(session: Session, settings: Settings, stored: Stored, now: int) -> State:
    sweep = last_sweep(session)
    stale = is_stale(sweep, now)
    known = device_states(session, [stored.id]).get(stored.id)
    status = Status.UNKNOWN if stale or known is None else Status(known.status)
    covers = covers_of(session, settings.zone, [stored.id], now, now + 1)
    slot_class = SlotClass(DEFAULT_POLICY.class_table()[status])
    if covers.suspended or covers.exempted:
        slot_class = SlotClass.SUSPENDED if covers.suspended else SlotClass.EXEMPTED
    return State(
        class_name(slot_class),
        STATUS_WORDS[status],
        None if stale or known is None else _local(settings, known.since),
        known.detail if known and not stale else "",
        known.clock_offset_s if known else None,
        None if sweep is None else _local(settings, sweep.finished_at),
        stale,
    )


def _month(session: Session, stored: Stored, today: date, reach: Reach) -> Figure:
    seconds = seconds_of_devices(session, [stored.id], today.replace(day=1), today, reach)
    return figure("intact", seconds.get(stored.id, Amounts()))


def _row(session: Session, settings: Settings, stored: Stored, day: date, now: int) -> DayRow:
    found = day_slots(session, settings, [stored.id], day, now)
    classes = found.classes[0]
    return DayRow(day, strip(classes), spoken(classes, found.slots.interval_s))


def _chosen(
    session: Session,
    settings: Settings,
    stored: Stored,
    theirs: Days,
    day: date,
    hour: int | None,
    now: int,
) -> ChosenDay:
    if not _shows(stored, theirs, day):
        return ChosenDay(day, hour, [])
    found = day_slots(session, settings, [stored.id], day, now)
    return ChosenDay(day, hour, _stretches(session, settings, stored, found, hour))


def _stretches(
    session: Session, settings: Settings, stored: Stored, found: DaySlots, hour: int | None
) -> list[Stretch]:
    """Runs of one status over the day, or each slot of an hour by itself."""
    slots = found.slots
    samples = device_samples(session, stored.id, slots)
    latencies = {tick: latency for tick, _status, latency in samples if latency is not None}
    pairs = (found.classes[0, : slots.count].astype(np.int64) << 8) | found.statuses[0]
    stretches = []
    for value, first, length in _pieces(settings, slots, pairs, hour):
        start = slots.start + first * slots.interval_s
        ticks = range(start, start + length * slots.interval_s, slots.interval_s)
        known = [latencies[tick] for tick in ticks if tick in latencies]
        stretches.append(
            Stretch(
                _local(settings, start),
                _local(settings, ticks.stop),
                length * slots.interval_s,
                STATUS_WORDS[Status(value & 255)],
                class_name(SlotClass(value >> 8)),
                (min(known), max(known)) if known else None,
            )
        )
    return stretches


def _pieces(
    settings: Settings, slots: Slots, values: npt.NDArray[np.int64], hour: int | None
) -> list[tuple[int, int, int]]:
    """(value, first slot, slots) of what is listed."""
    if hour is None:
        return list(runs(values))
    return [
        (int(values[n]), n, 1)
        for n in range(slots.count)
        if _local(settings, slots.start + n * slots.interval_s).hour == hour
    ]


def _outages(
    session: Session, settings: Settings, stored: Stored, reach: Reach, first: date, now: int
) -> tuple[list[OutageLine], int]:
    """The newest outages since `first`, and how many more there are."""
    filters = Filters(stored.record.kind, device=stored.record.code, reach=reach)
    selection = select_devices(session, Grouping.FLEET, filters)
    today = local_day(now, settings.zone)
    found = outages_of(session, settings, selection, first, today, now)
    newest = sorted(found, key=lambda each: each.start, reverse=True)[:MOST_OUTAGES]
    return outage_lines(session, settings, newest, first, now), len(found) - len(newest)


def _assignments(session: Session, stored: Stored, reach: Reach) -> list[AssignmentRecord]:
    """Newest first; who sees a part only sees that part."""
    return [
        each
        for each in reversed(read_assignments(session, stored.id))
        if reach.station in (None, each.cohort.station)
        and reach.contractor in (None, each.cohort.contractor)
    ]


def _clock(
    session: Session, settings: Settings, stored: Stored, theirs: Days, now: int
) -> list[tuple[datetime, int]]:
    """When the clock's offset moved, the newest first."""
    rows = offsets_between(session, stored.id, now - CLOCK_DAYS * 24 * HOUR_S, now + 1)
    return [
        (_local(settings, row.at), row.offset_s)
        for row in reversed(rows)
        if theirs.hold(local_day(row.at, settings.zone))
    ]


def _local(settings: Settings, instant: int) -> datetime:
    return datetime.fromtimestamp(instant, settings.zone)
