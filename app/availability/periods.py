"""The figures of a month or of a run of days. The ledger is brought up to date before.

Seconds are added up per cohort (some hundred sums a month, whatever the size of the fleet); only
questions about single devices read the ledger itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.availability import queries
from app.availability.documents import (
    DailyDocument,
    DayRow,
    MonthlyDocument,
    PeriodRow,
    period_fields,
)
from app.availability.selection import FLEET, Filters, Selection, select_devices
from app.config import Settings
from app.database import Database
from app.errors import BadParameter
from app.evidence.ledger import bring_up_to_date
from app.evidence.sealing.queries import seal_in_force
from app.fleet.roster import Grouping
from kpi.calendar import Month, existing_end, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts

LONGEST_PERIOD_DAYS = 366
LAG_SLOTS = 3
GroupSums = dict[int | None, tuple[int, Amounts]]
"""Group id → distinct devices, seconds."""


def monthly(
    database: Database,
    settings: Settings,
    month: Month,
    grouping: Grouping,
    filters: Filters,
    now: int,
) -> MonthlyDocument:
    """The rates of a month, as far as it has come.

    Raises `BadParameter` for a month that has not begun, `NotFound` for an unknown code.
    """
    require_begun(settings, month, now)
    bring_up_to_date(database, settings, month.first, month.last, now)
    with database.read() as session:
        selection = select_devices(session, grouping, filters)
        last = _last_day_with_slots(settings, month.last, now)
        sums = _sums(session, selection, month.first, last)
        total = _total(session, selection, month.first, last, sums)
        seal = seal_in_force(session, month)
    return MonthlyDocument(
        month=str(month),
        timezone=settings.timezone,
        policy=DEFAULT_POLICY.label,
        sealed=seal is not None,
        version=seal and seal.version,
        sealed_at=seal and datetime.fromtimestamp(seal.sealed_at, settings.zone),
        manifest_sha256=seal and seal.sha256,
        total=total,
        rows=[_row(selection, group, *sums[group]) for group in _in_order(selection, sums)],
    )


def daily(
    database: Database,
    settings: Settings,
    first: date,
    last: date,
    grouping: Grouping,
    filters: Filters,
    now: int,
) -> DailyDocument:
    """The rates of each day from `first` to `last`; days to come have no row.

    Raises `BadParameter` for a period that is empty, too long or has not begun.
    """
    _require_period(settings, first, last, now)
    bring_up_to_date(database, settings, first, last, now)
    with database.read() as session:
        selection = select_devices(session, grouping, filters)
        by_day = _sums_by_day(session, selection, first, last)
        reached = _last_day_with_slots(settings, last, now)
        sums = _sums(session, selection, first, reached)
        total = _total(session, selection, first, reached, sums)
    return DailyDocument(
        first=first,
        last=last,
        timezone=settings.timezone,
        policy=DEFAULT_POLICY.label,
        total=total,
        rows=[
            _day_row(selection, day, group, *of_day[group])
            for day, of_day in sorted(by_day.items())
            for group in _in_order(selection, of_day)
        ],
    )


def seconds_by_day(
    database: Database, settings: Settings, first: date, last: date, filters: Filters, now: int
) -> dict[date, Amounts]:
    """Seconds of each day of the period; days without a ledger are left out.

    What the pages draw: the present day is as far as the collector has brought it, so that looking
    costs nothing; where it has fallen behind, the ledger is brought up to date.
    """
    bring_up_to_date(database, settings, first, last, now, lag_slots=LAG_SLOTS)
    with database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        return queries.seconds_by_day(session, first, last, selection.cohorts.keys())


def require_begun(settings: Settings, month: Month, now: int) -> None:
    """Raises `BadParameter` for a month that has not begun."""
    if month.first > local_day(now, settings.zone):
        raise BadParameter("month", f"{month} lies in the future")


def _require_period(settings: Settings, first: date, last: date, now: int) -> None:
    if last < first:
        raise BadParameter("to", f"{last} lies before {first}")
    if first > local_day(now, settings.zone):
        raise BadParameter("from", f"{first} lies in the future")
    if (last - first).days >= LONGEST_PERIOD_DAYS:
        raise BadParameter("to", f"asks for more than {LONGEST_PERIOD_DAYS} days; ask in portions")


def _last_day_with_slots(settings: Settings, last: date, now: int) -> date:
    newest = existing_end(now, settings.poll_interval) - 1
    return min(last, local_day(newest, settings.zone))


def _sums(session: Session, selection: Selection, first: date, last: date) -> GroupSums:
    cohort_ids = selection.cohorts.keys()
    if selection.grouping is Grouping.DEVICE or selection.device_id is not None:
        rows = queries.seconds_by_device(session, first, last, cohort_ids, selection.device_id)
        return _added_up(selection, rows)
    parts: dict[int | None, Amounts] = defaultdict(Amounts)
    for cohort_id, seconds in queries.seconds_by_cohort(session, first, last, cohort_ids).items():
        parts[selection.group_of(cohort_id)] += seconds
    devices = _devices(session, selection, first, last)
    return {group: (devices.get(group, 0), seconds) for group, seconds in parts.items()}


def _devices(
    session: Session, selection: Selection, first: date, last: date
) -> dict[int | None, int]:
    found = queries.devices_by_group(
        session, selection.grouping, first, last, selection.cohorts.keys()
    )
    return {None: sum(found.values())} if selection.grouping is Grouping.FLEET else found


def _added_up(selection: Selection, rows: Iterable[tuple[int, int, Amounts]]) -> GroupSums:
    """Sums per group of (device id, cohort id, seconds)."""
    devices: dict[int | None, set[int]] = defaultdict(set)
    parts: dict[int | None, Amounts] = defaultdict(Amounts)
    for device_id, cohort_id, seconds in rows:
        by_device = selection.grouping is Grouping.DEVICE
        group = device_id if by_device else selection.group_of(cohort_id)
        devices[group].add(device_id)
        parts[group] += seconds
    return {group: (len(devices[group]), parts[group]) for group in parts}


def _sums_by_day(
    session: Session, selection: Selection, first: date, last: date
) -> dict[date, GroupSums]:
    cohort_ids, device_id = selection.cohorts.keys(), selection.device_id
    if selection.grouping is Grouping.DEVICE or device_id is not None:
        single = queries.seconds_by_day_and_device(session, first, last, cohort_ids, device_id)
        of_day: dict[date, list[tuple[int, int, Amounts]]] = defaultdict(list)
        for day, device, cohort_id, seconds in single:
            of_day[day].append((device, cohort_id, seconds))
        return {day: _added_up(selection, rows) for day, rows in of_day.items()}
    result: dict[date, GroupSums] = defaultdict(lambda: defaultdict(lambda: (0, Amounts())))
    summed = queries.seconds_by_day_and_cohort(session, first, last, cohort_ids)
    for day, cohort_id, devices, seconds in summed:
        group = selection.group_of(cohort_id)
        before, so_far = result[day][group]
        result[day][group] = before + devices, so_far + seconds
    return result


def _total(
    session: Session, selection: Selection, first: date, last: date, sums: GroupSums
) -> PeriodRow:
    """The row of the whole selection; a device that changed its group counts once."""
    whole = Selection(Grouping.FLEET, selection.cohorts, selection.device_id, {})
    seconds = Amounts.total(part for _devices_of, part in sums.values())
    if selection.device_id is not None:
        devices = 1 if sums else 0
    else:
        devices = _devices(session, whole, first, last).get(None, 0)
    return PeriodRow(**period_fields(FLEET, devices, seconds, DEFAULT_POLICY))


def _row(selection: Selection, group: int | None, devices: int, seconds: Amounts) -> PeriodRow:
    name = selection.name_of(group)
    return PeriodRow(**period_fields(name, devices, seconds, DEFAULT_POLICY))


def _day_row(
    selection: Selection, day: date, group: int | None, devices: int, seconds: Amounts
) -> DayRow:
    name = selection.name_of(group)
    return DayRow(day=day, **period_fields(name, devices, seconds, DEFAULT_POLICY))


def _in_order(selection: Selection, groups: Iterable[int | None]) -> list[int | None]:
    """Groups by their codes, those without one last."""

    def code(group: int | None) -> tuple[bool, str]:
        name = selection.name_of(group)
        return name is None, name.code if name else ""

    return sorted(groups, key=code)
